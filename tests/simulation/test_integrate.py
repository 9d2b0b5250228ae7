import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from socialmd.simulation import (
    ManyBodySystem,
    accelerations,
    angular_momentum,
    draw_initial_state,
    integrate,
    momentum,
    total_energy,
)

SYSTEM = ManyBodySystem()
STATES = [
    np.stack(values)
    for values in zip(*(draw_initial_state(SYSTEM, 0, k) for k in range(4)), strict=True)
]  # [4, N, 2], [4, N, 2], [4, N], [4, N]


def solve(system, state, time):
    """Positions and velocities by an adaptive method of order 8."""
    x, v, m, q = state

    def derivative(_, y):
        position, velocity = y.reshape(2, *x.shape)
        return np.concatenate([velocity, accelerations(system, position, m, q)]).ravel()

    start = np.concatenate([x, v]).ravel()
    solution = solve_ivp(derivative, (0, time), start, method="DOP853", rtol=1e-12, atol=1e-12)
    return solution.y[:, -1].reshape(2, *x.shape)


def test_conserved_quantities_are_conserved():
    x, v, m, q = STATES
    kept = integrate(SYSTEM, *STATES, num_steps=100_000, time_step=1e-6, keep_every=1000)
    masses, charges = m[:, None], q[:, None]  # [4, 1, N], the same in all frames
    energy = total_energy(SYSTEM, *kept, masses, charges)  # [4, frames]
    assert kept.positions.shape == (4, 100, 25, 2)
    assert np.abs(energy / energy[:, :1] - 1).max() < 1e-4  # dt**2 at 10 times the usual dt

    # Verlet keeps these two to rounding.
    scale = (m[..., None] * np.abs(v)).sum()
    assert np.abs(momentum(kept.velocities, masses) - momentum(v, m)[:, None]).max() < 1e-12 * scale
    angular = angular_momentum(*kept, masses)
    assert np.abs(angular - angular_momentum(x, v, m)[:, None]).max() < 1e-12 * scale


def test_motion_turns_back_when_velocities_do():
    _, _, m, q = STATES
    there = integrate(SYSTEM, *STATES, num_steps=20_000, time_step=1e-6, keep_every=10_000)
    x, v = there.positions[:, -1], there.velocities[:, -1]
    assert np.abs(x - STATES[0]).max() > 0.1
    back = integrate(SYSTEM, x, -v, m, q, num_steps=20_000, time_step=1e-6, keep_every=10_000)
    np.testing.assert_allclose(back.positions[:, -1], STATES[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(back.velocities[:, -1], -STATES[1], rtol=0, atol=1e-10)


def test_agrees_with_dop853():
    state = [values[0] for values in STATES]
    kept = integrate(SYSTEM, *(values[:1] for values in STATES), 200_000, 1e-7, 100_000)
    x, v = solve(SYSTEM, state, time=0.01)
    np.testing.assert_allclose(kept.positions[0, 1], x, rtol=0, atol=1e-11)
    np.testing.assert_allclose(kept.velocities[0, 1], v, rtol=0, atol=1e-9)


def test_error_is_of_second_order_in_the_time_step():
    exact, _ = solve(SYSTEM, [values[0] for values in STATES], time=0.01)
    errors = []
    for steps in (2000, 4000, 8000):
        kept = integrate(SYSTEM, *(values[:1] for values in STATES), 2 * steps, 0.01 / steps, steps)
        errors.append(np.abs(kept.positions[0, 1] - exact).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(orders, 2, atol=0.1)


def kepler_orbit(time, parameter, axis, eccentricity):
    """Relative position on an ellipse that starts at its nearest point (Kepler's equation)."""
    mean = np.sqrt(parameter / axis**3) * time
    anomaly = brentq(lambda e: e - eccentricity * np.sin(e) - mean, mean - 1, mean + 1, xtol=1e-14)
    across = np.sqrt(1 - eccentricity**2) * np.sin(anomaly)
    return axis * np.array([np.cos(anomaly) - eccentricity, across])


def test_two_bodies_follow_their_kepler_orbit():
    system = ManyBodySystem(num_particles=2, coulomb_constant=0.0, softening=1e-9)
    axis, eccentricity, masses = 1.5, 0.5, np.array([1.0, 3.0])
    parameter = system.gravitational_constant * masses.sum()
    nearest = axis * (1 - eccentricity)
    fastest = np.sqrt(parameter / axis * (1 + eccentricity) / (1 - eccentricity))
    share = np.array([[masses[1]], [-masses[0]]]) / masses.sum()  # about the centre of mass
    positions, velocities = share * [nearest, 0.0], share * [0.0, fastest]

    frames, steps = 12, 40_000
    time_step = 2 * np.pi * np.sqrt(axis**3 / parameter) / ((frames - 1) * steps)  # one period
    state = (values[None] for values in (positions, velocities, masses, np.zeros(2)))
    kept = integrate(system, *state, frames * steps, time_step, steps).positions[0]
    for frame in range(frames):
        expected = kepler_orbit(frame * steps * time_step, parameter, axis, eccentricity)
        np.testing.assert_allclose(kept[frame, 0] - kept[frame, 1], expected, rtol=0, atol=2e-8)
    np.testing.assert_allclose(kept[-1], positions, rtol=0, atol=2e-8)


def test_frames_are_the_states_after_keep_every_steps():
    every = integrate(SYSTEM, *STATES, num_steps=31, time_step=1e-5, keep_every=1)
    tenth = integrate(SYSTEM, *STATES, num_steps=39, time_step=1e-5, keep_every=10)
    np.testing.assert_array_equal(every.positions[:, 0], STATES[0])
    np.testing.assert_array_equal(tenth.positions, every.positions[:, :30:10])
    np.testing.assert_array_equal(tenth.velocities, every.velocities[:, :30:10])


@pytest.mark.parametrize("num_threads", [1, 2, 5])
def test_systems_are_independent_of_each_other_and_of_threads(num_threads):
    one_by_one = [
        integrate(SYSTEM, *(values[k : k + 1] for values in STATES), 500, 1e-5, 100).positions
        for k in range(4)
    ]
    together = integrate(SYSTEM, *STATES, 500, 1e-5, 100, num_threads=num_threads)
    np.testing.assert_array_equal(together.positions, np.concatenate(one_by_one))


def test_charged_particles_without_gravity_repel_symmetrically():
    system = ManyBodySystem(num_particles=2, gravitational_constant=0.0)
    pair = [[[-0.5, 0.0], [0.5, 0.0]]], np.zeros((1, 2, 2)), [[1.0, 1.0]], [[1.0, 1.0]]
    kept = integrate(system, *pair, num_steps=2000, time_step=1e-5, keep_every=1000)
    left, right = kept.positions[0, -1]
    assert right[0] > 0.5
    np.testing.assert_array_equal(left, -right)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": np.zeros((25, 2))}, r"positions: expected shape .* found \(25, 2\)"),
        ({"positions": np.zeros((4, 25, 4))}, r"positions: expected shape .* found \(4, 25, 4\)"),
        ({"positions": np.zeros((0, 25, 2))}, r"positions: expected shape .* found \(0, 25, 2\)"),
        ({"velocities": np.zeros((4, 24, 2))}, r"velocities: expected shape \(4, 25, 2\), found"),
        ({"masses": np.ones(25)}, r"masses: expected shape \(4, 25\), found \(25,\)"),
        ({"masses": np.zeros((4, 25))}, "masses: expected positive numbers, found 0"),
        ({"charges": np.full((4, 25), np.nan)}, "charges: expected finite numbers"),
        ({"num_steps": 9}, "num_steps: expected at least keep_every = 10, found 9"),
        ({"keep_every": 0}, "keep_every: expected 1 or more, found 0"),
        ({"time_step": -1e-5}, "time_step: expected a positive number, found -1e-05"),
        ({"time_step": np.inf}, "time_step: expected a positive number, found inf"),
        ({"num_threads": 0}, "num_threads: expected 1 or more, found 0"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    arguments = dict(zip(("positions", "velocities", "masses", "charges"), STATES, strict=True))
    arguments |= {"num_steps": 100, "time_step": 1e-5, "keep_every": 10}
    with pytest.raises(ValueError, match=message):
        integrate(SYSTEM, **(arguments | change))


def test_overflow_is_an_error_that_names_system_and_frame():
    velocities = STATES[1].copy()
    velocities[2, 7] = 1e308
    with pytest.raises(FloatingPointError, match="system 2: not finite from frame 2 on"):
        integrate(SYSTEM, STATES[0], velocities, *STATES[2:], 40, 1.0, 1)
