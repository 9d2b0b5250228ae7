import numpy as np
import pytest

from socialmd.simulation import ManyBodySystem, draw_initial_state, integrate, simulate

SYSTEM = ManyBodySystem(num_particles=5)
RUN = {"num_steps": 400, "time_step": 1e-5, "keep_every": 100, "seed": 3}


def test_frames_hold_positions_masses_and_charges_from_the_initial_state_on():
    frames, velocities = simulate(SYSTEM, num_simulations=3, **RUN, return_velocities=True)
    assert frames.shape == (3, 4, 5, 4)
    assert velocities.shape == (3, 4, 5, 2)
    assert frames.dtype == velocities.dtype == np.float64
    for index in range(3):
        state = draw_initial_state(SYSTEM, seed=3, index=index)
        kept = integrate(SYSTEM, *(values[None] for values in state), 400, 1e-5, 100)
        np.testing.assert_array_equal(frames[index, :, :, :2], kept.positions[0])
        np.testing.assert_array_equal(velocities[index], kept.velocities[0])
        np.testing.assert_array_equal(frames[index, :, :, 2], np.tile(state.masses, (4, 1)))
        np.testing.assert_array_equal(frames[index, :, :, 3], np.tile(state.charges, (4, 1)))


@pytest.mark.parametrize(("num_simulations", "num_threads"), [(7, 1), (7, 2), (7, 3), (5, None)])
def test_a_simulation_is_the_same_however_many_are_made_by_however_many_threads(
    num_simulations, num_threads
):
    frames = simulate(SYSTEM, num_simulations, **RUN, num_threads=num_threads)
    np.testing.assert_array_equal(frames[4], simulate(SYSTEM, 1, **RUN, first_simulation=4)[0])


def test_simulations_and_seeds_differ():
    frames = simulate(SYSTEM, 2, **RUN)
    assert (frames[0] != frames[1]).all()
    assert (simulate(SYSTEM, 1, **(RUN | {"seed": 4}))[0] != frames[0]).all()


def test_default_systems_look_like_those_of_the_thesis():
    frames = simulate(
        ManyBodySystem(), 4, num_steps=100_000, time_step=1e-6, keep_every=100, seed=0
    )
    moved = np.linalg.norm(frames[:, -1, :, :2] - frames[:, 0, :, :2], axis=-1)
    assert 0.5 < np.median(moved) < 3  # wide curves, not a gas that flies apart
    separations = np.linalg.norm(
        frames[:, :, :, None, :2] - frames[:, :, None, :, :2], axis=-1
    )  # [4, 1000, 25, 25]
    assert 8 < separations.max() < 16
    assert separations[..., ~np.eye(25, dtype=bool)].min() < 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_simulations": 0}, "num_simulations: expected 1 or more, found 0"),
        ({"num_steps": 50}, "num_steps: expected at least keep_every = 100, found 50"),
        ({"keep_every": -1}, "keep_every: expected 1 or more, found -1"),
        ({"time_step": float("nan")}, "time_step: expected a positive number, found nan"),
        ({"seed": -1}, "seed: expected a number of 0 or more, found -1"),
        ({"first_simulation": -1}, "first_simulation: expected 0 or more, found -1"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        simulate(SYSTEM, **({"num_simulations": 1} | RUN | change))


def test_overflow_is_an_error_that_names_the_simulation():
    system = ManyBodySystem(num_particles=5, coulomb_constant=1e308)
    with pytest.raises(FloatingPointError, match="simulation 6 of seed 3: not finite from frame 1"):
        simulate(system, 2, **(RUN | {"time_step": 1e3}), first_simulation=6, num_threads=1)
