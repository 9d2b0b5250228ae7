"""Systems of different particle numbers side by side: padded particles, and the masks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from socialmd.types import Array, Inputs, Mask, Tensor

__all__ = ["pack", "pad_particles", "real_particles", "unpack"]


def pack(inputs: Tensor, mask: Mask) -> Inputs:
    """Inputs with their mask, if there is one, as data sets give them and models take them."""
    return inputs if mask is None else {"inputs": inputs, "mask": mask}


def unpack(inputs: Inputs) -> tuple[Tensor, Mask]:
    """Frames [B, T, N, F] of such inputs, and their mask [B, N] or nothing."""
    if not isinstance(inputs, Mapping):
        return inputs, None
    if inputs.keys() != {"inputs", "mask"}:
        raise ValueError(
            f"inputs: expected an array, or a dictionary of inputs and mask, found {sorted(inputs)}"
        )
    return inputs["inputs"], inputs["mask"]


def pad_particles(trajectories: Sequence[Array], num_particles: int) -> tuple[Array, Array]:
    """Trajectories [frames, n <= N, F] as one array [S, frames, N, F], and its mask [S, N].

    What is missing is zero, and false in the mask.
    """
    counts = np.array([trajectory.shape[1] for trajectory in trajectories])
    padded = [
        np.pad(trajectory, [(0, 0), (0, num_particles - count), (0, 0)])
        for trajectory, count in zip(trajectories, counts, strict=True)
    ]
    return np.stack(padded), np.arange(num_particles) < counts[:, np.newaxis]


def real_particles(array: Any, mask: Array) -> Array:
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
