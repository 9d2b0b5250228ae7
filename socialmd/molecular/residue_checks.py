"""Conditions under which the residues of a selection are molecules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = [
    "check_compositions",
    "check_names",
    "check_no_alternate_locations",
    "describe_residues",
    "repeated_unit",
]

Atoms = tuple[str, ...]


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


def check_names(universe: Any, found: Sequence[str], expected: Sequence[str], place: str) -> None:
    """Refuse molecules of other names than expected, of which not every one need occur."""
    if unknown := sorted(set(found) - set(expected)):
        raise ValueError(
            f"{place}: names: expected molecules named {' or '.join(expected)}, "
            f"found {', '.join(unknown)}; residues in the file: {describe_residues(universe)}"
        )


def describe_residues(universe: Any) -> str:
    """All residue names of a frame and how many residues have each, in words."""
    counts = Counter(map(str, universe.residues.resnames))
    return ", ".join(f"{name} ({count})" for name, count in counts.most_common())


def check_compositions(molecules: Sequence[tuple[str, str, Atoms]], place: str) -> None:
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
    unit = repeated_unit(common)
    return unit if found.total() == 1 or unit in found else common


def repeated_unit(atoms: Atoms) -> Atoms:
    """The shortest beginning of which `atoms` consists, once or repeated: O H of O H O H."""
    for length in range(1, len(atoms) // 2 + 1):
        if len(atoms) % length == 0 and atoms[:length] * (len(atoms) // length) == atoms:
            return atoms[:length]
    return atoms


def _describe(atoms: Atoms) -> str:
    listed = " ".join(atoms[:12]) + (" ..." if len(atoms) > 12 else "")
    return f"{len(atoms)} atoms ({listed})"
