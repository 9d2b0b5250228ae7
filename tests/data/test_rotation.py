import numpy as np
from scipy.spatial.transform import Rotation

from socialmd.data.rotations import random_rotations, rotate


def test_a_quarter_turn_takes_x_to_y_and_y_to_minus_x():
    particles = np.array([[1.0, 0.0, 5.0], [0.0, 2.0, -6.0]], np.float32)
    quarter = np.array([[[0.0, -1.0], [1.0, 0.0]]])
    rotated = rotate(particles[np.newaxis, np.newaxis], quarter)
    expected = [[[[0.0, 1.0, 5.0], [-2.0, 0.0, -6.0]]]]
    np.testing.assert_allclose(rotated, expected, atol=1e-6)


def test_each_sample_is_turned_by_its_own_matrix(rng):
    trajectories = rng.normal(size=(4, 3, 5, 6))
    matrices = Rotation.random(4, random_state=1).as_matrix()
    rotated = rotate(trajectories, matrices)
    for sample, matrix in enumerate(matrices):
        turned = trajectories[sample, ..., :3] @ matrix.T
        np.testing.assert_allclose(rotated[sample, ..., :3], turned, atol=1e-12)
    np.testing.assert_array_equal(rotated[..., 3:], trajectories[..., 3:])


def test_identity_changes_nothing(rng):
    trajectories = rng.normal(size=(2, 3, 5, 3)).astype(np.float32)
    rotated = rotate(trajectories, np.tile(np.eye(2), (2, 1, 1)))
    np.testing.assert_array_equal(rotated, trajectories)


def test_rotations_are_proper():
    for dims in (2, 3):
        matrices = random_rotations(100, dims, [0, 1])
        products = matrices @ np.swapaxes(matrices, 1, 2)
        np.testing.assert_allclose(products, np.tile(np.eye(dims), (100, 1, 1)), atol=1e-6)
        np.testing.assert_allclose(np.linalg.det(matrices), 1.0, atol=1e-6)


def test_angles_in_the_plane_are_uniform():
    matrices = random_rotations(20_000, 2, [0, 1])
    angles = np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0])
    histogram, _ = np.histogram(angles, bins=8, range=(-np.pi, np.pi))
    np.testing.assert_allclose(histogram / 2500, 1.0, atol=0.1)  # five standard deviations


def test_rotations_in_space_are_uniform():
    """A turned vector is uniform on the sphere, and the angle has density (1 - cos a) / pi.

    Uniform Euler angles would crowd the poles; a uniform axis with a uniform angle would give
    too many small angles.
    """
    matrices = random_rotations(20_000, 3, [0, 1])
    for axis in range(3):  # each coordinate of a uniform direction is uniform in [-1, 1]
        histogram, _ = np.histogram(matrices[:, :, axis], bins=8, range=(-1, 1))
        np.testing.assert_allclose(histogram / 7500, 1.0, atol=0.08)
    cos = np.clip((np.trace(matrices, axis1=1, axis2=2) - 1) / 2, -1, 1)
    angles = np.sort(np.arccos(cos))
    expected = (angles - np.sin(angles)) / np.pi
    assert np.abs(expected - np.arange(20_000) / 20_000).max() < 0.015  # Kolmogorov-Smirnov
