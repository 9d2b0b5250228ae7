"""S(k) against the sum over all waves, and crystals."""

import numpy as np
import pytest

from socialmd.molecular.structure_factor import structure_factor

BOXES = {
    "orthorhombic": np.diag([8.0, 9.0, 10.0]),
    "triclinic": np.array([[10.0, 0.0, 0.0], [3.0, 9.0, 0.0], [-2.0, 2.5, 9.5]]),
}


def waves(box, highest):
    """All vectors k of one octant with k . a an integer times 2 pi for all box vectors a."""
    counts = np.stack(np.meshgrid(*[np.arange(12)] * 3), axis=-1).reshape(-1, 3)
    k = 2 * np.pi * counts @ np.linalg.inv(box).T
    length = np.linalg.norm(k, axis=1)
    return k[(length > 0) & (length <= highest)]


@pytest.mark.parametrize("name", BOXES)
def test_it_is_the_sum_over_waves(rng, name):
    """In a box of any orientation, particles anywhere; some waves of triclinic ones are left out
    where wave numbers are highest.
    """
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    boxes = np.array([BOXES[name], 1.1 * BOXES[name]]) @ turn
    x = rng.uniform(-1, 2, (2, 20, 3)) @ boxes
    # Of each frame its mean over waves, weighted by how many there are.
    total, count = np.zeros(4), np.zeros(4)
    for frame, box in zip(x, boxes, strict=True):
        k = waves(box, 3.0)
        s = np.abs(np.exp(1j * k @ frame.T).sum(axis=1)) ** 2 / 20
        lengths, edges = np.linalg.norm(k, axis=1), np.linspace(1.0, 3.0, 5)
        total += np.histogram(lengths, edges, weights=s)[0]
        count += np.histogram(lengths, edges)[0]
    found = structure_factor(x, boxes, 1.0, 3.0, 4)
    np.testing.assert_allclose(found.wave_numbers, [1.25, 1.75, 2.25, 2.75])
    full = slice(None) if name == "orthorhombic" else slice(2)
    np.testing.assert_allclose(found.values[full], (total / count)[full], rtol=1e-4)


def test_a_crystal_has_waves_of_its_lattice_only():
    lattice = 2.0 * np.indices((5, 5, 5)).reshape(3, -1).T
    found = structure_factor(lattice[None], [10 * np.eye(3)], np.pi - 0.6, np.pi + 0.6, 3)
    np.testing.assert_allclose(found.values[[0, 2]], 0.0, atol=1e-4)
    assert found.values[1] > 1.0  # 2 pi / 2, of 125 where nothing else shares the bin


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match=r"found shapes \(1, 3, 2\)"):
        structure_factor(np.zeros((1, 3, 2)), [np.eye(3)], 1.0, 2.0)
    with pytest.raises(ValueError, match=r"found 0\.0 and 2\.0"):
        structure_factor(np.zeros((1, 3, 3)), [np.eye(3)], 0.0, 2.0)
