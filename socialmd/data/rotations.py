"""Random rotations, uniform over SO(D), and trajectories that are turned by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from socialmd.types import Array

__all__ = ["mirror_half", "random_rotations", "rotate"]


def random_rotations(count: int, spatial_dims: int, seed: int | Sequence[int]) -> Array:
    """Rotation matrices of D = 2 or 3 dimensions, uniformly distributed, float32 [count, D, D].

    In two dimensions angles are uniform. In three, a unit quaternion (w, x, y, z) is uniform on the
    sphere, whose image in SO(3) is uniform as well [1].

    #### References
    [1] K. Shoemake, Uniform random rotations, Graphics Gems III, 1992, pp. 124-132.
    """
    generator = np.random.default_rng(seed)
    if spatial_dims == 2:
        angles = generator.uniform(0.0, 2 * np.pi, count)
        cos, sin = np.cos(angles), np.sin(angles)
        rows = [[cos, -sin], [sin, cos]]
    else:
        normal = generator.normal(size=(4, count))
        w, x, y, z = normal / np.linalg.norm(normal, axis=0)
        rows = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    return np.moveaxis(np.array(rows, np.float32), -1, 0)


def mirror_half(matrices: Array, seed: int | Sequence[int]) -> Array:
    """Half of the rotations [count, D, D], at random, after a reflection of the first axis."""
    signs = np.ones(matrices.shape[::2], matrices.dtype)  # [count, D]
    signs[np.random.default_rng(seed).random(len(matrices)) < 0.5, 0] = -1
    return matrices * signs[:, np.newaxis]


def rotate(trajectories: Any, matrices: Any, vectors: Sequence[slice] | None = None) -> Array:
    """Turn each trajectory [B, T, N, F] about the origin, by its matrix [B, D, D].

    That is the columns of its `vectors` (see `FeatureLayout`), or the first D. Scalars like mass
    and charge pass unchanged.
    """
    turned = np.array(trajectories)
    for columns in vectors or [slice(0, matrices.shape[-1])]:
        each = turned[..., columns]  # [B, T, N, D]
        points = each.reshape(len(each), -1, each.shape[-1])
        turned[..., columns] = (points @ np.swapaxes(matrices, 1, 2)).reshape(each.shape)
    return turned
