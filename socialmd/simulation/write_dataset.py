"""A whole data set of simulations on disk."""

from __future__ import annotations

import json
import re
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from socialmd.config import ExperimentConfig
from socialmd.dataset_folder import (
    DESCRIPTION_FILE,
    checksum,
    describe_dataset,
    read_description,
    save_array,
    simulation_name,
    write_atomically,
)
from socialmd.simulation.forces import total_energy
from socialmd.simulation.simulate import simulate
from socialmd.simulation.threads import map_in_threads

__all__ = ["UNFINISHED_FILE", "write_dataset"]

FloatArray = NDArray[np.float64]

# Lies in the folder until `dataset.json` does; says whose unfinished simulations are in there.
UNFINISHED_FILE = "unfinished.json"


def write_dataset(
    config: ExperimentConfig, directory: str | Path, progress: bool = True
) -> FloatArray:
    """Simulate a data set: `train/`, `validation/`, `test/` and `dataset.json` in one folder.

    Simulations are numbered through the splits in that order. Each is written as soon as it is
    done and whole or not at all, so that an interrupted run, started again, makes only what is
    missing and ends with the same files. A folder that holds anything else is left as it is.

    Args:
        config: its `system` and `simulation` define the data set, down to the last bit on one
            kind of machine.
        directory: the folder; made if there is none.
        progress: show a progress bar.

    Returns:
        Relative change of the total energy from the first to the last frame of each simulation
        that was made, |E_last - E_first| / |E_first|; empty when the data set was complete.

    Raises:
        ValueError: the experiment could not use these simulations, or the folder holds files of
            another origin or configuration, or a file that does not match its checksum. Nothing was
            changed.
        OSError: the folder cannot be written.
        FloatingPointError: a simulation's state is no longer finite. Those made before it stay.

    Example:
        >>> drifts = write_dataset(load_config("models/thesis.toml"), "data/monopoles")
        >>> drifts.shape
        (140,)
    """
    config.check_simulation()
    directory = Path(directory)
    law = config.system.model_dump(mode="json")
    simulation = config.simulation.model_dump(mode="json")
    recipe = _recipe(law, simulation)
    files = _simulation_files(config, directory)
    leftovers = _check_folder(directory, files, recipe)
    missing = [path for path in files if not path.exists()]
    marker = directory / UNFINISHED_FILE
    if not missing and not marker.exists():
        return np.empty(0)

    write_atomically(marker, lambda file: file.write(recipe.encode()))
    for path in leftovers:
        path.unlink()
    drifts = []
    done = len(files) - len(missing)
    with tqdm(total=len(files), initial=done, unit="simulation", disable=not progress) as bar:
        for drift in map_in_threads(lambda path: _make(config, path, files[path]), missing):
            drifts.append(drift)
            bar.update()
    describe_dataset(
        directory,
        features=("x", "y", "mass", "charge"),
        frame_spacing=config.simulation.time_step * config.simulation.keep_every,
        law=law,
        simulation=simulation,
    )
    marker.unlink()
    return np.array(drifts)


def _simulation_files(config: ExperimentConfig, directory: Path) -> dict[Path, int]:
    """Every file of the data set and the number of its simulation."""
    splits = [split for split, count in config.simulation.splits.items() for _ in range(count)]
    return {directory / split / simulation_name(index): index for index, split in enumerate(splits)}


def _make(config: ExperimentConfig, path: Path, index: int) -> float:
    """Simulate and write one file; return the relative change of the energy."""
    frames, velocities = simulate(
        config.system,
        num_simulations=1,
        num_steps=config.simulation.num_steps,
        time_step=config.simulation.time_step,
        keep_every=config.simulation.keep_every,
        seed=config.simulation.seed,
        first_simulation=index,
        return_velocities=True,
        num_threads=1,
    )
    ends = frames[0, [0, -1]]  # [2, N, 4]
    with np.errstate(over="ignore", invalid="ignore"):
        first, last = total_energy(
            config.system, ends[..., :2], velocities[0, [0, -1]], ends[..., 2], ends[..., 3]
        )
        # A single particle at rest has no energy to compare with.
        drift = float(abs(last - first) / max(abs(first), np.finfo(np.float64).tiny))
    if not np.isfinite(drift):
        raise FloatingPointError(
            f"simulation {index} of seed {config.simulation.seed}: energy is not finite"
        )
    save_array(path, frames[0])
    return drift


def _recipe(law: dict[str, Any] | None, simulation: dict[str, Any] | None) -> str:
    return json.dumps({"law": law, "simulation": simulation}, indent=2) + "\n"


def _check_folder(directory: Path, files: dict[Path, int], recipe: str) -> list[Path]:
    """Refuse a folder that is not ours; return what an interrupted write left behind."""
    if not directory.exists():
        return []
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory}: expected a folder, found a file")
    description, marker = directory / DESCRIPTION_FILE, directory / UNFINISHED_FILE
    known = {*files, description, marker}
    # First, because a folder of another configuration may hold other files for that reason.
    if marker.exists():
        _compare(marker, marker.read_text("utf-8"), recipe)
    if description.exists():
        found = read_description(directory)
        _compare(description, _recipe(found.law, found.simulation), recipe)
        _check_sums(directory, files, found.files)

    leftovers = []
    for path in directory.rglob("*"):
        if path in known or path.is_dir():
            continue
        unfinished = re.fullmatch(r"\.(.+)\.\d+\.tmp", path.name)
        if not (unfinished and path.with_name(unfinished[1]) in known):
            raise ValueError(f"{directory}: expected no file of another origin, found {path}")
        leftovers.append(path)
    if not (description.exists() or marker.exists()) and any(path.exists() for path in files):
        raise ValueError(
            f"{directory}: holds simulations, but neither {DESCRIPTION_FILE} nor "
            f"{UNFINISHED_FILE} says how they were made"
        )
    return leftovers


def _compare(path: Path, found: str, recipe: str) -> None:
    for there, here in zip_longest(found.splitlines(), recipe.splitlines(), fillvalue="nothing"):
        if there != here:
            raise ValueError(
                f"{path}: the folder holds simulations of another configuration: "
                f"expected {here.strip(' ,')}, found {there.strip(' ,')}"
            )


def _check_sums(directory: Path, files: dict[Path, int], checksums: dict[str, str]) -> None:
    for path in files:
        expected = checksums.get(path.relative_to(directory).as_posix())
        if path.exists() and checksum(path) != expected:
            raise ValueError(
                f"{path}: differs from its checksum in {DESCRIPTION_FILE}; "
                "delete it to have it simulated again"
            )
