"""What logging costs a training: each step, and at the end of each epoch. Run by hand:

    python tests/benchmarks/tensorboard_log.py                        # a small and a real model
    python tests/benchmarks/tensorboard_log.py --models thesis small  # any in models/

The same training steps without a log, with ours, and with what is often done instead: Keras' own
callback for every step, and with histograms of the weights. All in one process, in short turns, so
that whatever else the machine does strikes all alike. Times are medians; ratios are to no log.
Where others use the machine, too, the first deciles of the times say more.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from socialmd.config import ExperimentConfig, load_config
from socialmd.data import Windows
from socialmd.models import build_model
from socialmd.simulation import simulate
from socialmd.training import TensorBoardLog, compile_model
from socialmd.training.training_backup import build_state

MODELS = Path(__file__).parents[2] / "models"
SMALL = {  # of a few milliseconds a step
    "system": {"num_particles": 4},
    "data": {"target_steps": 5},
    "model": {"grid_sizes": [], "units": 16, "embedding_dim": 8},
    "training": {"batch_size": 8},
}


class Clock(keras.callbacks.Callback):
    """Two of them, one called first and one last: seconds of steps and of ends of epochs."""

    def __init__(self, first: Clock | None = None) -> None:
        super().__init__()
        self.first = first
        self.start = 0.0
        self.steps: list[float] = []
        self.ends: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self.first is None:
            self.start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.first is not None and batch > 0:  # the first one also starts the data set
            self.steps.append(time.perf_counter() - self.first.start)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.first is None:
            self.start = time.perf_counter()
        else:
            self.ends.append(time.perf_counter() - self.first.start)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=["small", "quickstart"])
    parser.add_argument("--steps", type=int, default=6, help="of each turn")
    parser.add_argument("--turns", type=int, default=9, help="the first one only compiles")
    arguments = parser.parse_args(argv)
    for name in arguments.models:
        config = (
            ExperimentConfig.model_validate(SMALL)
            if name == "small"
            else load_config(MODELS / f"{name}.toml")
        )
        with tempfile.TemporaryDirectory() as folder:
            clocks = measure(config, Path(folder), arguments.steps, arguments.turns)
        plain = np.quantile(clocks["no log"].steps, (0.5, 0.1))
        print(f"\n{name}: {1e3 * plain[0]:.2f} ms a step, medians of {len(clocks['no log'].steps)}")
        for log, clock in clocks.items():
            step, end = np.quantile(clock.steps, (0.5, 0.1)), np.median(clock.ends)
            ratio = step / plain
            print(
                f"    {log:<34} {ratio[0]:5.3f} times, {1e3 * (step - plain)[0]:+8.2f} ms a step "
                f"(first deciles {ratio[1]:5.3f} times); end of an epoch {1e3 * end:5.0f} ms"
            )


def measure(config: ExperimentConfig, folder: Path, steps: int, turns: int) -> dict[str, Clock]:
    """Steps of every training, and ends of epochs, by what logs it."""
    windows = systems(config)
    logs: dict[str, list[keras.callbacks.Callback]] = {
        "no log": [],
        "TensorBoardLog": [TensorBoardLog(folder / "ours", windows)],
        "keras TensorBoard(update_freq=1)": [
            keras.callbacks.TensorBoard(str(folder / "keras"), update_freq=1, write_graph=False)
        ],
        "the same with histogram_freq=1": [
            keras.callbacks.TensorBoard(
                str(folder / "histograms"), update_freq=1, histogram_freq=1, write_graph=False
            )
        ],
    }
    batch = tf.data.Dataset.from_tensors((windows.inputs, windows.truth)).repeat(steps)
    models = {name: prepared(config, windows) for name in logs}
    firsts, lasts = {name: Clock() for name in logs}, {}
    for turn in range(turns):
        for name, model in models.items():
            if turn <= 1:
                lasts[name] = Clock(firsts[name])  # anew after the first turn, which compiles
            model.fit(
                batch,
                initial_epoch=turn,
                epochs=turn + 1,
                verbose=0,
                callbacks=[firsts[name], *logs[name], lasts[name]],
            )
    return lasts


def prepared(config: ExperimentConfig, windows: Windows) -> Any:
    """A model that is ready to train, always the same."""
    keras.utils.set_random_seed(0)
    model = build_model(config)
    model.build(windows.inputs.shape)
    model.adapt([(windows.inputs, windows.truth)])
    compile_model(model, config.training)
    build_state(model, windows.truth, model(windows.inputs))
    return model


def systems(config: ExperimentConfig) -> Windows:
    """One batch of simulated trajectories."""
    size, data = config.training.batch_size, config.data
    every = config.simulation.keep_every * data.subsample // 10
    frames = simulate(config.system, size, data.window * every, 1e-6, every, seed=0)
    frames = frames[:, : data.window].astype("float32")
    past, future = np.split(frames, [data.input_steps], axis=1)
    return Windows(past, future[..., :2], np.arange(size))


if __name__ == "__main__":
    main()
