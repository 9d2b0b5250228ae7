"""What is lost if nobody says which way particles point? Run by hand:

    python tests/benchmarks/hidden_orientations.py models/hidden_orientations.toml DATA OUTPUT \\
        --told dipoles --models hidden forgetful

The thesis takes molecules as points (section 2.6, the monopole approximation) and supposes that an
LSTM's state comes to hold what else moves its particle. DATA are dipoles, as `socialmd simulate
dipoles DATA` makes them. Trained on them are

    hidden      positions alone; forces along the line between two particles, from what is known of
                them and remembered
    on grids    likewise, with forces in any direction
    forgetful   as hidden, and nothing is remembered: the monopole approximation

with each seed, beside the true law, the true law of charges and masses alone, and a model that is
told orientations (`--told`). Then how large are errors of positions on the test split? And what can
a linear map read from h after the last given frame of where a particle points, fitted to the
training split (R**2 on the test split, of the unit vector's components)?

Last, by what distance is a charge all that matters? At each, the root mean square of what dipoles
add to the force between two particles of DATA, by that of all of it (section 2.6.1).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from socialmd import load_config
from socialmd.config import ExperimentConfig, ManyBodySystem
from socialmd.data import load_trajectories, read_windows
from socialmd.data.dataset_description import read_description
from socialmd.data.feature_layout import ORIENTATION
from socialmd.evaluation import ForecastMetrics, KnownLaw, angles_between
from socialmd.models import ForecastModel, InteractionLSTM, load
from socialmd.simulation import accelerations, layout_of_law
from socialmd.training import fit
from tests.benchmarks.graph_network import write
from tests.benchmarks.hidden_features import hidden_states
from tests.benchmarks.hide_block import hide_block

CHANGES: dict[str, dict[str, Any]] = {
    "hidden": {},
    "on grids": {"filter": "grid"},
    "forgetful": {"units": 0, "memory_in_law": False},
}
INTEGRATION_STEPS = 200
DISTANCES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", type=Path, help="experiment, a TOML file")
    parser.add_argument("data", type=Path, help="data set with orientations")
    parser.add_argument("output", type=Path, help="folder for trainings and numbers")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--models", nargs="+", choices=CHANGES, default=list(CHANGES))
    parser.add_argument("--told", help="a model that is told orientations, such as dipoles")
    arguments = parser.parse_args(argv)
    config = load_config(arguments.config)
    hidden = arguments.output / "positions_only"
    if not hidden.is_dir():
        hide_block(arguments.data, hidden, ORIENTATION)
    file = arguments.output / "hidden_orientations.json"
    report: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    report["share of dipoles"] = share_of_dipoles(arguments.data)
    report |= true_laws(config, arguments.data)
    print(json.dumps(report, indent=2), flush=True)
    if arguments.told:
        report["told"] = forecast_errors(load(arguments.told), config, arguments.data)
        write(report, file)
    for seed in range(arguments.seeds):
        for name in arguments.models:
            of_model = with_changes(config, CHANGES[name], seed)
            model = fit(of_model, hidden, arguments.output / f"{name}_{seed}", verbose=0)
            numbers = forecast_errors(model, of_model, hidden)
            if model.cell.units:
                numbers |= probe(model, of_model, hidden, arguments.data)
            report[f"{name}_{seed}"] = numbers
            print(name, seed, json.dumps(numbers), flush=True)
            write(report, file)


def with_changes(config: ExperimentConfig, changes: dict[str, Any], seed: int) -> ExperimentConfig:
    tables = config.model_dump()
    tables["model"] |= changes
    tables["training"]["seed"] = seed
    if not tables["model"]["units"]:  # nothing is frozen that is not there
        for phase in tables["training"]["phases"]:
            phase["frozen"] = [name for name in phase["frozen"] if name != "lstm"]
    return ExperimentConfig.model_validate(tables)


def forecast_errors(model: ForecastModel, config: ExperimentConfig, data: Path) -> dict[str, float]:
    windows = read_windows(data, "test", config.data)
    poses, _ = model.rollout(windows.past, feedback=model.point_feedback, seed=0)
    dims = model.spatial_dims
    metrics = ForecastMetrics.from_arrays(windows.truth, poses[..., :dims])
    found = {"mae": metrics.mae, "median": metrics.median_error, "fde": metrics.fde}
    if model.orientation:
        angles = angles_between(poses[..., dims:], windows.orientations)
        found |= {"degrees": float(angles.mean()), "median degrees": float(np.median(angles))}
    return found


def true_laws(config: ExperimentConfig, data: Path) -> dict[str, dict[str, float]]:
    """Errors of the law that made the data, and of the same without dipoles."""
    description = read_description(data)
    windows, dims = read_windows(data, "test", config.data), description.spatial_dims
    spacing = description.frame_spacing * config.data.subsample
    system = ManyBodySystem.model_validate(description.law)
    points = system.model_copy(update={"dipole_range": (0.0, 0.0)})
    found = {}
    for name, law in (("true law", system), ("true law of charges alone", points)):
        columns = [description.layout.given.features.index(f) for f in layout_of_law(law).features]
        forecast, _ = KnownLaw(law, spacing, INTEGRATION_STEPS).rollout(
            windows.inputs[..., columns], config.data.target_steps
        )
        metrics = ForecastMetrics.from_arrays(windows.truth, forecast[..., :dims])
        found[name] = {"mae": metrics.mae, "median": metrics.median_error, "fde": metrics.fde}
    return found


def probe(
    model: InteractionLSTM, config: ExperimentConfig, data: Path, with_orientations: Path
) -> dict[str, float]:
    """R**2 on the test split of a linear map from h."""
    hidden, known = {}, {}
    for split in ("train", "test"):
        hidden[split] = hidden_states(model, read_windows(data, split, config.data).inputs)
        last = read_windows(with_orientations, split, config.data).inputs[:, -1]
        known[split] = last[..., -model.spatial_dims :].reshape(-1, model.spatial_dims)
    line = Ridge(1e-3).fit(hidden["train"], known["train"])
    return {"R2 of orientation": float(line.score(hidden["test"], known["test"]))}


def share_of_dipoles(data: Path) -> dict[str, float]:
    """By distance, what a charge and mass do not tell of the force, root mean square."""
    description = read_description(data)
    system = ManyBodySystem.model_validate(description.law)
    particles: NDArray[Any] = load_trajectories(data / "test").frames[:, 0]
    first, second = particles[:, :-1].reshape(-1, particles.shape[-1]), particles[:, 1:]
    second = second.reshape(first.shape)
    find = description.layout.columns
    masses, charges, moments = (
        np.concatenate([each[:, find(name=name)] for each in (first, second)], axis=1)
        for name in ("mass", "charge", "dipole_moment")
    )
    turned = np.stack([each[:, find(name=ORIENTATION)] for each in (first, second)], axis=1)
    directions = np.random.default_rng(0).normal(size=(len(first), system.spatial_dims))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    shares = {}
    for distance in DISTANCES:
        positions = np.stack([np.zeros_like(directions), distance * directions], axis=1)
        whole = accelerations(system, positions, masses, charges, moments[..., None] * turned)
        point = accelerations(system, positions, masses, charges)
        left, size = (np.sqrt(np.mean(np.square(each))) for each in (whole - point, whole))
        shares[f"{distance:g}"] = float(left / size)
    return shares


if __name__ == "__main__":
    main()
