"""Runs that succeed, and runs that must not."""

from pathlib import Path

import pytest

from socialmd.molecular.molecule_trajectories import MoleculeTrajectories
from socialmd.molecular.simulation_files import SimulationFiles


def trajectories(source: str | Path, **options: object) -> MoleculeTrajectories:
    """In this process if nothing else is said."""
    return MoleculeTrajectories(SimulationFiles.find(source), **{"num_workers": 1, **options})


def run(source: str | Path, **options: object) -> MoleculeTrajectories:
    return trajectories(source, **options).run()


def refuse(source: str | Path, message: str, **options: object) -> None:
    """Check that a run fails with a message and has no results."""
    refused = trajectories(source, **options)
    with pytest.raises(ValueError, match=message):
        refused.run()
    assert not hasattr(refused, "results")
