"""Surfaces of spheres whose surfaces are known."""

import numpy as np
import pytest

from socialmd.molecular.accessible_surface import accessible_surface


def cap(radius, other, distance):
    """Area of one sphere within another one."""
    height = radius - (distance**2 + radius**2 - other**2) / (2 * distance)
    return 2 * np.pi * radius * height


def test_spheres_cover_each_others_caps():
    """Two that overlap, in frames of their own, and one that is far from both."""
    distances = np.array([4.0, 5.0, 6.0])
    x = np.zeros((3, 3, 3))
    x[:, 1, 0], x[:, 2] = distances, [30.0, 40.0, 50.0]
    found = accessible_surface(x, [2.0, 3.0, 4.0], probe_radius=1.5)
    one, other = 3.5, 4.5
    np.testing.assert_allclose(
        found[:, 0], 4 * np.pi * one**2 - cap(one, other, distances), rtol=0.01
    )
    np.testing.assert_allclose(
        found[:, 1], 4 * np.pi * other**2 - cap(other, one, distances), rtol=0.01
    )
    np.testing.assert_allclose(found[:, 2], 4 * np.pi * 5.5**2, rtol=1e-6)


def test_spheres_that_have_flown_apart_cost_no_more(rng):
    """Those that still touch do so as before, wherever they are."""
    x = np.concatenate([rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) + 1e4])
    x = np.concatenate([4 * x, 1e7 * rng.normal(size=(60, 3))])[None]
    found = accessible_surface(x, np.full(120, 3.0))
    near, far = accessible_surface(x[:, :30], np.full(30, 3.0)), 4 * np.pi * 4.4**2
    np.testing.assert_array_equal(found[:, :30], near)
    assert near.mean() < 0.5 * far
    np.testing.assert_allclose(found[:, 60:], far)


def test_what_is_inside_of_others_has_none():
    inside = [[[0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    assert accessible_surface(inside, [1.0, 3.0])[0, 0] == 0.0


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match=r"found shapes \(1, 2, 2\) and \(2,\)"):
        accessible_surface(np.zeros((1, 2, 2)), [1.0, 1.0])
    for radii in ([1.0, -2.0], [1.0, np.inf]):
        with pytest.raises(ValueError, match="finite numbers, and positive radii"):
            accessible_surface(np.zeros((1, 2, 3)), radii)
