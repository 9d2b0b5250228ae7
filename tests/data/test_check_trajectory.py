"""Numbers that are no positions or features are refused; what moves by itself is not."""

import numpy as np
import pytest

from socialmd.data import FeatureLayout
from socialmd.data.check_trajectory import check_trajectory, find_change

LAYOUT = FeatureLayout.of_scalars(["x", "y", "mass", "charge"], 2)


@pytest.fixture
def walk(rng):
    """Ten particles that wander about in a square of 20, and beyond: [200, 10, 4]."""
    start = rng.uniform(0, 20, (10, 2))
    x = start + rng.normal(0, 0.5, (200, 10, 2)).cumsum(axis=0)
    constant = np.broadcast_to(rng.uniform(0.5, 2, (10, 2)), x.shape)
    return np.concatenate([x, constant], axis=-1)


def check(array, layout=LAYOUT):
    check_trajectory("mine.npy", array, layout)


def refuse(array, message):
    with pytest.raises(ValueError, match=rf"mine\.npy: {message}"):
        check(array)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((5, 3, 4)),  # nothing moves
        np.ones((1, 1, 4)),
        np.random.default_rng(0).normal(size=(300, 1, 2)),  # one particle that shakes
        np.random.default_rng(0).normal(size=(300, 5, 2)).cumsum(axis=0),  # from one place on
        np.linspace(0, 9, 10)[:, None, None] * [1.0, -2.0],  # uniform motion
        np.array([[[0.0, 0]], [[5.0, 0]], [[0.0, 0]]]),
        np.stack([np.cos(np.arange(9)), np.sin(np.arange(9))], -1)[:, None],  # once around in six
    ],
)
def test_what_moves_by_itself_passes(array):
    check(array, FeatureLayout.unnamed(array.shape[-1], 2))


def test_walks_pass(walk):
    check(walk)
    check(walk.astype(np.float32))
    walk[0, :, :2] = 0  # all from one place: an arrow of time, but no fault
    walk[1:, :, :2] -= walk[1, :, :2]
    check(walk)


@pytest.mark.parametrize(("feature", "name"), [(2, "mass"), (3, "charge")])
def test_features_that_change_in_time_are_refused(walk, feature, name):
    walk[150:, 7, feature] += 0.01
    refuse(walk, rf"feature {name}: expected one that stays .* frame 150, particle 7")
    assert find_change(walk, [2, 3]) == (150, 7, feature)
    assert find_change(walk, [5 - feature]) is None
    assert find_change(walk, []) is None


def test_velocities_are_refused(walk):
    walk[:, :, 2:] = np.gradient(walk[:, :, :2], axis=0)
    refuse(walk, "feature mass: .* leave out what changes, or say by a layout")


def test_rounding_is_no_change(walk):
    walk[..., 2:] = walk[..., 2:].astype(np.float32)
    walk[100:, :, 2:] *= 1 + 1e-7
    check(walk)


@pytest.mark.parametrize("frame", [0, 80, 199])
def test_a_frame_of_zeros_among_others_is_refused(walk, frame):
    walk[frame, :, :2] = 0
    refuse(walk, f"expected places, found zeros for all particles at frame {frame}")


@pytest.mark.parametrize("value", [9999.0, -9999.0, -999.0, 99999.0])
def test_fill_values_are_no_places(walk, value):
    walk[30, 4, :2] = value
    refuse(walk, rf"expected places, found \[{value}, {value}\] at frame 30, particle 4")
    walk[30, 4, 1] = 3.0 - value  # one coordinate alone may have it
    walk[:, :, 2] = value
    with pytest.raises(ValueError, match="moves from"):
        check(walk)


def test_trajectories_that_were_wrapped_are_refused(walk):
    walk[..., :2] %= 20.0
    refuse(walk, r"particle \d moves from [xy] = .* between frames \d+ and .* unwrap")


def test_a_particle_that_is_kicked_goes_less_far(walk):
    """Many times a usual step, but less than half the extent of all."""
    walk[120:, 3, 1] += 0.4 * np.ptp(walk[..., 1]) * np.sign(walk[..., 1].mean() - walk[119, 3, 1])
    assert abs(np.diff(walk[..., 1], axis=0)).max() > 8.0
    check(walk)


def test_one_wall_is_enough(walk):
    walk[120:, 3, 1] -= 1.2 * np.ptp(walk[..., 1])
    refuse(walk, "particle 3 moves from y = .* between frames 119 and 120, .* in 0 more places")
