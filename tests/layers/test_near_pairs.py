"""Pairs that are kept: who is in the list, and when it is made anew."""

import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers import near_pairs
from socialmd.layers.near_pairs import SKIN, keep_near_pairs
from socialmd.layers.pairs import find_pairs

REACH = 2.0


def pairs_that_count(pairs, offsets, counts):
    both = np.stack([pairs.owner, pairs.neighbour], axis=-1)[np.asarray(counts)]
    return {tuple(map(int, pair)) for pair in both}


def pairs_within_reach(positions):
    return {
        (i, j)
        for i, j in np.ndindex(len(positions), len(positions))
        if i != j and np.all(np.abs(positions[j] - positions[i]) <= REACH)
    }


@pytest.fixture
def searches(monkeypatch):
    """Reaches of all searches so far."""
    reaches = []

    def counted(positions, reach, *others):
        reaches.append(reach)
        return find_pairs(positions, reach, *others)

    monkeypatch.setattr(near_pairs, "find_pairs", counted)
    return reaches


def keep(positions):
    return keep_near_pairs(tf.constant(positions[None]), REACH, lambda *about: about)


@pytest.mark.parametrize(
    ("step", "is_kept"), [(0.0, True), (0.49, True), (0.51, False), (np.nan, False)]
)
def test_it_is_made_anew_once_somebody_may_have_come_into_reach(rng, searches, step, is_kept):
    start = rng.uniform(-4, 4, size=(30, 2)).astype("float32")
    near = keep(start)
    moved = start.copy()
    moved[7, 0] += step * SKIN * REACH
    pairs, offsets, counts = near(tf.constant(moved[None]))
    assert len(searches) == (1 if is_kept else 2)
    assert pairs_that_count(pairs, offsets, counts) == pairs_within_reach(moved)
    known = start if is_kept else moved
    expected = known[pairs.neighbour.numpy()] - known[pairs.owner.numpy()]
    np.testing.assert_array_equal(pairs.known[2], expected)


def test_sums_have_all_particles(rng):
    """Also those of nobody near, the last one among them."""
    positions = rng.uniform(-4, 4, size=(30, 2)).astype("float32")
    positions[[0, 29]] = [[50, 0], [0, 50]]
    pairs, offsets, _ = keep(positions)(tf.constant(positions[None]))
    expected = np.zeros((30, 2), "float32")
    np.add.at(expected, pairs.owner.numpy(), offsets.numpy())
    np.testing.assert_allclose(pairs.sums(offsets, 30), expected, atol=1e-5)
    nobody = keep(np.float32([[0, 0], [50, 0]]))(tf.constant(np.float32([[[0, 0], [50, 0]]])))
    np.testing.assert_array_equal(nobody[0].sums(nobody[1], 2), np.zeros((2, 2)))


def test_two_that_meet_are_seen(searches):
    """Just out of reach of each other first, then both as far inward as nobody may go unseen."""
    step = 0.49 * SKIN * REACH
    start = np.float32([[0, 0], [REACH + 1.9 * step, 0]])
    near = keep(start)
    assert pairs_that_count(*near(tf.constant(start[None]))) == set()
    moved = start + np.float32([[step, 0], [-step, 0]])
    assert pairs_that_count(*near(tf.constant(moved[None]))) == {(0, 1), (1, 0)}
    assert searches == [pytest.approx(REACH * (1 + SKIN))]
