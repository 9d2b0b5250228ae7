"""Rotation of whole samples: the law of motion does not know how the coordinate axes lie."""

from __future__ import annotations

import math

import tensorflow as tf

__all__ = ["random_rotations", "rotate"]


def random_rotations(count: int, spatial_dims: int, seed: tf.Tensor) -> tf.Tensor:
    """Rotation matrices of D = 2 or 3 dimensions, uniformly distributed, float32 [count, D, D].

    In two dimensions angles are uniform. In three, a unit quaternion (w, x, y, z) is uniform on the
    sphere, whose image in SO(3) is uniform as well [1].

    #### References
    [1] K. Shoemake, Uniform random rotations, Graphics Gems III, 1992, pp. 124-132.
    """
    if spatial_dims == 2:
        angles = tf.random.stateless_uniform([count], seed, maxval=2 * math.pi)
        cos, sin = tf.cos(angles), tf.sin(angles)
        rows = [[cos, -sin], [sin, cos]]
    else:
        normal = tf.random.stateless_normal([count, 4], seed)
        w, x, y, z = tf.unstack(tf.math.l2_normalize(normal, axis=1), axis=1)
        rows = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)


def rotate(trajectories: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """Turn each trajectory [B, T, N, F] about the origin, by its matrix [B, D, D].

    The features after the coordinates pass unchanged, as scalars: mass, charge and the like.
    """
    dims = matrices.shape[-1]
    rotated = tf.einsum("bij,btnj->btni", matrices, trajectories[..., :dims])
    return tf.concat([rotated, trajectories[..., dims:]], axis=-1)
