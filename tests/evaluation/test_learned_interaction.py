"""Pairs are chosen by rule, and errors are those that a wrong law was given."""

import numpy as np
import pytest

from socialmd.evaluation import LearnedInteraction

TRUE, WRONG = 1.0, 0.75


def charges(strength, calls=None):
    """Repulsion q_i q_j / r times a strength, in any number of dimensions."""

    def law(offsets, own, neighbour):
        if calls is not None:
            calls.append((own, neighbour))
        squares = np.square(offsets).sum(axis=1, keepdims=True)
        return -strength * own[:, :1] * neighbour[:, :1] * offsets / squares

    return law


@pytest.fixture
def frames(rng):
    """Charges -2, 0.5, 1 and 3 at random places: [W, N, 3]."""
    q = np.broadcast_to(np.array([-2.0, 0.5, 1.0, 3.0])[:, None], (300, 4, 1))
    return np.concatenate([rng.normal(size=(300, 4, 2)), q], axis=-1)


@pytest.mark.parametrize("law", [None, charges(TRUE)])
def test_the_strongest_pairs_and_the_median_one_are_shown(frames, law):
    found = LearnedInteraction.from_frames(charges(WRONG), frames, law=law)
    names = [name.partition(", ")[0] for name in found.pairs]
    assert names == ["strongest attraction", "strongest repulsion", "median strength"]
    assert set(found.pairs[0].partition(", ")[2].split(" by ")) == {"(-2)", "(3)"}
    assert set(found.pairs[1].partition(", ")[2].split(" by ")) == {"(1)", "(3)"}
    distances = np.linalg.norm(
        (frames[:, :, None] - frames[:, None])[..., :2][:, *np.triu_indices(4, 1)], axis=-1
    )
    assert found.distances.min() == pytest.approx(distances.min())
    assert found.distances.max() == pytest.approx(distances.max())
    assert found.seen == pytest.approx(np.quantile(distances, [0.001, 0.999]), rel=0.2)
    assert found.half == pytest.approx(np.median(distances), rel=0.03)
    assert found.maps is None
    for strength, curves in zip((WRONG, TRUE), found.curves, strict=False):
        np.testing.assert_allclose(curves[0], -6 * strength / found.distances, rtol=1e-5)
        np.testing.assert_allclose(curves[1], 3 * strength / found.distances, rtol=1e-5)
    assert len(found.curves) == (1 if law is None else 2)
    if law is None:
        assert found.errors is found.typical_error is None
    else:
        np.testing.assert_allclose(found.errors, 0.25, rtol=1e-4)
        assert found.typical_error == pytest.approx(0.25, rel=1e-4)


def test_padded_particles_are_no_neighbours(frames):
    mask = np.ones((300, 4), bool)
    mask[:150, 2:] = mask[150:, 1:] = False  # systems of two and of one
    calls = []
    LearnedInteraction.from_frames(charges(1.0, calls), frames, mask=mask)
    seen = np.unique(np.concatenate([features for call in calls for features in call]))
    assert seen.tolist() == [-2.0, 0.5]
    mask[:150, 1] = False
    assert LearnedInteraction.from_frames(charges(1.0), frames, mask=mask) is None


@pytest.mark.parametrize("dims", [2, 3])
def test_what_depends_on_the_direction_has_a_map(rng, dims):
    """Only neighbours on the right attract; there are no features."""

    def right(offsets, own, neighbour):
        assert own.shape == neighbour.shape == (len(offsets), 0)
        return offsets * (offsets[:, :1] > 0)

    frames = rng.normal(size=(50, 6, dims))
    found = LearnedInteraction.from_frames(right, frames, spatial_dims=dims)
    assert found.pairs == ["every pair"]
    (shown,) = found.maps
    assert (shown[:, : len(shown) // 2] == 0).all()
    corner = np.sqrt(2) * found.half * (1 - 1 / len(shown))
    np.testing.assert_allclose(shown[[0, -1], -1], -corner, rtol=1e-5)
    assert (found.curves < 0).all()


def test_a_law_without_a_force_has_no_relative_error(frames):
    found = LearnedInteraction.from_frames(charges(1.0), frames, law=charges(0.0))
    assert found.errors is None
    assert not found.curves[1].any()
