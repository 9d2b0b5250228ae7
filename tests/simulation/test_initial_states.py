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


def test_normal_positions_one_speed_and_few_charges():
    system = ManyBodySystem(
        num_particles=1000,
        spatial_dims=3,
        position_scale=0.5,
        minimum_distance=0.0,
        speed=0.7,
        charge_values=(-1.0, 0.5),
    )
    state = draw_initial_state(system, seed=3, index=0)
    assert stats.kstest(state.positions.ravel(), stats.norm(0, 0.5).cdf).pvalue > 0.001
    np.testing.assert_allclose(np.linalg.norm(state.velocities, axis=-1), 0.7)
    towards = state.velocities / 0.7  # of directions all over the sphere, each part is uniform
    assert stats.kstest(towards.ravel(), stats.uniform(-1, 2).cdf).pvalue > 0.001
    assert set(state.charges) == {-1.0, 0.5}
    assert abs((state.charges == 0.5).mean() - 0.5) < 0.1


def test_a_centre_that_is_to_rest_does():
    system = ManyBodySystem(num_particles=7, centre_at_rest=True)
    moving = draw_initial_state(SYSTEM, seed=3, index=0).velocities.mean(axis=0)
    resting = draw_initial_state(system, seed=3, index=0).velocities.mean(axis=0)
    assert np.abs(moving).max() > 0.1
    np.testing.assert_allclose(resting, 0, atol=1e-13)


def test_springs_tie_pairs_with_their_odds():
    system = ManyBodySystem(num_particles=60, spring_constant=1.0, spring_probability=0.3)
    springs = initial_states.draw_springs(system, seed=3, index=0)
    np.testing.assert_array_equal(springs, springs.T)
    assert set(springs.ravel()) == {0.0, 1.0}
    assert not springs.diagonal().any()
    pairs = springs[np.triu_indices(60, k=1)]
    assert abs(pairs.mean() - 0.3) < 0.04
    assert initial_states.draw_springs(SYSTEM, seed=3, index=0) is None


def test_refuses_what_does_not_go_together():
    with pytest.raises(ValueError, match=r"spring_constant: expected nothing that turns"):
        ManyBodySystem(spring_constant=1.0, dipole_range=(0.1, 0.2))
    with pytest.raises(ValueError, match=r"softening: expected a positive length of what turns"):
        ManyBodySystem(softening=0.0, dipole_range=(0.1, 0.2))
