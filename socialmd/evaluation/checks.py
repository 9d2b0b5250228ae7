"""Checks of arrays that come from a caller, and the error of what cannot be done with them."""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import ArrayLike

from socialmd.types import FloatArray

__all__ = ["NotPossibleError", "finite_array", "finite_positions", "finite_samples", "lengths"]


class NotPossibleError(ValueError):
    """What cannot be forecast, measured or drawn is left out; the message says why.

    Example:
        >>> raise NotPossibleError("the data set has no training split to fit it to")
    """


def finite_array(name: str, values: ArrayLike, shape: tuple[int, ...] | None = None) -> FloatArray:
    """The argument of that name as float64; a ValueError if its numbers or its shape are wrong."""
    array = np.asarray(values, np.float64)
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, found {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        raise ValueError(
            f"{name}: expected finite numbers, found {np.count_nonzero(~finite)} of {array.size} "
            "that are not"
        )
    return array


def finite_positions(name: str, values: ArrayLike) -> FloatArray:
    """The same for positions of the particles of several windows, [W, T', N, D], none empty."""
    array = finite_array(name, values)
    if array.ndim != 4 or array.shape[-1] not in (2, 3) or array.size == 0:
        raise ValueError(
            f"{name}: expected positions [windows, steps, particles, 2 or 3], "
            f"found shape {array.shape}"
        )
    return array


def finite_samples(values: ArrayLike, positions: FloatArray) -> FloatArray:
    """At least two samples of positions, [S, W, T', N, D]."""
    samples = finite_array("samples", values)
    if samples.ndim == 0 or len(samples) < 2 or samples.shape[1:] != positions.shape:
        raise ValueError(
            f"samples: expected shape (samples, {', '.join(map(str, positions.shape))}), "
            f"at least two samples, found {samples.shape}"
        )
    return samples


def lengths(vectors: FloatArray) -> FloatArray:
    """Euclidean lengths [...] of vectors [..., D], without overflow or underflow on the way."""
    return np.asarray(reduce(np.hypot, np.moveaxis(vectors, -1, 0)))
