"""Rotation of whole samples: the law of motion does not know how the coordinate axes lie."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["rotate"]


def rotate(trajectories: tf.Tensor, angles: tf.Tensor) -> tf.Tensor:
    """Turn each trajectory counterclockwise about the origin of the x-y plane.

        x' = x cos(a) - y sin(a)
        y' = x sin(a) + y cos(a)

    The features after x and y are scalars (mass, charge, ...) and pass unchanged. A velocity
    among them would have to be turned as well, so it does not belong there.

    Args:
        trajectories: floating [B, T, N, F], x and y first.
        angles: a, of the same dtype [B], in radians.

    Returns:
        The rotated trajectories [B, T, N, F].

    Example:
        >>> rotate(tf.constant([[[[1.0, 0.0, 5.0]]]]), tf.constant([np.pi / 2], tf.float32))
        # x = 0, y = 1, and the third feature is still 5
    """
    angles = angles[:, tf.newaxis, tf.newaxis]  # [B, 1, 1]
    cos, sin = tf.cos(angles), tf.sin(angles)
    x, y = trajectories[..., 0], trajectories[..., 1]  # [B, T, N]
    rotated = tf.stack([x * cos - y * sin, x * sin + y * cos], axis=-1)  # [B, T, N, 2]
    return tf.concat([rotated, trajectories[..., 2:]], axis=-1)
