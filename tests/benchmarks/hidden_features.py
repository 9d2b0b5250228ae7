"""Do hidden states find out what particles are? Run by hand:

    python tests/benchmarks/hidden_features.py models/hidden_features.toml DATA OUTPUT --seeds 3

The thesis supposes (section 4) that an LSTM's state comes to hold what makes its particle move as
it does. So mass and charge are hidden: a model is trained on positions alone, and another one on
all features, with each seed. Then what can a linear map read from h after the last given frame,
fitted to the training split and scored on the test split (R**2, one minus the share of the variance
that is left)? And how much worse are forecasts?

The law is the same if all charges change their signs, so the sign of a charge cannot be known from
motion alone; its magnitude can.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from socialmd import load_config
from socialmd.config import ExperimentConfig
from socialmd.data import read_windows
from socialmd.data.dataset_description import (
    DESCRIPTION_FILE,
    describe_dataset,
    read_description,
    save_array,
)
from socialmd.evaluation import ForecastMetrics
from socialmd.models import InteractionLSTM
from socialmd.training import fit
from tests.benchmarks.graph_network import write


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", type=Path, help="experiment, a TOML file")
    parser.add_argument("data", type=Path, help="data set with mass and charge")
    parser.add_argument("output", type=Path, help="folder for trainings and numbers")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args(argv)
    config = load_config(arguments.config)
    hidden = arguments.output / "positions_only"
    if not (hidden / DESCRIPTION_FILE).is_file():
        hide_features(arguments.data, hidden)
    report: dict[str, Any] = {}
    for seed in range(arguments.seeds):
        training = config.training.model_copy(update={"seed": seed})
        of_seed = config.model_copy(update={"training": training})
        for name, data in (("told", arguments.data), ("hidden", hidden)):
            model = fit(of_seed, data, arguments.output / f"{name}_{seed}", verbose=0)
            numbers = {
                **forecast_errors(model, of_seed, data),
                **probe(model, of_seed, data, arguments.data),
            }
            report[f"{name}_{seed}"] = numbers
            print(name, seed, json.dumps(numbers), flush=True)
            write(report, arguments.output / "hidden_features.json")


def hide_features(data: Path, output: Path) -> None:
    """The same trajectories without all that is not a coordinate."""
    description = read_description(data)
    for name in description.files:
        save_array(output / name, np.load(data / name)[..., :2])
    describe_dataset(output, features=("x", "y"), frame_spacing=description.frame_spacing)


def forecast_errors(
    model: InteractionLSTM, config: ExperimentConfig, data: Path
) -> dict[str, float]:
    windows = read_windows(data, "test", config.data)
    positions, _ = model.rollout(windows.past, feedback=model.point_feedback, seed=0)
    metrics = ForecastMetrics.from_arrays(windows.truth, positions)
    return {"mae": metrics.mae, "median": metrics.median_error}


def probe(
    model: InteractionLSTM, config: ExperimentConfig, data: Path, with_features: Path
) -> dict[str, float]:
    """R**2 on the test split of a linear map from h, by what is read."""
    hidden, known = {}, {}
    for split in ("train", "test"):
        hidden[split] = hidden_states(model, read_windows(data, split, config.data).inputs)
        static = read_windows(with_features, split, config.data).inputs[:, -1, :, 2:]
        known[split] = static.reshape(-1, 2)
    scores = {}
    for name, read in (
        ("mass", lambda static: static[:, 0]),
        ("charge", lambda static: static[:, 1]),
        ("magnitude of charge", lambda static: np.abs(static[:, 1])),
        ("charge squared / mass", lambda static: static[:, 1] ** 2 / static[:, 0]),
    ):
        line = Ridge(1e-3).fit(hidden["train"], read(known["train"]))
        scores[f"R2 of {name}"] = float(line.score(hidden["test"], read(known["test"])))
    return scores


def hidden_states(model: InteractionLSTM, inputs: NDArray[Any]) -> NDArray[Any]:
    """h after the last given frame, [W N, H]."""
    parts = []
    for start in range(0, len(inputs), 50):
        (_, _, (hidden, _), _), _ = model._warm_up(*model._unpack(inputs[start : start + 50]))
        parts.append(keras.ops.convert_to_numpy(hidden).reshape(-1, hidden.shape[-1]))
    return np.concatenate(parts)


if __name__ == "__main__":
    main()
