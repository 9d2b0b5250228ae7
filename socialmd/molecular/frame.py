"""One frame of a simulation, as it was read."""

from __future__ import annotations

from typing import Any, NamedTuple

from socialmd.molecular.atom_labels import AtomLabels

__all__ = ["Frame"]


class Frame(NamedTuple):
    """Atoms and coordinates.

    Args:
        universe: MDAnalysis' `Universe`. It may be the one of the frame before, with other
            coordinates.
        labels: what the atoms are called.
        time: in picoseconds, if the file says it.
    """

    universe: Any
    labels: AtomLabels
    time: float | None
