import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist

from socialmd.simulation import ManyBodySystem, draw_initial_state, initial_states

SYSTEM = ManyBodySystem()
STATES = [draw_initial_state(SYSTEM, seed=17, index=index) for index in range(80)]


def test_particles_start_inside_the_square_and_apart():
    for state in STATES:
        assert state.positions.shape == state.velocities.shape == (25, 2)
        assert np.abs(state.positions).max() <= 3.25
        assert pdist(state.positions).min() >= 0.4


@pytest.mark.parametrize(
    ("part", "law"),
    [
        ("velocities", stats.norm(0, 10)),
        ("masses", stats.uniform(0.5, 1.0)),
        ("charges", stats.uniform(-1.0, 2.0)),
    ],
)
def test_values_follow_their_distributions(part, law):
    values = np.concatenate([getattr(state, part).ravel() for state in STATES])
    assert stats.kstest(values, law.cdf).pvalue > 0.001


def test_positions_without_a_minimum_distance_are_uniform():
    system = ManyBodySystem(num_particles=1000, minimum_distance=0.0)
    positions = draw_initial_state(system, seed=17, index=0).positions
    assert stats.kstest(positions.ravel(), stats.uniform(-3.25, 6.5).cdf).pvalue > 0.001


def test_seed_and_index_both_matter_and_nothing_else():
    state = draw_initial_state(SYSTEM, seed=1, index=2)
    again = draw_initial_state(SYSTEM, seed=1, index=2)
    for one, other in zip(state, again, strict=True):
        np.testing.assert_array_equal(one, other)
    for seed, index in [(1, 3), (2, 2), (2, 1)]:
        assert (draw_initial_state(SYSTEM, seed, index).positions != state.positions).all()


@pytest.mark.parametrize(("seed", "index", "name"), [(-1, 0, "seed"), (0, -2, "index")])
def test_negative_numbers_are_refused(seed, index, name):
    with pytest.raises(ValueError, match=f"{name}: expected .* found -"):
        draw_initial_state(SYSTEM, seed, index)


def test_no_free_place_is_an_error(monkeypatch):
    monkeypatch.setattr(initial_states, "MAX_ATTEMPTS", 200)
    # Wherever the first particle is, at most slivers in the corners are left for the second.
    crowded = ManyBodySystem(num_particles=2, box_size=1.0, minimum_distance=1.1)
    with pytest.raises(ValueError, match=r"found no place for particle 1 at least 1\.1"):
        draw_initial_state(crowded, 0, 0)
