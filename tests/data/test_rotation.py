import numpy as np
import tensorflow as tf

from socialmd.data.rotation import rotate


def test_a_quarter_turn_takes_x_to_y_and_y_to_minus_x():
    particles = np.array([[1.0, 0.0, 5.0], [0.0, 2.0, -6.0]], np.float32)
    rotated = rotate(particles[np.newaxis, np.newaxis], tf.constant([np.pi / 2], tf.float32))
    expected = [[[[0.0, 1.0, 5.0], [-2.0, 0.0, -6.0]]]]
    np.testing.assert_allclose(rotated, expected, atol=1e-6)


def test_each_sample_is_turned_by_its_own_angle(rng):
    trajectories = rng.normal(size=(4, 3, 5, 6))
    angles = rng.uniform(-10, 10, size=4)
    rotated = np.asarray(rotate(tf.constant(trajectories), tf.constant(angles)))
    for sample, angle in enumerate(angles):
        cos, sin = np.cos(angle), np.sin(angle)
        turned = trajectories[sample, ..., :2] @ np.array([[cos, sin], [-sin, cos]])
        np.testing.assert_allclose(rotated[sample, ..., :2], turned, atol=1e-12)
    np.testing.assert_array_equal(rotated[..., 2:], trajectories[..., 2:])


def test_angle_zero_changes_nothing(rng):
    trajectories = rng.normal(size=(2, 3, 5, 3)).astype(np.float32)
    np.testing.assert_array_equal(rotate(trajectories, tf.zeros(2)), trajectories)
