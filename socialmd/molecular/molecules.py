"""Which atoms of a simulation are followed: one of each molecule, and one at the origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socialmd.molecular.atom_labels import AtomLabels
from socialmd.molecular.check_molecules import (
    check_compositions,
    check_names,
    check_no_alternate_locations,
    describe_residues,
)
from socialmd.molecular.mdanalysis import MDAnalysis

__all__ = ["Molecules", "choose_molecules", "find_representatives"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class Molecules:
    """Atoms of the molecules, and which of them are followed.

    Args:
        place: the frame in which they were chosen, for messages.
        labels: of all atoms in this frame.
        atoms: indices of the molecules' atoms, one molecule after the other, [A].
        starts: where each molecule begins in `atoms`, [N].
        representatives: index of the atom nearest to the centre of each molecule, [N].
        core: indices of the atoms that the centre selection found.
        origin: index of the one nearest to their centre.
    """

    place: str
    labels: AtomLabels
    atoms: IntArray
    starts: IntArray
    representatives: IntArray
    core: IntArray
    origin: int

    @property
    def names(self) -> tuple[str, ...]:
        """Residue name of each molecule."""
        return tuple(map(str, self.labels.resnames[self.representatives]))

    def describe(self, molecule: int) -> str:
        """Name and residue number of a molecule."""
        atom = self.representatives[molecule]
        return f"{self.labels.resnames[atom]} {self.labels.resids[atom]}"


def choose_molecules(
    universe: Any, selection: str, centre: str, names: Sequence[str] | None, place: str
) -> Molecules:
    """Find the molecules of a frame and choose their representatives (thesis section 3.2).

    Args:
        universe: the frame.
        selection: atoms whose residues are the molecules, in MDAnalysis' language.
        centre: atoms of the core, likewise.
        names: residue names that the molecules may have; any if not given.
        place: file and frame, for messages.

    Returns:
        The choice.

    Raises:
        ValueError: a selection is not valid or finds nothing; molecules have alternate locations,
            other names than given, or other atoms than those of the same name.
    """
    check_no_alternate_locations(universe, place)
    selected = _select(universe, "selection", selection, place)
    core = _select(universe, "centre", centre, place).indices
    order = np.argsort(selected.resindices, kind="stable")
    atoms = selected.indices[order]
    starts = np.unique(selected.resindices[order], return_index=True)[1]
    labels = AtomLabels.of(universe)
    groups = np.split(atoms, starts[1:])
    residues = [
        (str(labels.resnames[group[0]]), int(labels.resids[group[0]]), tuple(labels.names[group]))
        for group in groups
    ]
    if names is not None:
        check_names(universe, [name for name, _, _ in residues], names, place)
    check_compositions(residues, place)
    positions = universe.atoms.positions
    return Molecules(
        place=place,
        labels=labels,
        atoms=atoms,
        starts=starts,
        representatives=find_representatives(positions, atoms, starts),
        core=core,
        origin=int(find_representatives(positions, core, np.zeros(1, np.intp))[0]),
    )


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


def _select(universe: Any, argument: str, selection: str, place: str) -> Any:
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
    return found
