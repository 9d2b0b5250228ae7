"""A public benchmark in one command: data, training, the protocol's metric, the table.

    socialmd benchmark NAME --output DIR [--model CONFIG] [--seeds 3]
    socialmd benchmark NAME --output DIR --score FORECASTS.npy

Simulates the benchmark's data, trains a model of ours on them, once for each seed, and measures it
beside what others have published. Forecasts that are not ours take part as an array [W, T', N, D]
of the test split's windows, or samples [S, W, T', N, D]; nothing is trained then. What is done is
not done again, so an interrupted run can be started anew. In the output folder arise

    data/             the data set
    given.npy         what is given of each window of the test split, [W, T, N, F]
    seed_K/           trainings
    benchmark.md      the table, with what was quoted, what was computed and what was trained
    benchmark.json    every number
    errors.png        errors by steps ahead
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from socialmd.commands.command_line import (
    CONFIGURATION,
    add_seeds,
    add_verbose,
    make_parser,
    parse_first,
    run_command,
    run_script,
)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("benchmark", __doc__)
    parser.add_argument("name", help="of the benchmark, or `list`, to see all")
    parser.add_argument("--output", type=Path, help="folder to write to")
    parser.add_argument(
        "--model", metavar="CONFIG", help=f"{CONFIGURATION}, of which [model] and [training] count"
    )
    parser.add_argument(
        "--score", type=Path, metavar="FORECASTS", help="somebody's forecasts, a .npy file"
    )
    add_seeds(parser)
    add_verbose(parser, 2)
    return parser.parse_args(argv)


parse_first(__name__, _parse)  # what follows takes seconds to import

import numpy as np

from socialmd import load_config
from socialmd.benchmarks import (
    ACCURACY,
    Benchmark,
    BenchmarkReport,
    benchmark_names,
    leak_test,
    pair_accuracy,
    read_benchmark,
    trivial_forecasts,
)
from socialmd.config import ExperimentConfig
from socialmd.config.load_config import save_config
from socialmd.data import Trajectories, load_trajectories
from socialmd.data.dataset_description import read_description, save_array
from socialmd.data.windows import Windows, cut_windows
from socialmd.evaluation.baselines import KnownData, make_baselines
from socialmd.files import read_json, write_json
from socialmd.models import ForecastModel, load
from socialmd.run_apart import run_apart
from socialmd.simulation import law_of
from socialmd.training import fit
from socialmd.training.device import gpu_names
from socialmd.types import Array, FloatArray

NUM_SAMPLES = 5  # of GeoTDM's protocol
DURATION, RESULT = "duration.json", "result.json"


@dataclass
class Task:
    """What is measured, on which data."""

    benchmark: Benchmark
    config: ExperimentConfig
    output: Path

    @property
    def data(self) -> Path:
        """Folder of the data set."""
        return self.output / "data"

    @cached_property
    def test(self) -> Trajectories:
        """The test split."""
        return load_trajectories(self.data / "test", self.config.data.minimum_frames)

    @cached_property
    def train(self) -> Trajectories:
        """The training split."""
        return load_trajectories(self.data / "train", self.config.data.minimum_frames)

    @cached_property
    def windows(self) -> Windows:
        """The test split's."""
        return cut_windows(self.test, self.config.data)

    def score(self, forecasts: Any) -> dict[str, float]:
        """The protocol's numbers."""
        return self.benchmark.protocol.score(forecasts, self.truth, self.spans)

    @cached_property
    def truth(self) -> Any:
        """What is to be forecast: places, [W, T', N, D], and velocities, [W, T', N, 2 D]."""
        windows = self.windows
        if not self.benchmark.protocol.of_velocities:
            return windows.truth
        return np.concatenate([windows.truth, windows.velocities], axis=-1)

    @cached_property
    def kinds(self) -> Array | None:
        """Which pairs attract each other or are tied, [W, N, N], if models are not told."""
        layout, frames = self.test.description.layout, self.test.frames
        first = frames[self.windows.simulations, 0]  # [W, N, F]
        if "bonds" in self.config.simulation.hidden:
            return first[..., layout.columns(name="bonds")] > 0
        if "charge" in self.config.simulation.hidden:
            charges = first[..., layout.find("charge")]
            return charges[:, :, None] * charges[:, None] < 0
        return None

    @cached_property
    def spans(self) -> FloatArray:
        """Largest minus smallest place and velocity in the training split, if both are forecast.

        In as many frames of it as are given: NRI's has no others.
        """
        if not self.benchmark.protocol.of_velocities:
            return np.ones(1)
        layout = self.train.description.layout
        frames = self.train.frames[:, : self.config.data.input_steps]
        blocks = [*range(layout.spatial_dims)], layout.velocity
        spans = [np.ptp(frames[..., columns]) for columns in blocks]
        return np.repeat(spans, layout.spatial_dims)


def main(argv: Sequence[str] | None = None) -> None:
    """Simulate, train, measure and compare."""
    arguments = _parse(argv)
    if arguments.name == "list":
        for name in benchmark_names():
            print(f"{name:20} {read_benchmark(name).title}")
        return
    if arguments.output is None:
        raise ValueError("--output: expected a folder to write to, found none")
    task = Task(
        read_benchmark(arguments.name),
        _experiment(arguments.name, arguments.model),
        arguments.output,
    )
    settings = task.output / "benchmark.toml"
    save_config(task.config, settings)
    run_command("simulate", settings, task.data)

    save_array(task.output / "given.npy", task.windows.inputs)
    computed, curves = _measure_baselines(task)
    task.__dict__.pop("train", None)  # of the largest benchmarks gigabytes, which trainings need
    ours: dict[str, list[dict[str, Any]]] = {}
    if arguments.score is not None:
        forecasts = np.load(arguments.score)
        ours[arguments.score.stem] = [task.score(forecasts)]
        curves |= {arguments.score.stem: _by_step(forecasts, task.windows)}
    else:
        for seed in range(arguments.seeds):
            for name, result in _train_and_measure(task, seed, arguments.verbose).items():
                ours.setdefault(name, []).append(result)
        curves |= {name: np.mean([r["by_step"] for r in seeds], 0) for name, seeds in ours.items()}
    report = BenchmarkReport(task.benchmark, computed, ours, _checksum(task.data))
    report.write(task.output, curves)
    print(f"\nTable in {task.output / 'benchmark.md'}, numbers in benchmark.json there")


def _experiment(name: str, model: str | None) -> ExperimentConfig:
    """The benchmark's configuration, with another's model if one is given."""
    config = load_config(read_benchmark(name).configuration)
    if model is None:
        return config
    other = load_config(model)
    data = other.data.model_copy(
        update={
            key: getattr(config.data, key)
            for key in ("subsample", "num_phases", "input_steps", "target_steps")
        }
    )
    return ExperimentConfig(
        system=config.system,
        simulation=config.simulation,
        data=data,
        model=other.model,
        training=other.training,
    )


# === Forecasts that learn nothing ===


def _measure_baselines(task: Task) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    """Numbers, and errors by step, of forecasts that learn nothing."""
    forecasts = _trivial(task)
    computed = {name: task.score(found) for name, found in forecasts.items()}
    return computed, {name: _by_step(found, task.windows) for name, found in forecasts.items()}


def _trivial(task: Task) -> dict[str, Any]:
    """Forecasts that learn nothing, by their names."""
    windows, description, config = task.windows, task.test.description, task.config.data
    spacing = description.frame_spacing * config.subsample
    if windows.velocities is None:
        known = KnownData(config.target_steps, description.spatial_dims, None, description, spacing)
        return {
            name: baseline.rollout(windows.past, config.target_steps)[0]
            for name, baseline in make_baselines(known)[0].items()
        }
    train = cut_windows(task.train, config)
    found = trivial_forecasts(windows, train, description.layout, spacing, law_of(description))
    wanted = task.truth.shape[-1]
    return {name: forecast[..., :wanted] for name, forecast in found.items()}


def _by_step(forecasts: Any, windows: Windows, average: Any = np.mean) -> list[float]:
    """Mean distance from the truth at each step ahead, over samples if there are several."""
    dims = windows.truth.shape[-1]
    distances = np.linalg.norm(np.asarray(forecasts)[..., :dims] - windows.truth, axis=-1)
    distances = distances.reshape(-1, *distances.shape[-2:])  # [W, T', N], samples side by side
    return np.asarray(average(distances, axis=(0, 2))).tolist()


def _checksum(data: Path) -> str:
    """One of all files of the test split."""
    files = read_description(data).files
    listed = [f"{name} {files[name]}\n" for name in sorted(files) if name.startswith("test/")]
    return hashlib.sha256("".join(listed).encode()).hexdigest()


# === Ours ===


def _train_and_measure(task: Task, seed: int, verbose: int) -> dict[str, dict[str, Any]]:
    """Numbers of one training, by the name of what is forecast; it is continued if it was cut."""
    folder = task.output / f"seed_{seed}"
    if not (folder / RESULT).is_file():
        training = task.config.training.model_copy(update={"seed": seed})
        config = task.config.model_copy(update={"training": training})
        if run_apart(_train, config, task.data, folder, verbose):
            raise RuntimeError(f"{folder}: the training failed, the reason is above")
        write_json(folder / RESULT, _measure(task, folder))
    result: dict[str, dict[str, Any]] = read_json(folder / RESULT)
    return result


def _train(config: ExperimentConfig, data: Path, folder: Path, verbose: int) -> None:
    """Train, and add up for how long; what was killed leaves no time behind."""
    spent = folder / DURATION
    before = read_json(spent)["seconds"] if spent.is_file() else 0.0
    begun = time.monotonic()
    try:
        fit(config, data, folder, verbose=verbose)
    finally:
        if folder.is_dir():
            write_json(spent, {"seconds": before + time.monotonic() - begun})


def _measure(task: Task, folder: Path) -> dict[str, dict[str, Any]]:
    model: ForecastModel = load(folder)
    windows, config = task.windows, task.config.data
    how: dict[str, Any] = {"num_steps": config.target_steps, "seed": 0}
    begun = time.monotonic()
    if task.benchmark.protocol.of_velocities:
        trajectory = np.concatenate(model.trajectory(windows.past, config.target_steps), axis=-1)
    else:
        trajectory = model.rollout(windows.past, feedback=model.point_feedback, **how)[0]
    seconds = (time.monotonic() - begun) / len(trajectory)
    kind: str = task.config.model.kind
    forecasts = {kind: trajectory}
    draws = "conditional" in model.densities and _draws(task.config)
    if draws and not task.benchmark.protocol.of_velocities:
        forecasts[f"{kind}, {NUM_SAMPLES} futures"] = model.rollout(
            windows.past, feedback="sample", num_samples=NUM_SAMPLES, **how
        )[0]
    leak = leak_test(model, task.test, config)
    told = {}
    if getattr(model, "bonds", None) == "inferred" and task.kinds is not None:
        told = {ACCURACY: pair_accuracy(model.infer_bonds(windows.past), task.kinds)}
    return {
        name: {
            **task.score(found),
            **told,
            "by_step": _by_step(found, windows),
            "median_by_step": _by_step(found, windows, np.median),
            "leak": leak,
            "seconds_to_train": read_json(folder / DURATION)["seconds"],
            "seconds_per_forecast": seconds,
            "parameters": model.num_trainable_parameters,
            "hardware": _hardware(),
        }
        for name, found in forecasts.items()
    }


def _draws(config: ExperimentConfig) -> bool:
    """Whether a phase of the training is about what futures are drawn from."""
    return any(
        phase.loss == "energy_score"
        or (phase.feedback == "truth" and phase.loss == "negative_log_likelihood")
        for phase in config.training.schedule
    )


def _hardware() -> str:
    """The processor, how many of its cores this process may use, and GPUs."""
    found, cpus = None, Path("/proc/cpuinfo")
    if cpus.is_file():
        found = re.search(r"^model name\s*: (.+)$", cpus.read_text(), re.MULTILINE)
    name = found[1] if found else platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ", ".join([f"{cores} cores of {name}", *gpu_names()])


if __name__ == "__main__":
    run_script(main)
