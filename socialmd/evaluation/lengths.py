"""Lengths of vectors in two or three dimensions."""

from __future__ import annotations

from functools import reduce

import numpy as np

from socialmd.types import FloatArray

__all__ = ["lengths"]


def lengths(vectors: FloatArray) -> FloatArray:
    """Euclidean lengths, without overflow or underflow on the way.

    Args:
        vectors: [..., D].

    Returns:
        [...].

    Example:
        >>> lengths(np.array([[3.0, 4.0], [0.0, 1.0]]))
        array([5., 1.])
    """
    return np.asarray(reduce(np.hypot, np.moveaxis(vectors, -1, 0)))
