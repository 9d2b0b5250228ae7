"""How good a model's forecasts are along its training. Run by hand:

    python tests/benchmarks/learning_curve.py models/interaction.toml DATA RUN --output curve.json

The same points as `graph_network.py` gives for a graph network, on the same validation windows: one
after every epoch. Seconds are of processor time in training steps, logs and backups included, but
for those that compile; with one thread (`TF_NUM_INTRAOP_THREADS=1`) they are those of one core. RUN
is where the training itself goes; interrupted, it has to be begun anew.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from socialmd import load_config
from socialmd.data import Windows, read_windows
from socialmd.training import fit
from tests.benchmarks.graph_network import errors, write

OTHER_SECTIONS = {"search"}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", type=Path, help="experiment, a TOML file")
    parser.add_argument("data", type=Path, help="data set, a folder with train/ and validation/")
    parser.add_argument("run", type=Path, help="folder for the training")
    parser.add_argument("--output", type=Path, help="JSON file for settings and curve")
    parser.add_argument("--curve-windows", type=int, default=100)
    arguments = parser.parse_args(argv)
    config = load_config(arguments.config)
    windows = read_windows(arguments.data, "validation", config.data, arguments.curve_windows)
    settings = config.model_dump(mode="json", exclude_none=True, exclude=OTHER_SECTIONS)
    curve = Curve(windows, getattr(config.model, "substeps", None), settings, arguments.output)
    fit(config, arguments.data, arguments.run, [curve], verbose=0)


class Curve(keras.callbacks.Callback):
    """Measures forecasts after every epoch; none of that counts as training."""

    def __init__(
        self, windows: Windows, substeps: int | None, settings: dict[str, Any], output: Path | None
    ) -> None:
        super().__init__()
        self.windows, self.substeps, self.output = windows, substeps, output
        self.report: dict[str, Any] = {"settings": settings, "curve": []}
        self.seconds, self.steps = 0.0, 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.is_compiled = False

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.start = time.process_time()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.steps += 1
        if self.is_compiled:
            self.seconds += time.process_time() - self.start
        self.is_compiled = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        forecast = self.roll_out()
        point = {"seconds": round(self.seconds, 1), "steps": self.steps}
        self.report["curve"].append({**point, **errors(forecast, self.windows)})
        print(json.dumps(self.report["curve"][-1]), flush=True)
        write(self.report, self.output)

    def roll_out(self) -> Any:
        """Forecasts, with as many substeps as forecasts have, whatever training has."""
        model = self.model
        if self.substeps is None:
            return model.rollout(self.windows.past, feedback=model.point_feedback, seed=0)[0]
        of_training = model.cell.substeps
        try:
            model.cell.substeps = self.substeps
            model.__dict__.pop("_compiled_loop", None)
            return model.rollout(self.windows.past, feedback=model.point_feedback, seed=0)[0]
        finally:
            model.cell.substeps = of_training
            model.__dict__.pop("_compiled_loop", None)


if __name__ == "__main__":
    main()
