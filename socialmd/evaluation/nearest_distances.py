"""Distances of particles to their nearest neighbours: where trajectories in chaotic motion part.

Frames are samples: between two of them particles may have been closer than in either.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socialmd.evaluation.checks import finite_array, finite_positions
from socialmd.evaluation.lengths import lengths
from socialmd.types import FloatArray

__all__ = ["closest_approach", "nearest_distances"]


def nearest_distances(positions: ArrayLike) -> FloatArray:
    """Distance of each particle to its nearest neighbour.

    Args:
        positions: [..., N, D] with N >= 2, D being 2 or 3.

    Returns:
        [..., N], in units of length.

    Raises:
        ValueError: positions are of another shape or not finite.

    Example:
        >>> nearest_distances([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0]])
        array([1., 1., 3.])
    """
    x = finite_array("positions", positions)
    if x.ndim < 2 or x.shape[-1] not in (2, 3) or x.shape[-2] < 2:
        raise ValueError(
            "positions: expected [..., particles, 2 or 3] with at least two particles, found shape "
            f"{x.shape}"
        )
    nearest = np.empty(x.shape[:-1])
    for i in range(x.shape[-2]):  # all pairs at once would need N times the memory
        distances = lengths(x - x[..., i : i + 1, :])  # [..., N]
        distances[..., i] = np.inf
        nearest[..., i] = distances.min(axis=-1)
    return nearest


def closest_approach(truth: ArrayLike) -> tuple[FloatArray, NDArray[np.intp]]:
    """Smallest distance of each particle to any other one within its window, and when.

    Args:
        truth: positions, [W, T', N, D] with N >= 2, D being 2 or 3.

    Returns:
        Distances [W, N], in units of length, and indices of the steps [W, N], from 0 to T' - 1; of
        several equal distances the first.

    Raises:
        ValueError: positions are of another shape or not finite.

    Example:
        >>> truth = [[[[0.0, 0.0], [3.0, 0.0]], [[0.0, 0.0], [2.0, 0.0]]]]
        >>> closest_approach(truth)
        (array([[2., 2.]]), array([[1, 1]]))
    """
    nearest = nearest_distances(finite_positions("truth", truth, (2, 3)))  # [W, T', N]
    return nearest.min(axis=1), nearest.argmin(axis=1)
