"""What trainings cost on this machine's accelerator, on either backend of Keras. Run by hand:

    python tests/benchmarks/gpu.py OUTPUT                         # about six minutes
    KERAS_BACKEND=jax python tests/benchmarks/gpu.py OUTPUT --models thesis
    python tests/benchmarks/gpu.py OUTPUT --train thesis data/monopoles --minutes 8

Every phase of the given configurations takes a few training steps, in a process of its own, on
short simulations of the configuration's own law: the first step, which compiles; the median of
those after it; how busy the GPU was in these (`nvidia-smi`, where there is one) and what memory it
held; and how long the whole phase would take, of as many samples as the configuration makes, its
first step included. Beside that, how many samples the input pipeline makes while nobody trains.

With `--train`, `socialmd train` gets what is then left of the minutes, and is ended; the same
command goes on where it was, later, on another backend and on another machine too.

OUTPUT gets `gpu.json` and `gpu.md`, written after each phase, and the folder of the training.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from socialmd.config import ExperimentConfig, PhaseConfig, load_config
from socialmd.data import load_trajectories, make_dataset
from socialmd.data.dataset_description import read_description
from socialmd.data.masked_inputs import unpack
from socialmd.data.windows import sample_rows
from socialmd.files import write_json, write_text
from socialmd.models import build_model
from socialmd.simulation import write_dataset
from socialmd.training.device import gpu_names
from socialmd.training.phase import begin_phase, phase_samples
from socialmd.training.training_cost import peak_memory

NAME = "gpu"
MODELS = ("thesis", "interaction", "geotdm_charged")
STEPS = 40
SECONDS = 40.0  # of a phase's steps, at most
CLOSER = 50  # times which frames are closer in time here, since simulations are not measured
USAGE = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms=100")


class StepTimes(keras.callbacks.Callback):
    """Seconds of each step; stops when there are enough steps, or seconds, after the first."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.seconds: list[float] = []
        self.usage: subprocess.Popen[str] | None = None
        self.busy: list[float] = []  # percent, of each moment of steps after the first

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.seconds and self.usage is None and shutil.which(USAGE[0]):
            self.usage = subprocess.Popen(USAGE, stdout=subprocess.PIPE, text=True)
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.seconds.append(time.perf_counter() - self.start)
        if len(self.seconds) > self.steps or sum(self.seconds[1:]) > SECONDS:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.usage is not None:
            self.usage.terminate()
            self.busy += map(float, self.usage.communicate()[0].split())
            self.usage = None  # there may be another pass


def write_short_simulations(config: ExperimentConfig, folder: Path) -> None:
    """A few systems of as many frames as the configuration has."""
    simulation = config.simulation
    every = max(1, simulation.keep_every // CLOSER)
    simulation = simulation.model_copy(
        update={"num_train": 4, "num_validation": 1, "num_test": 1, "keep_every": every}
        | {"num_steps": simulation.num_steps // simulation.keep_every * every}
    )
    write_dataset(config.model_copy(update={"simulation": simulation}), folder)


def measure(model_name: str, number: int, data: Path, steps: int) -> dict[str, Any]:
    """A phase of a configuration, which is trained for some steps."""
    config = load_config(model_name)
    phase = config.training.schedule[number]
    samples, size = phase_samples(phase, config.data), config.training.batch_size
    split = load_trajectories(data / "train", config.data.minimum_frames)
    options = {"shuffle": True, "teacher_forcing": phase.feedback == "truth"}
    train = make_dataset(split, samples, size, **options)
    rate = samples_per_second(train, size)
    keras.utils.set_random_seed(config.training.seed)
    description = read_description(data)
    model = build_model(config, description.spatial_dims)
    model.learn_layout(description.layout, description.frame_spacing * config.data.subsample)
    model.build((None, config.data.input_steps, *unpack(train.element_spec[0]).frames.shape[2:]))
    model.adapt(make_dataset(split, config.data.without_rotations, size))
    begin_phase(model, phase, config.training, *train.element_spec, len(train))
    times = StepTimes(steps)
    while not model.stop_training:
        model.fit(train, callbacks=[times], verbose=0)
    later = statistics.median(times.seconds[1:])
    return {
        "model": Path(model_name).stem,
        "phase": number,
        "device": ", ".join([keras.backend.backend(), *(gpu_names() or ["CPU"])]),
        "first_step": times.seconds[0],
        "step": later,
        "utilisation": statistics.mean(times.busy) if times.busy else None,
        "peak_memory": peak_device_memory(),
        "whole_phase": times.seconds[0] + later * (count_steps(config, phase) - 1),
        "consumed": size / later,
        "made": rate,
    }


def samples_per_second(dataset: Any, batch_size: int) -> float:
    """Of a pass that is not the first, whose whole batches are counted."""
    for _ in range(2):
        start = time.perf_counter()
        for _ in dataset:
            pass
        seconds = time.perf_counter() - start
    return len(dataset) * batch_size / seconds


def count_steps(config: ExperimentConfig, phase: PhaseConfig) -> int:
    """Of the whole phase, of all simulations that the configuration makes."""
    simulation = config.simulation
    frames = simulation.num_steps // simulation.keep_every - simulation.discard_frames
    rows = sample_rows(simulation.num_train, frames, phase_samples(phase, config.data))
    assert phase.epochs is not None
    return phase.epochs * -(-len(rows) // config.training.batch_size)


def peak_device_memory() -> int:
    """Bytes that this process has held at once, of the GPU or, without one, of the machine."""
    if not gpu_names():
        return peak_memory()
    if keras.backend.backend() == "jax":
        import jax

        return int(jax.devices()[0].memory_stats()["peak_bytes_in_use"])
    import tensorflow as tf

    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])


def table(rows: Sequence[dict[str, Any]]) -> str:
    """One line for each phase, and one for each model's sum."""
    names = ["model", "phase", "on", "first step (s)", "step (ms)", "GPU busy (%)", "memory (MB)"]
    header = [*names, "whole phase (min)", "samples made / consumed"]
    lines = [header, ["---"] * 3 + ["---:"] * (len(header) - 3)]
    for row in rows:
        busy = "-" if row["utilisation"] is None else f"{row['utilisation']:.0f}"
        lines.append(
            [
                *(row["model"], str(row["phase"]), row["device"], f"{row['first_step']:.1f}"),
                *(f"{1e3 * row['step']:.1f}", busy, f"{row['peak_memory'] / 1e6:.0f}"),
                *(f"{row['whole_phase'] / 60:.1f}", f"{row['made'] / row['consumed']:.0f}"),
            ]
        )
    for model in dict.fromkeys(row["model"] for row in rows):
        whole = sum(row["whole_phase"] for row in rows if row["model"] == model) / 60
        lines.append([model, "all", *[""] * 5, f"{whole:.1f}", ""])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--models", nargs="*", default=MODELS, help="configurations")
    parser.add_argument("--steps", type=int, default=STEPS, help="of each phase, after the first")
    parser.add_argument("--train", nargs=2, metavar=("CONFIG", "DATA"), help="train with the rest")
    parser.add_argument("--minutes", type=float, default=8.0, help="after which a training ends")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.case:
        model, number, data = arguments.case
        write_json(arguments.output, measure(model, int(number), Path(data), arguments.steps))
        return
    end = time.monotonic() + 60 * arguments.minutes
    measure_all(arguments.models, arguments.output, arguments.steps)
    if arguments.train:
        config, data = arguments.train
        command = "from socialmd.commands.main import main; main()"
        folder = arguments.output / Path(config).stem
        words = [sys.executable, "-c", command, "train", config, data, folder, "--verbose", "2"]
        try:
            subprocess.run(words, check=True, timeout=max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            print(f"time is up; socialmd train {config} {data} {folder} goes on")


def measure_all(models: Sequence[str], output: Path, steps: int) -> None:
    """Phase after phase, each in a process of its own; what is known is in the files."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "row.json"
        for model in models:
            config, data = load_config(model), Path(folder) / Path(model).stem
            write_short_simulations(config, data)
            for number in range(len(config.training.schedule)):
                case = ["--case", model, str(number), data, "--steps", str(steps)]
                subprocess.run([sys.executable, __file__, found, *case], check=True)
                rows.append(json.loads(found.read_text()))
                write_json(output / f"{NAME}.json", rows)
                write_text(output / f"{NAME}.md", table(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
