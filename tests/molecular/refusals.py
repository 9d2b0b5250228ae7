"""Runs that succeed, and runs that must not."""

from pathlib import Path

import pytest

from socialmd.molecular.molecule_trajectories import MoleculeTrajectories
from socialmd.molecular.simulation_files import SimulationFiles


def run(source: str | Path, **options: object) -> MoleculeTrajectories:
    options.setdefault("num_workers", 1)
    return MoleculeTrajectories(SimulationFiles.find(source), **options).run()


def refuse(source: str | Path, message: str, **options: object) -> None:
    """Check that a run fails with a message and has no results."""
    options.setdefault("num_workers", 1)
    trajectories = MoleculeTrajectories(SimulationFiles.find(source), **options)
    with pytest.raises(ValueError, match=message):
        trajectories.run()
    assert not hasattr(trajectories, "results")
