"""A whole data set of simulations on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from socialmd.config import ExperimentConfig
from socialmd.data.dataset_description import file_names
from socialmd.data.dataset_writer import DatasetWriter
from socialmd.shard import Shard
from socialmd.simulation.forces import layout_of_law, total_energy
from socialmd.simulation.integrate import TimeSteps, map_in_threads
from socialmd.simulation.simulate_systems import simulate_one
from socialmd.types import FloatArray

__all__ = ["simulation_writer", "write_dataset"]


def write_dataset(
    config: ExperimentConfig,
    directory: str | Path,
    progress: bool = True,
    shard: Shard | None = None,
) -> FloatArray:
    """Simulate a data set: `train/`, `validation/`, `test/` and `dataset.json` in one folder.

    Simulations are numbered through the splits in that order. Each is written as soon as it is
    done and whole or not at all, so that an interrupted run, started again, makes only what is
    missing and ends with the same files.

    Several processes may share the work, each with a shard of its own, at the same time or one
    after the other, on machines that share a file system with hard links. Whichever finds all
    simulations there writes `dataset.json`.

    Args:
        config: its `system` and `simulation` define the data set, down to the last bit on one
            kind of machine.
        directory: the folder; made if there is none.
        progress: show a progress bar.
        shard: make its simulations only; all of them if not given.

    Returns:
        Relative change of the total energy from the first to the last frame of each simulation
        that was made, |E_last - E_first| / |E_first|; empty when there was none left to make.

    Raises:
        ValueError: the experiment could not use these simulations, or the folder holds files of
            another origin or configuration, or a file that does not match its checksum. Nothing was
            changed.
        OSError: the folder cannot be written.
        FloatingPointError: a simulation's state is no longer finite. Those made before it stay.

    Example:
        >>> drifts = write_dataset(load_config("thesis"), "data/monopoles")
        >>> drifts.shape
        (140,)
    """
    config.check_simulation()
    layout = layout_of_law(config.system, config.simulation.velocities)
    try:
        layout = layout.hiding(*config.simulation.hidden)
    except ValueError as error:
        raise ValueError(f"simulation.{error}") from None
    writer = simulation_writer(config, directory)
    if writer.check():
        return np.empty(0)

    missing = set(writer.missing())
    writer.begin(is_alone=shard is None)
    own = [index for index in range(len(writer.files)) if (shard or Shard()).takes(index)]
    todo = [index for index in own if writer.files[index] in missing]
    done = len(own) - len(todo)
    drifts = []
    with tqdm(total=len(own), initial=done, unit="simulation", disable=not progress) as bar:
        for drift in map_in_threads(lambda index: _make(config, writer, index), todo):
            drifts.append(drift)
            bar.update()
    if not writer.missing():
        writer.complete(
            **writer.recipe,
            layout=layout,
            frame_spacing=config.simulation.time_step * config.simulation.keep_every,
        )
    return np.array(drifts)


def simulation_writer(config: ExperimentConfig, directory: str | Path) -> DatasetWriter:
    """What knows which simulations of an experiment are missing in a folder."""
    recipe = {
        "law": config.system.describe(),
        "simulation": config.simulation.describe(),
    }
    return DatasetWriter(directory, recipe, file_names(config.simulation.splits))


def _make(config: ExperimentConfig, writer: DatasetWriter, index: int) -> float:
    """Simulate and write one file; return the relative change of the energy."""
    law, given = config.system, config.simulation
    steps = TimeSteps(given.num_steps, given.time_step, given.keep_every)
    frames, velocities, rotors = simulate_one(law, steps, given.seed, index, given.discard_frames)
    ends, dims = frames[[0, -1]], law.spatial_dims  # [2, N, F]
    if rotors is not None:
        rotors = rotors._replace(
            orientations=rotors.orientations[[0, -1]], spins=rotors.spins[[0, -1]]
        )
    with np.errstate(over="ignore", invalid="ignore"):
        first, last = total_energy(
            law,
            ends[..., :dims],
            velocities[[0, -1]],
            ends[..., dims],
            ends[..., dims + 1],
            rotors,
            None if law.strands is None else ends[..., dims + 2 :],
            ends[..., dims + 2 :] if law.has_springs else None,
        )
        # A single particle at rest has no energy to compare with.
        drift = float(abs(last - first) / max(abs(first), np.finfo(np.float64).tiny))
    if not np.isfinite(drift):
        raise FloatingPointError(f"simulation {index} of seed {given.seed}: energy is not finite")
    if given.velocities:
        frames = np.concatenate([frames, velocities], axis=-1)
    writer.save(writer.files[index], frames)
    return drift
