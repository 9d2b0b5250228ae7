"""S(k) against the sum over all waves, and crystals."""

import numpy as np
import pytest

from socialmd.molecular.structure_factor import structure_factor

BOXES = {
    "orthorhombic": np.diag([8.0, 9.0, 10.0]),
    "triclinic": np.array([[10.0, 0.0, 0.0], [3.0, 9.0, 0.0], [-2.0, 2.5, 9.5]]),
    "rhombic dodecahedron": 9 * np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.5**0.5]]),
}


def waves(box):
    """Vectors k with k . a an integer times 2 pi for all box vectors a, more than are needed."""
    counts = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3), axis=-1).reshape(-1, 3)
    return 2 * np.pi * counts @ np.linalg.inv(box).T


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_it_is_the_sum_over_all_waves(rng, name, is_mirrored):
    """In boxes of any orientation and of changing size, particles anywhere."""
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn)) * (-1) ** is_mirrored
    boxes = np.array([BOXES[name], 1.1 * BOXES[name]]) @ turn
    x = rng.uniform(-1, 2, (2, 20, 3)) @ boxes
    total, count = np.zeros(5), np.zeros(5)
    for frame, box in zip(x, boxes, strict=True):
        k = waves(box)
        s = np.abs(np.exp(1j * k @ frame.T).sum(axis=1)) ** 2 / 20
        lengths, edges = np.linalg.norm(k, axis=1), np.linspace(0.5, 3.0, 6)
        total += np.histogram(lengths, edges, weights=s)[0]
        count += np.histogram(lengths, edges)[0]
    found = structure_factor(x, boxes, 0.5, 3.0, 5)
    np.testing.assert_allclose(found.wave_numbers, [0.75, 1.25, 1.75, 2.25, 2.75])
    np.testing.assert_allclose(found.values, total / count)


def test_a_crystal_has_waves_of_its_lattice_only():
    lattice = 2.0 * np.indices((5, 5, 5)).reshape(3, -1).T
    found = structure_factor(lattice[None], [10 * np.eye(3)], np.pi - 0.6, np.pi + 0.6, 3)
    np.testing.assert_allclose(found.values[[0, 2]], 0.0, atol=1e-9)
    assert found.values[1] > 1.0  # 2 pi / 2, of 125 where nothing else shares the bin


def test_where_no_wave_fits_there_is_no_number(rng):
    found = structure_factor(rng.uniform(size=(1, 4, 3)), [np.eye(3)], 0.5, 6.5, 2)
    assert np.isnan(found.values).tolist() == [True, False]  # the first is 2 pi


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match=r"found shapes \(1, 3, 2\)"):
        structure_factor(np.zeros((1, 3, 2)), [np.eye(3)], 1.0, 2.0)
    with pytest.raises(ValueError, match=r"found 0\.0 and 2\.0"):
        structure_factor(np.zeros((1, 3, 3)), [np.eye(3)], 0.0, 2.0)
