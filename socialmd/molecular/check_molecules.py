"""Check that the residues of a selection are molecules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

__all__ = ["check_compositions", "check_names", "check_no_alternate_locations"]

Atoms = tuple[str, ...]


def check_no_alternate_locations(universe: Any, place: str) -> None:
    """Check that every atom has one position.

    Args:
        universe: one frame.
        place: file and frame, for messages.

    Raises:
        ValueError: an atom has an alternate location indicator.
    """
    for atom, location in enumerate(getattr(universe.atoms, "altLocs", ())):
        if location:
            found = universe.atoms[atom]
            raise ValueError(
                f"{place}: atom {atom + 1}, {found.name} of {found.resname} {found.resid}: "
                f"expected no alternate location (column 17), found {location!r}"
            )


def check_names(found: Sequence[str], expected: Sequence[str], place: str) -> None:
    """Check that the molecules have these names, and each name a molecule.

    Args:
        found: name of every molecule.
        expected: all names that there are.
        place: file and frame, for messages.

    Raises:
        ValueError: a name is unknown or found nowhere.
    """
    if set(found) != set(expected):
        raise ValueError(
            f"{place}: names: expected molecules named {', '.join(expected)}, "
            f"found {', '.join(sorted(set(found)))}"
        )


def check_compositions(molecules: Sequence[tuple[str, int, Atoms]], place: str) -> None:
    """Check that molecules of the same name have the same atoms.

    MDAnalysis tells residues apart by number, name, insertion code and segment, not by TER, and
    reads every residue number that is no decimal (hybrid-36) as 1. Molecules that it takes for one
    show by atoms that repeat, or are others than in most molecules of their name.

    Args:
        molecules: name, residue number and names of the atoms of each.
        place: file and frame, for messages.

    Raises:
        ValueError: the message names the molecule, its atoms and those expected.

    Example:
        >>> check_compositions([("OQL", 1, ("C1", "N2")), ("OQL", 2, ("C1", "N2"))], "x.pdb.1")
    """
    compositions: dict[str, Counter[Atoms]] = {}
    for name, _, atoms in molecules:
        compositions.setdefault(name, Counter())[atoms] += 1
    units = {atoms: _repeated_unit(atoms) for found in compositions.values() for atoms in found}
    for name, number, atoms in molecules:
        expected = compositions[name].most_common(1)[0][0]
        repeats = len(atoms) // len(units[atoms])
        if repeats > 1:
            expected = units[atoms]
        if atoms != expected:
            raise ValueError(
                f"{place}: {name} {number}: expected a molecule of {_describe(expected)}, found "
                f"{_describe(atoms)}; molecules must differ in residue number from the next one "
                "(after 9999 comes 0, not hybrid-36; TER does not count)"
            )


def _repeated_unit(atoms: Atoms) -> Atoms:
    """The shortest beginning of which `atoms` consists."""
    for length in range(1, len(atoms) // 2 + 1):
        if len(atoms) % length == 0 and atoms[:length] * (len(atoms) // length) == atoms:
            return atoms[:length]
    return atoms


def _describe(atoms: Atoms) -> str:
    listed = " ".join(atoms[:12]) + (" ..." if len(atoms) > 12 else "")
    return f"{len(atoms)} atoms ({listed})"
