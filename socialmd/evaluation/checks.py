"""Arrays that come from a caller: their shapes, and that their numbers are finite."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike

from socialmd.types import FloatArray

__all__ = ["finite_array", "finite_positions", "refuse_indefinite"]


def finite_array(name: str, values: ArrayLike, shape: tuple[int, ...] | None = None) -> FloatArray:
    """The values as float64.

    Args:
        name: of the argument, for messages.
        values: numbers.
        shape: what the array's shape has to be, if that is known.

    Returns:
        The array; not a copy where `values` is one already.

    Raises:
        ValueError: the shape is another one, or a number is not finite.
    """
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


def finite_positions(
    name: str, values: ArrayLike, spatial_dims: Collection[int] = (2,)
) -> FloatArray:
    """Positions of the particles of several windows, [W, T', N, D], as float64.

    Args:
        name: of the argument, for messages.
        values: numbers.
        spatial_dims: numbers of dimensions D that will do.

    Returns:
        The array.

    Raises:
        ValueError: it has another shape, is empty, or holds a number that is not finite.
    """
    array = finite_array(name, values)
    if array.ndim != 4 or array.shape[-1] not in spatial_dims or array.size == 0:
        dims = " or ".join(map(str, spatial_dims))
        raise ValueError(
            f"{name}: expected positions [windows, steps, particles, {dims}], "
            f"found shape {array.shape}"
        )
    return array


def refuse_indefinite(covariances: FloatArray) -> None:
    """Raise a ValueError unless all matrices, [..., 2, 2], are symmetric and positive definite."""
    x, y = covariances[..., 0, 0], covariances[..., 1, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        # The same arithmetic as that of the Cholesky factor, which so has no root of a negative.
        slope = covariances[..., 0, 1] / np.sqrt(x)  # not finite unless x > 0
        definite = y - np.square(slope) > 0.0
        difference = np.abs(covariances[..., 0, 1] - covariances[..., 1, 0])
        symmetric = difference <= 1e-6 * np.sqrt(x * y)
    wrong = ~(definite & symmetric)
    if wrong.any():
        example = covariances[wrong][0].tolist()
        raise ValueError(
            "covariances: expected symmetric positive definite matrices, found "
            f"{np.count_nonzero(wrong)} of {wrong.size} that are not, such as {example}"
        )
