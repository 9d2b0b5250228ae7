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


def test_what_is_inside_of_others_has_none():
    inside = [[[0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    assert accessible_surface(inside, [1.0, 3.0])[0, 0] == 0.0


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match=r"found shapes \(1, 2, 2\) and \(2,\)"):
        accessible_surface(np.zeros((1, 2, 2)), [1.0, 1.0])
    with pytest.raises(ValueError, match="no negative radius"):
        accessible_surface(np.zeros((1, 2, 3)), [1.0, -1.0])
