"""One frame of a simulation, as it was read, and what its atoms are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from socialmd.types import Array, IntArray

__all__ = ["AtomLabels", "Frame"]

# Columns of a PDB file: residue name (and a column that some programs write the fourth letter to),
# chain, number and insertion code; and the last two.
RESIDUE, RESIDUE_NUMBER = slice(17, 27), slice(22, 27)


class Frame(NamedTuple):
    """Atoms and coordinates: MDAnalysis' `Universe`, which the next frame may share, and the time
    in picoseconds, if the file says it.
    """

    universe: Any
    labels: AtomLabels
    time: float | None


class AtomLabels(NamedTuple):
    """Names of all atoms of a frame, [atoms] each.

    Numbers of residues are text, because not all are decimal; `residues` says which residue of the
    file each atom is of, counted from 0.
    """

    names: Array
    resnames: Array
    resids: Array
    residues: IntArray

    @classmethod
    def of(cls, universe: Any, place: str) -> Self:
        """Those of a `Universe`, refused if its format does not know them; `place` is its file."""
        atoms = universe.atoms
        for name in ("names", "resnames", "resids"):
            if not hasattr(atoms, name):
                raise ValueError(
                    f"{place}: expected the names of atoms and residues, found no {name}: a "
                    "molecule is a residue. Give a topology that has them: PDB, GRO, PSF or PRMTOP"
                )
        return cls(atoms.names, atoms.resnames, atoms.resids.astype(str), atoms.resindices)

    @classmethod
    def of_pdb(cls, universe: Any, records: Sequence[str], place: str) -> Self:
        """Those of a `Universe` that was read from lines of ATOM, HETATM and TER of a PDB file.

        MDAnalysis takes every residue number that is not decimal for 1, as those that some programs
        go on with after 9999 (A000, 2710), and does not look at TER. Here a residue ends where its
        name, number, insertion code or chain changes as they are written, and at TER.
        """
        resids, residues = [], []
        before, residue = None, -1
        for record in records:
            if record.startswith("TER"):
                before = None
                continue
            if record[RESIDUE] != before:
                before = record[RESIDUE]
                residue += 1
            residues.append(residue)
            resids.append(record[RESIDUE_NUMBER].strip())
        return cls.of(universe, place)._replace(
            resids=np.array(resids), residues=np.array(residues, np.int64)
        )

    def describe(self, atom: int) -> str:
        """An atom in words, counted from 1 as in a file."""
        if atom >= len(self.names):
            return "no more atoms"
        return f"{self.names[atom]} of {self.resnames[atom]} {self.resids[atom]}"

    def check_same(self, found: AtomLabels, tracked: IntArray, places: tuple[str, str]) -> None:
        """Refuse another frame whose atoms are not the same in the same order.

        Residue numbers count for `tracked` atoms only: where the nearest water molecules are
        written, these are others in each frame. `places` are this frame and the other one.
        """
        shared = min(len(self.names), len(found.names))
        different = (self.names[:shared] != found.names[:shared]) | (
            self.resnames[:shared] != found.resnames[:shared]
        )
        tracked = tracked[tracked < shared]
        different[tracked] |= self.resids[tracked] != found.resids[tracked]
        as_many = len(self.names) == len(found.names)
        if as_many and not different.any():
            return
        first = int(different.argmax()) if different.any() else shared
        expected = f"expected {len(self.names)} atoms as in {places[0]}, found {len(found.names)}; "
        raise ValueError(
            f"{places[1]}: {'' if as_many else expected}atom {first + 1}: expected "
            f"{self.describe(first)} as in {places[0]}, found {found.describe(first)}"
        )
