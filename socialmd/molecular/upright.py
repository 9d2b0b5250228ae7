"""Periodic boxes in the orientation that programs for molecules know them in."""

from __future__ import annotations

import numpy as np

from socialmd.molecular.mdanalysis import MDAnalysis
from socialmd.periodic_box import PeriodicBox
from socialmd.types import FloatArray

__all__ = ["upright"]


def upright(positions: FloatArray, box: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A frame [N, 3] and its box [3, 3], turned or mirrored so that the box is lower triangular.

    Its first vector lies along x then, its second one in the plane of x and y. Positions come out
    wrapped into it.
    """
    dimensions = MDAnalysis.lib.mdamath.triclinic_box(*box)
    vectors = MDAnalysis.lib.mdamath.triclinic_vectors(dimensions, dtype=np.float64)
    fractions = PeriodicBox.of(box).fractions(positions)
    return (fractions - np.floor(fractions)) @ vectors, vectors
