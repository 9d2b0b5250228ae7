"""The expansion against the sums that it approximates, and moments known from textbooks."""

import numpy as np
import pytest

from socialmd.simulation.multipoles import Multipoles, coulomb_field, coulomb_potential


@pytest.fixture(params=[2, 3], ids="{} dimensions".format)
def cloud(request, rng):
    """Seven charges within a radius of one."""
    x = rng.normal(size=(7, request.param))
    x *= rng.uniform(0.3, 1.0, (7, 1)) / np.linalg.norm(x, axis=1, keepdims=True)
    return x, rng.normal(size=7)


def on_spheres(rng, radii, dims):
    """The same hundred directions at each radius, [radii, 100, D]."""
    directions = rng.normal(size=(100, dims))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.multiply.outer(radii, directions)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_errors_fall_as_the_next_power_of_the_distance(cloud, rng, order):
    x, q = cloud
    radii = np.array([40.0, 80.0, 160.0])
    places = on_spheres(rng, radii, x.shape[1])
    moments = Multipoles.of(x, q)
    for exact, terms, axis, power in (
        (coulomb_potential(x, q, places), moments.potential(places), -1, 2),
        (coulomb_field(x, q, places), moments.field(places), -2, 3),
    ):
        known = np.take(terms, range(order + 1), axis=axis).sum(axis=axis)
        errors = np.sqrt(np.square(exact - known).reshape(3, -1).mean(axis=1))
        slopes = np.diff(np.log(errors)) / np.diff(np.log(radii))
        np.testing.assert_allclose(slopes, -(order + power), atol=0.1)


def test_fields_are_minus_gradients(cloud, rng):
    x, q = cloud
    moments = Multipoles.of(x, q)
    places, step = on_spheres(rng, [3.0], x.shape[1])[0], 1e-5
    for axis, along in enumerate(step * np.eye(x.shape[1])):
        for potential, field in (
            (moments.potential, moments.field(places)[..., axis]),
            (
                lambda r: coulomb_potential(x, q, r, 1.0),
                coulomb_field(x, q, places)[..., axis],
            ),
        ):
            slope = (potential(places + along) - potential(places - along)) / (2 * step)
            np.testing.assert_allclose(field, -slope, rtol=1e-5, atol=1e-8)


def test_moments_are_those_of_the_textbook():
    """A linear quadrupole: charges 1, -2, 1 at distances d along z."""
    d = 0.7
    x, q = [[0.0, 0.0, d], [0.0, 0.0, 0.0], [0.0, 0.0, -d]], [1.0, -2.0, 1.0]
    found = Multipoles.of(x, q)
    assert found.monopole == 0
    np.testing.assert_array_equal(found.dipole, 0.0)
    np.testing.assert_allclose(found.quadrupole, np.diag([-2.0, -2.0, 4.0]) * d**2)
    # In the plane of z and x, it is the same one.
    in_plane = Multipoles.of(np.array(x)[:, 1:], q)
    np.testing.assert_allclose(in_plane.quadrupole, found.quadrupole[1:, 1:])
    np.testing.assert_allclose(in_plane.potential([3.0, 4.0]), found.potential([0.0, 3.0, 4.0]))


def test_traces_vanish_in_space(rng):
    found = Multipoles.of(rng.normal(size=(5, 9, 3)), rng.normal(size=(5, 9)))
    np.testing.assert_allclose(np.trace(found.quadrupole, axis1=1, axis2=2), 0.0, atol=1e-12)


def test_the_first_moment_is_the_same_about_all_origins(cloud):
    x, q = cloud
    neutral = q - q.mean()
    here, there = Multipoles.of(x, neutral), Multipoles.of(x, neutral, origin=np.ones(x.shape[1]))
    np.testing.assert_allclose(here.dipole, there.dipole)
    assert not np.allclose(here.quadrupole, there.quadrupole)
    shifted = Multipoles.of(x - 1.0, neutral)
    np.testing.assert_allclose(there.quadrupole, shifted.quadrupole)


def test_constants_multiply_and_leading_axes_are_those_of_each_set(rng):
    x, q, places = rng.normal(size=(4, 6, 3)), rng.normal(size=(4, 6)), 5 + rng.normal(size=(4, 3))
    found = Multipoles.of(x, q)
    for number in range(4):
        one = Multipoles.of(x[number], q[number])
        for together, alone in (
            (found.potential(places, 2.0), one.potential(places[number], 2.0)),
            (found.field(places, 2.0), one.field(places[number], 2.0)),
        ):
            np.testing.assert_allclose(together[number], alone)
        np.testing.assert_allclose(
            one.potential(places[number], 2.0), 2 * one.potential(places[number])
        )


@pytest.mark.parametrize(
    ("positions", "charges", "message"),
    [
        (np.zeros((3, 4)), np.ones(3), r"found \(3, 4\) and \(3,\)"),
        (np.zeros((3, 2)), np.ones(2), r"found \(3, 2\) and \(2,\)"),
        ([[np.nan, 0.0]], [1.0], "expected finite numbers only"),
    ],
)
def test_impossible_charges_are_refused(positions, charges, message):
    for function in (Multipoles.of, lambda x, q: coulomb_field(x, q, [1.0, 1.0])):
        with pytest.raises(ValueError, match=message):
            function(positions, charges)
