"""Molecular dynamics files -> trajectories of molecules -> a data set (thesis section 3)."""

from socialmd.molecular.followed_simulation import FollowedSimulation as FollowedSimulation
from socialmd.molecular.molecule_trajectories import MoleculeTrajectories as MoleculeTrajectories
from socialmd.molecular.radial_distribution import RadialDistribution as RadialDistribution
from socialmd.molecular.radial_distribution import radial_distribution as radial_distribution
from socialmd.molecular.simulation_files import SimulationFiles as SimulationFiles
from socialmd.molecular.slices import Slice as Slice
from socialmd.molecular.slices import cut_slices as cut_slices
from socialmd.molecular.slices import slice_directions as slice_directions
from socialmd.molecular.split_frames import split_frames as split_frames
from socialmd.molecular.write_molecular_dataset import (
    write_molecular_dataset as write_molecular_dataset,
)
from socialmd.molecular.write_pdb import write_pdb as write_pdb

__all__ = [
    "FollowedSimulation",
    "MoleculeTrajectories",
    "RadialDistribution",
    "SimulationFiles",
    "Slice",
    "cut_slices",
    "radial_distribution",
    "slice_directions",
    "split_frames",
    "write_molecular_dataset",
    "write_pdb",
]
