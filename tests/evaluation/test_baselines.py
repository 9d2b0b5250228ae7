import numpy as np
import pytest
from scipy.integrate import solve_ivp

from socialmd.config import ManyBodySystem
from socialmd.evaluation import ConstantPosition, ConstantVelocity, KnownLaw


def circling_pair(times, radius=1.0):
    """Two bodies of masses 1 and 3 on circles about their common centre: [len(times), 2, 4].

    Their distance is 4 radius, their attraction 3 G / distance**2 without softening.
    """
    angular_velocity = np.sqrt(ATTRACTION.gravitational_constant * 4 / (4 * radius) ** 3)
    angles = angular_velocity * np.asarray(times)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    positions = np.stack([3 * radius * circle, -radius * circle], axis=1)
    features = np.broadcast_to([[1.0, 0.0], [3.0, 0.0]], positions.shape)
    return np.concatenate([positions, features], axis=-1)


ATTRACTION = ManyBodySystem(
    num_particles=2, coulomb_constant=0.0, gravitational_constant=16.0, softening=1e-6
)
NO_FORCE = ManyBodySystem(coulomb_constant=0.0, gravitational_constant=0.0)


@pytest.fixture
def free_motion(rng):
    """Particles that fly straight on: inputs [2, 4, 5, 4] and their next six positions."""
    start, velocity = rng.normal(size=(2, 2, 1, 5, 2))
    positions = start + velocity * np.arange(10)[:, None, None]
    features = np.broadcast_to(rng.uniform(0.5, 1.5, (2, 1, 5, 2)), positions.shape)
    return np.concatenate([positions, features], axis=-1)[:, :4], positions[:, 4:]


def test_constant_position_repeats_the_last_frame(rng):
    inputs = rng.normal(size=(2, 3, 4, 4))
    forecast, _ = ConstantPosition().rollout(inputs, num_steps=5)
    assert forecast.shape == (2, 5, 4, 2)
    for step in range(5):
        np.testing.assert_array_equal(forecast[:, step], inputs[:, -1, :, :2])


def test_constant_velocity_is_exact_for_free_motion(free_motion):
    inputs, future = free_motion
    np.testing.assert_allclose(ConstantVelocity().rollout(inputs, 6)[0], future, atol=1e-12)


def test_constant_velocity_reads_the_last_two_frames_only(rng):
    inputs = rng.normal(size=(1, 4, 3, 4))
    changed = inputs.copy()
    changed[:, :2] += 1.0
    found, expected = (ConstantVelocity().rollout(each, 3)[0] for each in (changed, inputs))
    np.testing.assert_array_equal(found, expected)


def test_known_law_without_forces_is_constant_velocity(free_motion):
    inputs, future = free_motion
    law = KnownLaw(NO_FORCE, step_spacing=0.1, integration_steps=10)
    forecast, _ = law.rollout(inputs, 6)
    np.testing.assert_allclose(forecast, future, atol=1e-9)


def test_known_law_agrees_with_scipy_from_the_same_estimated_velocities(rng):
    system = ManyBodySystem(num_particles=4, softening=0.1)
    spacing = 0.002
    x = rng.uniform(-2, 2, (4, 2))
    before = x - spacing * rng.normal(0, 10, (4, 2))
    masses, charges = rng.uniform(0.5, 1.5, 4), rng.uniform(-1, 1, 4)

    def acceleration(positions):
        total = np.zeros((4, 2))
        for i in range(4):
            for j in range(4):
                apart = positions[i] - positions[j]
                coupling = 500 * charges[i] * charges[j] - 125 * masses[i] * masses[j]
                force = coupling * apart / (apart @ apart + system.softening**2) ** 1.5
                total[i] += force / masses[i]
        return total

    def rates(_, state):
        positions, velocities = state.reshape(2, 4, 2)
        return np.stack([velocities, acceleration(positions)]).ravel()

    velocities = (x - before) / spacing + acceleration(x) * spacing / 2
    times = spacing * np.arange(1, 6)
    solution = solve_ivp(
        rates,
        (0, times[-1]),
        np.stack([x, velocities]).ravel(),
        method="DOP853",
        t_eval=times,
        rtol=1e-11,
        atol=1e-11,
    )
    features = np.stack([masses, charges], axis=-1)
    frames = [np.concatenate([positions, features], axis=-1) for positions in (before, x)]
    (forecast,), _ = KnownLaw(system, spacing).rollout(np.stack(frames)[None], 5)
    expected = solution.y.T.reshape(5, 2, 4, 2)[:, 0]
    np.testing.assert_allclose(forecast, expected, atol=1e-5)


def test_known_law_follows_a_circular_orbit():
    spacing = 0.01
    frames = circling_pair(spacing * np.arange(103))
    law = KnownLaw(ATTRACTION, spacing, integration_steps=20)
    (forecast,), _ = law.rollout(frames[None, :3], 100)
    travelled = np.abs(frames[3:, :, :2] - frames[2, :, :2]).max()
    assert travelled > 2.0
    np.testing.assert_allclose(forecast, frames[3:, :, :2], atol=1e-3)


def test_the_estimated_velocity_is_of_second_order_in_the_spacing():
    errors = []
    for spacing in (0.1, 0.05):
        num_steps = round(0.5 / spacing)
        frames = circling_pair(spacing * np.arange(num_steps + 2))
        (forecast,), _ = KnownLaw(ATTRACTION, spacing).rollout(frames[None, :2], num_steps)
        errors.append(np.abs(forecast[-1] - frames[-1, :, :2]).max())
    # Halving the spacing would only halve the error of the uncorrected difference quotient.
    assert 1.7 < np.log2(errors[0] / errors[1]) < 2.3


def test_known_law_treats_the_systems_of_a_batch_alone(rng):
    inputs = rng.normal(size=(3, 2, 4, 4))
    inputs[..., 2] = np.abs(inputs[..., 2]) + 0.5
    system = ManyBodySystem(softening=0.5)
    law = KnownLaw(system, 0.001, integration_steps=10)
    together, _ = law.rollout(inputs, 3)
    alone = [law.rollout(one[None], 3)[0][0] for one in inputs]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize("baseline", [ConstantPosition(), ConstantVelocity()])
@pytest.mark.parametrize(
    ("inputs", "num_steps", "message"),
    [
        (np.zeros((5, 3, 4)), 1, r"inputs: expected \[batch, .*\(5, 3, 4\)"),
        (np.zeros((1, 1, 3, 4)), 1, "at least two steps"),
        (np.full((1, 2, 3, 4), np.inf), 1, "inputs: expected finite"),
        (np.zeros((1, 2, 3, 4)), 0, "num_steps: expected at least 1, found 0"),
    ],
)
def test_wrong_arguments_are_refused(baseline, inputs, num_steps, message):
    with pytest.raises(ValueError, match=message):
        baseline.rollout(inputs, num_steps)


def test_known_law_refuses_other_features_and_times():
    with pytest.raises(ValueError, match="4 features x, y, mass, charge, found 3"):
        KnownLaw(NO_FORCE, 1.0).rollout(np.zeros((1, 2, 3, 3)), 1)
    with pytest.raises(ValueError, match=r"expected positive numbers, found 0\.0, 2000"):
        KnownLaw(NO_FORCE, 0.0)
    with pytest.raises(ValueError, match="found nan, 2000"):
        KnownLaw(NO_FORCE, float("nan"))
