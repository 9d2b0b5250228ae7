"""Atoms that are followed through a simulation: one of each molecule, and one at the origin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from socialmd.molecular.frame import AtomLabels, Frame
from socialmd.molecular.mdanalysis import MDAnalysis
from socialmd.molecular.residue_checks import (
    check_compositions,
    check_names,
    check_no_alternate_locations,
    describe_residues,
    repeated_unit,
)
from socialmd.types import Array, IntArray

__all__ = ["ChosenAtoms", "choose_atoms", "find_representatives"]


@dataclass(frozen=True)
class ChosenAtoms:
    """Atoms of the molecules, and which of them are followed.

    Args:
        place: the frame in which they were chosen, for messages.
        labels: of all atoms in this frame.
        atoms: indices of the molecules' atoms, one molecule after the other, [A].
        starts: where each molecule begins in `atoms`, [N].
        representatives: index of the atom nearest to the centre of each molecule, [N].
        core: indices of the atoms that the centre selection found; none without a centre.
        origin: index of the one nearest to their centre, if there is one.
    """

    place: str
    labels: AtomLabels
    atoms: IntArray
    starts: IntArray
    representatives: IntArray
    core: IntArray
    origin: int | None

    @property
    def names(self) -> tuple[str, ...]:
        """Residue name of each molecule."""
        return tuple(map(str, self.labels.resnames[self.representatives]))

    def describe(self, molecule: int) -> str:
        """Name and residue number of a molecule."""
        atom = self.representatives[molecule]
        return f"{self.labels.resnames[atom]} {self.labels.resids[atom]}"


def choose_atoms(
    frame: Frame, selection: str, centre: str | None, names: Sequence[str] | None, place: str
) -> ChosenAtoms:
    """Find the molecules of a frame and choose their representatives (thesis section 3.2).

    Arguments are those of `MoleculeTrajectories`. Refused are selections that find nothing, and
    molecules of other names, of other atoms than those of their name, or of alternate locations.
    """
    universe, labels, _ = frame
    check_no_alternate_locations(universe, place)
    atoms = _select(frame, "selection", selection, place)
    core = np.zeros(0, np.int64) if centre is None else _select(frame, "centre", centre, place)
    atoms = atoms[np.argsort(labels.residues[atoms], kind="stable")]
    starts = np.unique(labels.residues[atoms], return_index=True)[1]
    if len(set(labels.resids[atoms])) == 1:
        starts = _split_by_names(labels.names[atoms], starts)
    groups = np.split(atoms, starts[1:])
    residues = [
        (str(labels.resnames[group[0]]), str(labels.resids[group[0]]), tuple(labels.names[group]))
        for group in groups
    ]
    if names is not None:
        check_names(universe, [name for name, _, _ in residues], names, place)
    check_compositions(residues, place)
    positions = universe.atoms.positions
    origin = find_representatives(positions, core, np.zeros(1, np.int64)) if len(core) else None
    return ChosenAtoms(
        place=place,
        labels=labels,
        atoms=atoms,
        starts=starts,
        representatives=find_representatives(positions, atoms, starts),
        core=core,
        origin=None if origin is None else int(origin[0]),
    )


def _split_by_names(names: Array, starts: IntArray) -> IntArray:
    """Where molecules begin in residues that all have the same number, which says nothing.

    An atom whose name there has been in the molecule begins the next one, if all that become of a
    residue have the same atoms; beads that share a name are none of several molecules.
    """
    found: list[int] = []
    for start, group in zip(starts, np.split(names, starts[1:]), strict=True):
        unit = repeated_unit(tuple(group))
        is_molecule = len(unit) > 1 and len(set(unit)) == len(unit)
        found += range(start, start + len(group), len(unit) if is_molecule else len(group))
    return np.array(found)


def find_representatives(positions: Array, atoms: IntArray, starts: IntArray) -> IntArray:
    """The atom nearest to the geometric centre of each molecule, [N]; the first of equally near.

    Positions are those of all atoms, [all atoms, 3]; `atoms` and `starts` as in `ChosenAtoms`.
    """
    x = positions[atoms].astype(np.float64)  # [A, 3]
    sizes = np.diff(starts, append=len(atoms))  # [N]
    centres = np.add.reduceat(x, starts) / sizes[:, None]  # [N, 3]
    squares = ((x - np.repeat(centres, sizes, axis=0)) ** 2).sum(axis=1)  # [A]
    molecule = np.repeat(np.arange(len(starts)), sizes)
    return atoms[np.lexsort((squares, molecule))[starts]]


def _select(frame: Frame, argument: str, selection: str, place: str) -> IntArray:
    """Indices of the atoms."""
    universe = frame.universe
    odd = [number for number in np.unique(frame.labels.resids) if not re.match(r"-?\d+$", number)]
    if odd and re.search(r"\bres(id|num)\b", selection):
        raise ValueError(
            f"{place}: {argument}: expected a selection without residue numbers, of which not all "
            f"are decimal in the file ({odd[0]}), found {selection!r}"
        )
    try:
        found = universe.select_atoms(selection)
    except (MDAnalysis.exceptions.SelectionError, ValueError) as error:
        raise ValueError(
            f"{argument}: expected a selection of MDAnalysis, found {selection!r}: {error}"
        ) from error
    if not len(found):
        raise ValueError(
            f"{place}: {argument}: expected atoms, found none of {selection!r}; "
            f"residues in the file: {describe_residues(universe)}"
        )
    return np.asarray(found.indices)
