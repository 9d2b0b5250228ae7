"""Lengths of vectors in two or three dimensions."""

from __future__ import annotations

from functools import reduce

import numpy as np

from socialmd.types import FloatArray

__all__ = ["lengths"]


def lengths(vectors: FloatArray) -> FloatArray:
    """Euclidean lengths [...] of vectors [..., D], without overflow or underflow on the way."""
    return np.asarray(reduce(np.hypot, np.moveaxis(vectors, -1, 0)))
