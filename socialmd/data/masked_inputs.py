"""What comes beside frames: masks of padded particles, and periodic boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from socialmd.types import Array, Inputs, Mask, Tensor

__all__ = ["Unpacked", "pack", "pad_particles", "real_particles", "unpack"]


class Unpacked(NamedTuple):
    """Inputs, taken apart.

    Args:
        frames: [B, T, N, F].
        mask: bool [B, N], false for padded particles, or nothing.
        box: box vectors of each frame, [B, T, D, D], or nothing; of all frames together [B, D, D].
    """

    frames: Tensor
    mask: Mask
    box: Tensor


def pack(inputs: Tensor, mask: Mask = None, box: Tensor = None) -> Inputs:
    """Inputs with what there is beside them, as data sets give them and models take them."""
    beside = {"mask": mask, "box": box}
    there = {name: each for name, each in beside.items() if each is not None}
    return {"inputs": inputs, **there} if there else inputs


def unpack(inputs: Inputs) -> Unpacked:
    """Such inputs taken apart."""
    if not isinstance(inputs, Mapping):
        return Unpacked(inputs, None, None)
    if "inputs" not in inputs or not inputs.keys() <= {"inputs", "mask", "box"}:
        raise ValueError(
            "inputs: expected an array, or a dictionary of inputs, mask and box, found "
            f"{sorted(inputs)}"
        )
    return Unpacked(inputs["inputs"], inputs.get("mask"), inputs.get("box"))


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
