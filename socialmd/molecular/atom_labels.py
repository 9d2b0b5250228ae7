"""What atoms are called in a frame, and whether they are the same in another."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["AtomLabels"]

IntArray = NDArray[np.int64]
Labels = NDArray[Any]


class AtomLabels(NamedTuple):
    """Names of all atoms of a frame.

    Args:
        names: of the atoms, [atoms].
        resnames: of their residues, [atoms].
        resids: numbers of their residues, [atoms].
    """

    names: Labels
    resnames: Labels
    resids: Labels

    @classmethod
    def of(cls, universe: Any) -> Self:
        """Those of a `Universe`."""
        atoms = universe.atoms
        return cls(atoms.names, atoms.resnames, atoms.resids)

    def describe(self, atom: int) -> str:
        """An atom in words, counted from 1 as in a file."""
        if atom >= len(self.names):
            return "no more atoms"
        return f"{self.names[atom]} of {self.resnames[atom]} {self.resids[atom]}"

    def check_same(self, found: AtomLabels, tracked: IntArray, places: tuple[str, str]) -> None:
        """Check that the atoms of another frame are the same in the same order.

        Residue numbers count for `tracked` atoms only: where the nearest water molecules are
        written, these are others in each frame.

        Args:
            found: the other frame's.
            tracked: atoms of the molecules that are followed.
            places: this frame and the other one, for messages.

        Raises:
            ValueError: the message names the first atom that differs.
        """
        shared = min(len(self.names), len(found.names))
        different = (self.names[:shared] != found.names[:shared]) | (
            self.resnames[:shared] != found.resnames[:shared]
        )
        tracked = tracked[tracked < shared]
        different[tracked] |= self.resids[tracked] != found.resids[tracked]
        if len(self.names) == len(found.names) and not different.any():
            return
        first = int(different.argmax()) if different.any() else shared
        counts = (
            f"expected {len(self.names)} atoms as in {places[0]}, found {len(found.names)}; "
            if len(self.names) != len(found.names)
            else ""
        )
        raise ValueError(
            f"{places[1]}: {counts}atom {first + 1}: expected {self.describe(first)} as in "
            f"{places[0]}, found {found.describe(first)}"
        )
