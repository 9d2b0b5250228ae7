"""Rotation of whole samples: the law of motion does not know how the coordinate axes lie."""

from __future__ import annotations

import math

import tensorflow as tf

__all__ = ["random_rotations", "rotate"]


def random_rotations(count: int, spatial_dims: int, seed: tf.Tensor) -> tf.Tensor:
    """Rotation matrices, uniformly distributed.

    In two dimensions angles are uniform. In three, a unit quaternion (w, x, y, z) is uniform on the
    sphere, whose image in SO(3) is uniform as well [1].

    Args:
        count: how many.
        spatial_dims: D, 2 or 3.
        seed: two integers, [2].

    Returns:
        float32 [count, D, D], orthogonal and of determinant one.

    #### References
    [1] K. Shoemake, Uniform random rotations, Graphics Gems III, 1992, pp. 124-132.

    Example:
        >>> matrices = random_rotations(10, 3, [0, 1])
        >>> tf.linalg.det(matrices)  # ten ones
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
    """Turn each trajectory about the origin.

        x' = R x

    The features after the coordinates are scalars (mass, charge, ...) and pass unchanged. A
    velocity among them would have to be turned as well, so it does not belong there.

    Args:
        trajectories: floating [B, T, N, F], coordinates first.
        matrices: R, of the same dtype [B, D, D].

    Returns:
        The rotated trajectories [B, T, N, F].

    Example:
        >>> quarter = tf.constant([[[0.0, -1.0], [1.0, 0.0]]])
        >>> rotate(tf.constant([[[[1.0, 0.0, 5.0]]]]), quarter)
        # x = 0, y = 1, and the third feature is still 5
    """
    dims = matrices.shape[-1]
    rotated = tf.einsum("bij,btnj->btni", matrices, trajectories[..., :dims])
    return tf.concat([rotated, trajectories[..., dims:]], axis=-1)
