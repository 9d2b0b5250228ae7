import numpy as np
import pytest

from socialmd.molecular.radial_distribution import radial_distribution


def test_hand_placed_molecules():
    positions = [
        [[3, 4, 0], [0, 0, 1], [0, 2, 0]],  # distances 5, 1, 2
        [[0, 0, 10], [0, 3, 0], [5, 0, 0]],  # 10, 3, 5
    ]
    radial = radial_distribution(positions, ["OQL", "ONC", "ONC"], num_bins=5)
    assert list(radial.mean) == ["ONC", "OQL"]
    np.testing.assert_allclose(radial.mean["OQL"], [5, 10])
    np.testing.assert_allclose(radial.spread["OQL"], [0, 0])
    np.testing.assert_allclose(radial.mean["ONC"], [1.5, 4])
    np.testing.assert_allclose(radial.spread["ONC"], [0.5, 1])
    np.testing.assert_allclose(radial.bin_edges, [0, 2, 4, 6, 8, 10])
    # The upper edge belongs to the last bin, any other edge to the bin above it.
    np.testing.assert_array_equal(radial.counts["OQL"], [[0, 0, 1, 0, 0], [0, 0, 0, 0, 1]])
    np.testing.assert_array_equal(radial.counts["ONC"], [[1, 1, 0, 0, 0], [0, 1, 1, 0, 0]])


def test_every_molecule_is_counted_at_every_frame(rng):
    names = ["a"] * 7 + ["b"] * 4
    radial = radial_distribution(rng.normal(size=(6, 11, 3)), names)
    for name in ("a", "b"):
        assert radial.counts[name].shape == (6, 30)
        assert (radial.counts[name].sum(axis=1) == names.count(name)).all()


def test_rotation_about_the_centre_changes_nothing(rng):
    positions = rng.normal(size=(3, 9, 3))
    orthogonal = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    one, other = (radial_distribution(x, ["a"] * 9) for x in (positions, positions @ orthogonal))
    np.testing.assert_allclose(one.mean["a"], other.mean["a"])
    np.testing.assert_allclose(one.spread["a"], other.spread["a"])


def test_molecules_at_the_centre_have_a_histogram():
    radial = radial_distribution(np.zeros((1, 2, 3)), ["a", "a"], num_bins=3)
    np.testing.assert_array_equal(radial.counts["a"], [[2, 0, 0]])


@pytest.mark.parametrize(
    ("positions", "names", "num_bins", "message"),
    [
        (np.zeros((2, 3)), ["a"] * 2, 3, r"positions: expected shape \[frames, N, 3\]"),
        (np.full((1, 1, 3), np.inf), ["a"], 3, "positions: expected finite"),
        (np.zeros((1, 2, 3)), ["a"], 3, "names: expected one for each of 2 molecules, found 1"),
        (np.zeros((1, 1, 3)), ["a"], 0, "num_bins: expected at least one, found 0"),
    ],
)
def test_impossible_arguments_are_named(positions, names, num_bins, message):
    with pytest.raises(ValueError, match=message):
        radial_distribution(positions, names, num_bins)
