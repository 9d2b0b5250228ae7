"""Densities of what is shifted and turned."""

import numpy as np
import pytest
from scipy.stats import special_ortho_group

from socialmd.distributions import Pose, get
from socialmd.distributions.direction import Direction

NAMES = ("gaussian", "isotropic_gaussian", "student_t", "correlated_mixture", "mixture")
TURNED = NAMES[:-1]


def random_density(rng, name, dims, rows=6):
    """Parameters that a network might give, and the distribution."""
    distribution = get(name, dims)
    size = len(distribution.initial_outputs(3, dims))
    outputs = rng.normal(size=(rows, size)).astype("float32")
    origin = rng.normal(size=(rows, dims)).astype("float32")
    return distribution, distribution.to_parameters(outputs, origin, 0.5, 0.7)


def rotations(rng, dims, rows=6):
    return special_ortho_group.rvs(dims, size=rows, random_state=rng).astype("float32")


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", TURNED)
def test_density_at_moved_places_is_the_density_of_before(rng, name, dims):
    distribution, parameters = random_density(rng, name, dims)
    places = rng.normal(size=(6, dims)).astype("float32")
    shift, turns = rng.normal(size=(6, dims)).astype("float32"), rotations(rng, dims)
    moved = distribution.move(parameters, shift, turns)
    assert moved.shape == parameters.shape
    there = np.einsum("bij,bj->bi", turns, places) + shift
    np.testing.assert_allclose(
        distribution.from_parameters(moved).log_prob(there),
        distribution.from_parameters(parameters).log_prob(places),
        rtol=2e-4,
        atol=2e-4,
    )
    expected = np.einsum("bij,bj->bi", turns, distribution.mean(parameters)) + shift
    np.testing.assert_allclose(distribution.mean(moved), expected, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_shift_alone_leaves_widths_as_they_are(rng, name):
    distribution, parameters = random_density(rng, name, 2)
    shift = rng.normal(size=(6, 2)).astype("float32")
    moved = distribution.move(parameters, shift)
    for before, after in zip(
        distribution.components(parameters), distribution.components(moved), strict=True
    ):
        if before.shape[-1] == 2 and len(before.shape) == 3:  # means
            before = before + shift[:, None]
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(distribution.move(parameters, 0.0), parameters)


@pytest.mark.parametrize("dims", [2, 3])
def test_strong_correlations_stay_what_they_are(rng, dims):
    distribution = get("gaussian", dims)
    sigma = np.full(dims, 1e-5)
    z = np.full(dims * (dims - 1) // 2, 3.0)
    parameters = np.float32([*np.zeros(dims), *sigma, *z])[None]
    turns = rotations(rng, dims, 2)[:1]
    there = distribution.move(parameters, 0.0, turns)
    back = distribution.move(there, 0.0, np.swapaxes(turns, -1, -2))
    np.testing.assert_allclose(back, parameters, rtol=1e-3)


def test_nothing_is_turned_that_has_no_correlation(rng):
    distribution, parameters = random_density(rng, "mixture", 2)
    with pytest.raises(ValueError, match="expected one that can be turned, as correlated_mixture"):
        distribution.move(parameters, 0.0, rotations(rng, 2))


def test_poses_are_turned_and_only_their_places_shifted(rng):
    distribution = Pose("gaussian", 2)
    position, direction = random_density(rng, "gaussian", 2)[1], rng.normal(size=(6, 4))
    direction = Direction(2).to_parameters(direction.astype("float32"), 0.0, 1.0, 0.5)
    shift, turns = rng.normal(size=(6, 2)).astype("float32"), rotations(rng, 2)
    parameters = np.concatenate([position, direction], axis=-1)
    moved = distribution.move(parameters, shift, turns)
    place, pointing = distribution.split(moved)
    np.testing.assert_allclose(place, distribution.position.move(position, shift, turns))
    turned = np.einsum("bij,bj->bi", turns, np.asarray(direction)[:, :2])
    np.testing.assert_allclose(pointing[:, :2], turned, atol=1e-6)
    np.testing.assert_array_equal(pointing[:, 2:], direction[:, 2:])
