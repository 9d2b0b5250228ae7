"""Is a hybrid of known springs and learned forces better than what has to learn all? Run by hand:

    python tests/benchmarks/strands.py models/strands.toml DATA OUTPUT

DATA are particles on strands, as `socialmd simulate strands DATA` makes them. Trained on them, with
each seed and without the phase of marginal densities, are

    known       the hybrid: springs as they are, forces between particles learned
    learned     the constants of the springs too, from others (stiffness 0.3, rest length 0.7,
                damping 3 times what they are)
    none        positions alone, as if there were no strands

Errors are those of the test split; the last forecast is the true law with friction, without noise.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from socialmd import load_config
from socialmd.config import ExperimentConfig
from socialmd.data import read_windows
from socialmd.data.dataset_description import read_description
from socialmd.data.feature_layout import ANCHOR
from socialmd.evaluation import ConstantVelocity, ForecastMetrics, KnownData, KnownLaw
from socialmd.models import InteractionLSTM
from socialmd.training import fit
from tests.benchmarks.graph_network import write
from tests.benchmarks.hide_block import hide_block

KINDS = ("known", "learned", "none")
OFF = {"stiffness": 0.3, "rest_length": 0.7, "damping": 3.0}
INTEGRATION_STEPS = 200


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", type=Path, help="experiment, a TOML file")
    parser.add_argument("data", type=Path, help="data set with anchors")
    parser.add_argument("output", type=Path, help="folder for trainings and numbers")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--models", nargs="+", choices=KINDS, default=list(KINDS))
    arguments = parser.parse_args(argv)
    config = load_config(arguments.config)
    hidden = arguments.output / "positions_only"
    if not hidden.is_dir():
        hide_block(arguments.data, hidden, ANCHOR)
    file = arguments.output / "strands.json"
    report: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    report |= simple_errors(config, arguments.data)
    for seed in range(arguments.seeds):
        for name in arguments.models:
            data = hidden if name == "none" else arguments.data
            of_model = with_springs(config, name, seed)
            model = fit(of_model, data, arguments.output / f"{name}_{seed}", verbose=0)
            windows = read_windows(data, "test", of_model.data)
            positions, _ = model.rollout(windows.past, feedback="mean", seed=0)
            report[f"{name}_{seed}"] = errors(windows.truth, positions) | constants(model)
            print(name, seed, json.dumps(report[f"{name}_{seed}"]), flush=True)
            write(report, file)


def with_springs(config: ExperimentConfig, kind: str, seed: int) -> ExperimentConfig:
    tables = config.model_dump()
    springs = tables["model"]["restraints"]
    if kind == "learned":
        for name, factor in OFF.items():
            springs[name] *= factor
        springs["learned"] = True
    elif kind == "none":
        tables["model"]["restraints"] = None
    phases = tables["training"]["phases"]
    tables["training"] |= {
        "seed": seed,
        "phases": [phase for phase in phases if phase["feedback"] == "truth"],
    }
    return ExperimentConfig.model_validate(tables)


def errors(truth: Any, positions: Any) -> dict[str, float]:
    metrics = ForecastMetrics.from_arrays(truth, positions)
    return {"mae": metrics.mae, "median": metrics.median_error, "fde": metrics.fde}


def constants(model: InteractionLSTM) -> dict[str, list[float]]:
    """Of springs that are learned, of a mean particle."""
    if model.restraints is None or not model.restraints.learned:
        return {}
    springs = model.restraints(np.zeros((1, 1, model.cell.feature_mean.shape[0]), "float32"))
    return {"stiffness, rest length, damping": np.asarray(springs).ravel().tolist()}


def simple_errors(config: ExperimentConfig, data: Path) -> dict[str, Any]:
    description = read_description(data)
    windows = read_windows(data, "test", config.data)
    dims, steps = description.spatial_dims, config.data.target_steps
    known = KnownLaw.for_data(
        KnownData(steps, dims, None, description, description.frame_spacing * config.data.subsample)
    )
    known.integration_steps = INTEGRATION_STEPS
    forecasters = {"constant velocity": ConstantVelocity(dims), "known law": known}
    found = {
        name: errors(windows.truth, each.rollout(windows.past, steps)[0])
        for name, each in forecasters.items()
    }
    print(json.dumps(found, indent=2), flush=True)
    return found


if __name__ == "__main__":
    main()
