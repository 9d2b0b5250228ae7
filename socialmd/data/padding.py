"""Systems of different particle numbers in one array: padded particles and masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["pad_particles", "real_particles"]


def pad_particles(
    trajectories: Sequence[NDArray[Any]], num_particles: int
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Put trajectories of at most N particles into one array; what is missing is zero.

    Args:
        trajectories: S arrays [frames, n <= N, F].
        num_particles: N.

    Returns:
        Trajectories [S, frames, N, F] and mask [S, N], false for padded particles.

    Example:
        >>> frames, mask = pad_particles([np.ones((9, 2, 4)), np.ones((9, 3, 4))], 3)
        >>> frames.shape, mask.tolist()
        ((2, 9, 3, 4), [[True, True, False], [True, True, True]])
    """
    counts = np.array([trajectory.shape[1] for trajectory in trajectories])
    padded = [
        np.pad(trajectory, [(0, 0), (0, num_particles - count), (0, 0)])
        for trajectory, count in zip(trajectories, counts, strict=True)
    ]
    return np.stack(padded), np.arange(num_particles) < counts[:, np.newaxis]


def real_particles(array: Any, mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Every real particle of every window as a window of its own, for means over particles.

    Args:
        array: [W, T', N, ...].
        mask: bool [W, N], false for padded particles.

    Returns:
        [M, T', 1, ...], M being the number of real particles, in the order of windows.

    Example:
        >>> mask = np.array([[True, True, True], [True, False, False]])
        >>> real_particles(np.zeros((2, 30, 3, 2)), mask).shape
        (4, 30, 1, 2)
    """
    return np.moveaxis(np.asarray(array), 2, 1)[mask][:, :, np.newaxis]
