"""Atoms that are followed through a simulation: one of each molecule, and one at the origin."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from socialmd.molecular.frame import AtomLabels, Frame
from socialmd.molecular.mdanalysis import MDAnalysis
from socialmd.types import Array, FloatArray, IntArray

__all__ = ["ChosenAtoms", "check_no_alternate_locations", "choose_atoms", "find_representatives"]

Atoms = tuple[str, ...]


@dataclass(frozen=True)
class ChosenAtoms:
    """Atoms of the molecules, and which of them are followed."""

    place: str  # the frame in which they were chosen, for messages
    labels: AtomLabels  # of all atoms in this frame
    atoms: IntArray  # indices of the molecules' atoms, one molecule after the other, [A]
    starts: IntArray  # where each molecule begins in `atoms`, [N]
    representatives: IntArray  # index of the atom nearest to the centre of each molecule, [N]
    radii: FloatArray  # of uniform balls that have the molecules' radii of gyration, [N]
    core: IntArray  # indices of the atoms that the centre selection found; none without a centre
    anchors: FloatArray | None  # where their strands stand on the core, from the origin, [N, 3]
    origin: int | None  # index of the one nearest to their centre, if there is one

    @property
    def names(self) -> tuple[str, ...]:
        """Residue name of each molecule."""
        return tuple(map(str, self.labels.resnames[self.representatives]))

    def describe(self, molecule: int) -> str:
        """Name and residue number of a molecule."""
        atom = self.representatives[molecule]
        return f"{self.labels.resnames[atom]} {self.labels.resids[atom]}"


def choose_atoms(
    frame: Frame,
    selection: str,
    centre: str | None,
    names: Sequence[str] | None,
    place: str,
    strands: str | None = None,
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
        _check_names(universe, [name for name, _, _ in residues], names, place)
    _check_compositions(residues, place)
    positions = universe.atoms.positions
    origin = find_representatives(positions, core, np.zeros(1, np.int64)) if len(core) else None
    anchors = None
    if strands is not None and origin is not None:
        chains = _select(frame, "strands", strands, place)
        anchored = _find_anchors(positions, labels.residues, atoms, starts, chains, core, place)
        anchors = positions[anchored].astype(np.float64) - positions[origin]
    return ChosenAtoms(
        place=place,
        labels=labels,
        atoms=atoms,
        starts=starts,
        representatives=find_representatives(positions, atoms, starts),
        radii=_find_radii(positions, atoms, starts),
        core=core,
        anchors=anchors,
        origin=None if origin is None else int(origin[0]),
    )


def _split_by_names(names: Array, starts: IntArray) -> IntArray:
    """Where molecules begin in residues that all have the same number, which says nothing.

    An atom whose name there has been in the molecule begins the next one, if all that become of a
    residue have the same atoms; beads that share a name are none of several molecules.
    """
    found: list[int] = []
    for start, group in zip(starts, np.split(names, starts[1:]), strict=True):
        unit = _repeated_unit(tuple(group))
        is_molecule = len(unit) > 1 and len(set(unit)) == len(unit)
        found += range(start, start + len(group), len(unit) if is_molecule else len(group))
    return np.array(found)


def find_representatives(positions: Array, atoms: IntArray, starts: IntArray) -> IntArray:
    """The atom nearest to the geometric centre of each molecule, [N]; the first of equally near.

    Positions are those of all atoms, [all atoms, 3]; `atoms` and `starts` as in `ChosenAtoms`.
    """
    squares = _squares_from_centres(positions, atoms, starts)
    return atoms[np.lexsort((squares, _molecule_of_each(atoms, starts)))[starts]]


def _molecule_of_each(atoms: IntArray, starts: IntArray) -> IntArray:
    """Number of the molecule that each of the atoms is part of, [A]."""
    return np.repeat(np.arange(len(starts)), np.diff(starts, append=len(atoms)))


def _find_anchors(
    positions: Array,
    residues: IntArray,
    atoms: IntArray,
    starts: IntArray,
    chains: IntArray,
    core: IntArray,
    place: str,
) -> IntArray:
    """The atom of the core that each molecule's strand is nearest to, [N].

    A molecule's strand is the residue, of those that chains are atoms of, to which it is nearest;
    or the molecule, if it is among them.
    """
    if np.isin(chains, core).any():
        raise ValueError(f"{place}: strands: expected no atoms of the core, found some")
    strand = residues.copy()
    molecule = _molecule_of_each(atoms, starts)
    strand[atoms] = -1 - molecule
    gaps, nearest = cKDTree(positions[chains]).query(positions[atoms])
    touching = nearest[np.lexsort((gaps, molecule))[starts]]  # of each molecule, [N]
    depths, below = cKDTree(positions[core]).query(positions[chains])
    order = np.lexsort((depths, strand[chains]))
    strands, first = np.unique(strand[chains][order], return_index=True)
    if len(strands) == 1 < len(starts):
        raise ValueError(
            f"{place}: strands: expected residues of their own, found one, on which all "
            f"{len(starts)} molecules would hang"
        )
    feet = core[below[order[first]]]  # of each strand
    return np.asarray(feet[np.searchsorted(strands, strand[chains][touching])])


def _find_radii(positions: Array, atoms: IntArray, starts: IntArray) -> FloatArray:
    """Radius of the uniform ball that has each molecule's radius of gyration, [N]."""
    squares = _squares_from_centres(positions, atoms, starts)
    sizes = np.diff(starts, append=len(atoms))
    return np.sqrt(5 / 3 * np.add.reduceat(squares, starts) / sizes)


def _squares_from_centres(positions: Array, atoms: IntArray, starts: IntArray) -> FloatArray:
    """Squared distance of every atom from the geometric centre of its molecule, [A]."""
    x = positions[atoms].astype(np.float64)  # [A, 3]
    sizes = np.diff(starts, append=len(atoms))  # [N]
    centres = np.add.reduceat(x, starts) / sizes[:, None]  # [N, 3]
    squares: FloatArray = ((x - np.repeat(centres, sizes, axis=0)) ** 2).sum(axis=1)
    return squares


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
            f"residues in the file: {_describe_residues(universe)}"
        )
    return np.asarray(found.indices)


def check_no_alternate_locations(universe: Any, place: str) -> None:
    """Refuse a frame with an atom that has an alternate location indicator."""
    locations = getattr(universe.atoms, "altLocs", ())
    alternate = np.flatnonzero(locations)
    if len(alternate):
        atom = int(alternate[0])
        found = universe.atoms[atom]
        raise ValueError(
            f"{place}: atom {atom + 1}, {found.name} of {found.resname} {found.resid}: "
            f"expected no alternate location (column 17), found {locations[atom]!r}"
        )


def _check_names(universe: Any, found: Sequence[str], expected: Sequence[str], place: str) -> None:
    """Refuse molecules of other names than expected, of which not every one need occur."""
    if unknown := sorted(set(found) - set(expected)):
        raise ValueError(
            f"{place}: names: expected molecules named {' or '.join(expected)}, "
            f"found {', '.join(unknown)}; residues in the file: {_describe_residues(universe)}"
        )


def _describe_residues(universe: Any) -> str:
    """All residue names of a frame and how many residues have each, in words."""
    counts = Counter(map(str, universe.residues.resnames))
    return ", ".join(f"{name} ({count})" for name, count in counts.most_common())


def _check_compositions(molecules: Sequence[tuple[str, str, Atoms]], place: str) -> None:
    """Refuse molecules, each by name, residue number and names of its atoms, that have other atoms
    than those of the same name.

    Molecules that run together, because they have the same number, show by atoms that repeat, or
    are others than in most molecules of their name. Where several molecules repeat the same atoms
    as often, these belong to one: coarse-grained beads, say, of which some share a name.
    """
    compositions: dict[str, Counter[Atoms]] = {}
    for name, _, atoms in molecules:
        compositions.setdefault(name, Counter())[atoms] += 1
    expected = {name: _expected(found) for name, found in compositions.items()}
    parts = Counter((name, number) for name, number, _ in molecules)
    for name, number, atoms in molecules:
        if atoms != expected[name]:
            found = (
                f"{place}: {name} {number}: expected a molecule of {_describe(expected[name])}, "
                f"found {_describe(atoms)}"
            )
            if parts[name, number] > 1 and len(atoms) < len(expected[name]):
                raise ValueError(
                    f"{found}, and {parts[name, number] - 1} more residues of this name and number "
                    "elsewhere; the atoms of a molecule must stand together, without TER"
                )
            raise ValueError(
                f"{found}. Either it is several, and molecules must differ in residue number from "
                "the next one or be separated by TER; or it is one, and atoms may share a name "
                "only if there are several molecules of the same atoms"
            )


def _expected(found: Counter[Atoms]) -> Atoms:
    common: Atoms = found.most_common(1)[0][0]
    unit = _repeated_unit(common)
    return unit if found.total() == 1 or unit in found else common


def _repeated_unit(atoms: Atoms) -> Atoms:
    """The shortest beginning of which `atoms` consists, once or repeated: O H of O H O H."""
    for length in range(1, len(atoms) // 2 + 1):
        if len(atoms) % length == 0 and atoms[:length] * (len(atoms) // length) == atoms:
            return atoms[:length]
    return atoms


def _describe(atoms: Atoms) -> str:
    listed = " ".join(atoms[:12]) + (" ..." if len(atoms) > 12 else "")
    return f"{len(atoms)} atoms ({listed})"
