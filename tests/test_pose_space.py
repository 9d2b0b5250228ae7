"""Unit vectors that move: SciPy's rotations, angles in the plane, and finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.transform import Rotation

from socialmd.pose_space import PoseSpace


def numbers(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def draw(rng, dims, count=7, spin=1.0):
    """Poses, and velocities whose spins are at right angles to the unit vectors, float64."""
    u = rng.normal(size=(count, dims))
    u /= np.linalg.norm(u, axis=-1, keepdims=True)
    s = rng.normal(scale=spin, size=(count, dims))
    s -= (s * u).sum(-1, keepdims=True) * u
    x, v = rng.normal(size=(2, count, dims))
    return np.concatenate([x, u], -1), np.concatenate([v, s], -1)


def test_turns_in_the_plane_are_turns_by_an_angle(rng):
    pose, velocity = draw(rng, 2)
    angle = np.arctan2(pose[:, 3], pose[:, 2])
    rate = pose[:, 2] * velocity[:, 3] - pose[:, 3] * velocity[:, 2]
    moved, carried = map(numbers, PoseSpace(2, True).drift(pose, velocity, 0.7))
    after = angle + 0.7 * rate
    np.testing.assert_allclose(moved[:, :2], pose[:, :2] + 0.7 * velocity[:, :2])
    np.testing.assert_allclose(moved[:, 2:], np.stack([np.cos(after), np.sin(after)], -1))
    tangent = np.stack([-np.sin(after), np.cos(after)], -1)
    np.testing.assert_allclose(carried[:, 2:], rate[:, None] * tangent, atol=1e-12)


def test_turns_in_space_are_rotations_about_the_axis_of_the_spin(rng):
    pose, velocity = draw(rng, 3)
    u, s = pose[:, 3:], velocity[:, 3:]
    rotation = Rotation.from_rotvec(0.7 * np.cross(u, s))
    moved, carried = map(numbers, PoseSpace(3, True).drift(pose, velocity, 0.7))
    np.testing.assert_allclose(moved[:, 3:], rotation.apply(u), atol=1e-12)
    np.testing.assert_allclose(carried[:, 3:], rotation.apply(s), atol=1e-12)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_difference_is_the_velocity_that_leads_there(rng, dims):
    space = PoseSpace(dims, True)
    pose, velocity = draw(rng, dims, spin=0.7)  # by less than half a turn
    np.testing.assert_allclose(space.difference(space.move(pose, velocity), pose), velocity)


@pytest.mark.parametrize("dims", [2, 3])
def test_carried_velocities_keep_their_length_and_their_angle_to_the_way(rng, dims):
    space = PoseSpace(dims, True)
    pose, way = draw(rng, dims)
    _, velocity = draw(rng, dims)
    velocity = numbers(space.project(velocity, pose))
    end, along = map(numbers, space.drift(pose, way, 1.0))
    carried = numbers(space.carry(velocity, pose, end))
    np.testing.assert_allclose(space.carry(way, pose, end), along, atol=1e-12)
    for first, second in ((velocity, velocity), (velocity, way)):
        before = (first[:, dims:] * second[:, dims:]).sum(-1)
        second = along if second is way else carried
        np.testing.assert_allclose((carried[:, dims:] * second[:, dims:]).sum(-1), before)
    np.testing.assert_allclose((carried[:, dims:] * end[:, dims:]).sum(-1), 0.0, atol=1e-12)


def test_small_turns_are_resolved_in_single_precision(rng):
    pose, velocity = (each.astype("float32") for each in draw(rng, 3, spin=1e-3))
    space = PoseSpace(3, True)
    found = numbers(space.difference(space.move(pose, velocity), pose))
    np.testing.assert_allclose(found[:, 3:], velocity[:, 3:], atol=2e-7)


def test_gradients_at_rest_are_those_of_finite_differences(rng):
    """Where an angle is zero, its root has no slope, but turns have."""
    space = PoseSpace(3, True)
    pose, direction = draw(rng, 3, count=1)
    rest = np.zeros_like(direction)
    with tf.GradientTape() as tape:
        velocity = tf.constant(rest)
        tape.watch(velocity)
        result = tf.reduce_sum(space.move(pose, velocity) * np.arange(6.0))
    found = float(tf.reduce_sum(tape.gradient(result, velocity) * direction))
    ends = [
        numbers(space.move(pose, rest + step * direction)) @ np.arange(6.0)
        for step in (1e-5, -1e-5)
    ]
    assert found == pytest.approx(float((ends[0] - ends[1])[0]) / 2e-5, rel=1e-6)


def test_positions_alone_are_moved_as_ever(rng):
    space, (x, v) = PoseSpace(2), rng.normal(size=(2, 5, 2))
    assert space.width == 2
    np.testing.assert_array_equal(space.move(x, v), x + v)
    np.testing.assert_array_equal(space.difference(x, v), x - v)
    np.testing.assert_array_equal(space.carry(v, x, x), v)
    np.testing.assert_array_equal(space.drift(x, v, 0.5)[0], x + 0.5 * v)


def test_padded_particles_that_point_nowhere_stay_finite():
    space, nothing = PoseSpace(2, True), np.zeros((1, 4), "float32")
    with tf.GradientTape() as tape:
        pose = tf.constant(nothing)
        tape.watch(pose)
        moved, velocity = space.drift(pose, nothing, 1.0)
        found = space.carry(space.difference(moved, pose), pose, moved) + velocity
    assert np.isfinite(numbers(found)).all()
    assert np.isfinite(numbers(tape.gradient(found, pose))).all()
