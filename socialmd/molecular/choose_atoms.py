"""Atoms that are followed through a simulation: one of each molecule, and one at the origin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socialmd.molecular.atom_labels import AtomLabels
from socialmd.molecular.frame import Frame
from socialmd.molecular.mdanalysis import MDAnalysis
from socialmd.molecular.residue_checks import (
    check_compositions,
    check_names,
    check_no_alternate_locations,
    describe_residues,
    repeated_unit,
)

__all__ = ["ChosenAtoms", "choose_atoms", "find_representatives"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


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

    Args:
        frame: the frame.
        selection: atoms whose residues are the molecules, in MDAnalysis' language.
        centre: atoms of the core, likewise; none if there is no core.
        names: residue names that the molecules may have; any if not given.
        place: file and frame, for messages.

    Returns:
        The choice.

    Raises:
        ValueError: a selection is not valid or finds nothing; molecules have alternate locations,
            other names than given, or other atoms than those of the same name.
    """
    universe, labels, _ = frame
    check_no_alternate_locations(universe, place)
    atoms = _select(frame, "selection", selection, place)
    core = np.zeros(0, np.intp) if centre is None else _select(frame, "centre", centre, place)
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
    origin = None
    if len(core):
        origin = int(find_representatives(positions, core, np.zeros(1, np.intp))[0])
    return ChosenAtoms(
        place=place,
        labels=labels,
        atoms=atoms,
        starts=starts,
        representatives=find_representatives(positions, atoms, starts),
        core=core,
        origin=origin,
    )


def _split_by_names(names: NDArray[Any], starts: IntArray) -> IntArray:
    """Where molecules begin in residues that all have the same number, which says nothing.

    An atom whose name there has been in the molecule begins the next one, if all that become of a
    residue have the same atoms; beads that share a name are none of several molecules.
    """
    found: list[int] = []
    for start, group in zip(starts, np.split(names, starts[1:]), strict=True):
        unit = repeated_unit(tuple(group))
        is_molecule = len(unit) > 1 and len(set(unit)) == len(unit)
        found += range(start, start + len(group), len(unit) if is_molecule else len(group))
    return np.array(found, np.intp)


def find_representatives(positions: NDArray[Any], atoms: IntArray, starts: IntArray) -> IntArray:
    """The atom nearest to the geometric centre of each molecule.

    Args:
        positions: of all atoms, [all atoms, 3].
        atoms: indices of the molecules' atoms, one molecule after the other, [A].
        starts: where each molecule begins in `atoms`, [N].

    Returns:
        Indices of atoms, [N]; the first one of those equally near.

    Example:
        >>> x = np.array([[0.0, 0, 0], [1, 0, 0], [3, 0, 0]])
        >>> find_representatives(x, np.arange(3), np.array([0]))
        array([1])
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
    return found.indices
