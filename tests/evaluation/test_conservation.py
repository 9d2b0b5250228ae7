import dataclasses
import json

import numpy as np
import pytest

from socialmd.config import ManyBodySystem
from socialmd.evaluation import Conservation, velocities
from socialmd.simulation import kinetic_energy, total_energy

SPACING = 0.25


def with_features(positions, masses):
    """Positions [W, T, N, 2] and masses [N] -> x, y, mass, charge [W, T, N, 4]."""
    column = np.broadcast_to(masses, positions.shape[:3])[..., None]
    return np.concatenate([positions, column, np.zeros_like(column)], axis=-1)


def uniform_motion(rng, windows=4, particles=5, past_frames=4, steps=6):
    """Past [W, T, N, 4] and future [W, T', N, 2] of particles that feel no force."""
    start, velocity = rng.normal(size=(2, windows, 1, particles, 2))
    times = SPACING * np.arange(1 - past_frames, steps + 1)[:, None, None]
    frames = start + velocity * times
    masses = rng.uniform(0.5, 1.5, particles)
    return with_features(frames[:, :past_frames], masses), frames[:, past_frames:]


def circular_orbit(angle, steps=8, past_frames=4, drift=(3.0, -1.0)):
    """Two attracting bodies that turn by `angle` from frame to frame about a moving centre.

    Returns system, past [1, T, 2, 4], future [1, T', 2, 2], spacing and true velocities.
    """
    system = ManyBodySystem(num_particles=2)
    masses, distance = np.array([0.6, 1.4]), 0.8
    attraction = system.gravitational_constant * masses.prod() * distance
    attraction /= (distance**2 + system.softening**2) ** 1.5
    reduced_mass = masses.prod() / masses.sum()
    frequency = np.sqrt(attraction / (reduced_mass * distance))
    spacing = angle / frequency
    times = spacing * np.arange(1 - past_frames, steps + 1)
    radii = distance * np.array([masses[1], -masses[0]]) / masses.sum()  # on opposite sides
    orbit = radii * np.exp(1j * frequency * times)[:, None]  # [T + T', 2], complex
    orbit_velocity = 1j * frequency * orbit
    moving = np.asarray(drift) * times[:, None, None]
    frames = (np.stack([orbit.real, orbit.imag], axis=-1) + moving)[None]
    true_velocities = np.stack([orbit_velocity.real, orbit_velocity.imag], -1) + np.asarray(drift)
    return (
        system,
        with_features(frames[:, :past_frames], masses),
        frames[:, past_frames:],
        spacing,
        true_velocities[None, past_frames:],
    )


def energy_of(system, past):
    masses, charges = past[:, -1:, :, 2], past[:, -1:, :, 3]
    return lambda x, v: total_energy(system, x, v, masses, charges)


def test_uniform_motion_conserves_everything(rng):
    past, future = uniform_motion(rng)
    masses = past[:, -1:, :, 2]
    drifts = Conservation.from_arrays(
        past, future, SPACING, energy=lambda _, v: kinetic_energy(v, masses)
    )
    np.testing.assert_allclose(drifts.momentum_drift, 0, atol=1e-13)
    np.testing.assert_allclose(drifts.center_of_mass_deviation, 0, atol=1e-13)
    np.testing.assert_allclose(drifts.kinetic_energy, 1, rtol=1e-13)
    np.testing.assert_allclose(drifts.energy_drift, 0, atol=1e-13)


def test_in_a_plane_of_space_everything_is_as_in_the_plane(rng):
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0][:2]
    past, future = uniform_motion(rng)
    future = future + rng.normal(size=future.shape)
    in_space = np.concatenate([past[..., :2] @ turn, past[..., 2:]], axis=-1)
    plane = Conservation.from_arrays(past, future, SPACING)
    space = Conservation.from_arrays(in_space, future @ turn, SPACING)
    for key in ("momentum_drift", "center_of_mass_deviation", "kinetic_energy", "radius"):
        np.testing.assert_allclose(getattr(space, key), getattr(plane, key), err_msg=key)


def test_velocities_of_uniformly_accelerated_motion_are_exact(rng):
    start, velocity, acceleration = rng.normal(size=(3, 2, 1, 3, 2))
    times = SPACING * np.arange(9.0)[:, None, None]
    frames = start + velocity * times + acceleration * times**2 / 2
    for given in (1, 2, 4):
        computed = velocities(frames[:, :given], frames[:, given:], SPACING)
        expected = (velocity + acceleration * times)[:, given:]
        np.testing.assert_allclose(computed, expected, atol=1e-12)


def test_velocities_of_a_single_step_use_two_past_frames():
    frames = (SPACING * np.arange(3.0))[None, :, None, None] ** 2 * np.ones((1, 1, 1, 2))
    computed = velocities(frames[:, :2], frames[:, 2:], SPACING)
    np.testing.assert_allclose(computed, 2 * (2 * SPACING))


@pytest.mark.parametrize("angle", [0.01, 0.5, 1.5])
def test_central_differences_shorten_the_velocity_of_a_circular_orbit_as_theory_says(angle):
    _, past, future, spacing, expected = circular_orbit(angle, drift=(0.0, 0.0))
    computed = velocities(past[..., :2], future, spacing)
    factor = np.sin(angle) / angle
    np.testing.assert_allclose(computed[:, :-1], factor * expected[:, :-1], rtol=1e-9)
    one_sided = (3 - 4 * np.exp(-1j * angle) + np.exp(-2j * angle)) / (2j * angle)
    speeds = np.linalg.norm(computed[:, -1], axis=-1) / np.linalg.norm(expected[:, -1], axis=-1)
    np.testing.assert_allclose(speeds, abs(one_sided), rtol=1e-9)


def test_a_fine_spacing_finds_the_energy_of_a_circular_orbit_and_a_coarse_one_does_not():
    errors = []
    for angle in (0.01, 0.02, 1.0):
        system, past, future, spacing, true_velocities = circular_orbit(angle, drift=(0.0, 0.0))
        energy = energy_of(system, past)
        estimate = energy(future, velocities(past[..., :2], future, spacing))[0, 0]
        expected = energy(future, true_velocities)
        np.testing.assert_allclose(expected, expected[0, 0], rtol=1e-12)  # it is an orbit
        errors.append(abs(estimate / expected[0, 0] - 1))
    assert errors[1] / errors[0] == pytest.approx(4, rel=0.01)  # second order
    assert errors[2] == pytest.approx(1 - np.sin(1) ** 2, rel=0.01)  # K = -E on Kepler's circle


@pytest.mark.parametrize("angle", [0.1, 1.0])
def test_the_truth_drifts_in_energy_at_the_last_step_only_where_its_orbit_is_a_circle(angle):
    system, past, future, spacing, _ = circular_orbit(angle, drift=(0.0, 0.0))
    drifts = Conservation.from_arrays(past, future, spacing, energy_of(system, past))
    one_sided = abs(3 - 4 * np.exp(-1j * angle) + np.exp(-2j * angle)) / 2
    last = (one_sided / np.sin(angle)) ** 2  # kinetic energy relative to central differences
    np.testing.assert_allclose(drifts.kinetic_energy, [1.0] * 7 + [last], rtol=1e-9)
    np.testing.assert_allclose(drifts.energy_drift, [0.0] * 7 + [last - 1], atol=1e-9)


def test_momentum_of_the_truth_is_exact_at_any_spacing():
    _, past, future, spacing, _ = circular_orbit(angle=1.3)
    drifts = Conservation.from_arrays(past, future, spacing)
    np.testing.assert_allclose(drifts.momentum_drift, 0, atol=1e-12)
    np.testing.assert_allclose(drifts.center_of_mass_deviation, 0, atol=1e-12)
    assert drifts.energy_drift is None


def test_the_mean_of_several_futures_conserves_momentum_but_moves_more_slowly(rng):
    past, future = uniform_motion(rng, windows=1)
    masses = past[0, -1, :, 2]
    steps = np.arange(1, 7)[:, None, None]
    kicks = rng.normal(size=(50, 1, 5, 2)) * 3
    kicks -= (masses[:, None] * kicks).sum(2, keepdims=True) / masses.sum()
    futures = future + kicks * steps * SPACING  # [50, T', N, 2]
    many = np.repeat(past, 50, axis=0)
    each = Conservation.from_arrays(many, futures, SPACING)
    mean = Conservation.from_arrays(past, futures.mean(0, keepdims=True), SPACING)
    np.testing.assert_allclose(mean.momentum_drift, 0, atol=1e-12)
    assert (np.array(mean.kinetic_energy) < 0.5 * np.array(each.kinetic_energy)).all()


def test_drifts_agree_with_explicit_loops(rng):
    windows, given, steps, particles = 3, 5, 4, 3
    frames = rng.normal(size=(windows, given + steps, particles, 2)).cumsum(axis=1)
    masses = rng.uniform(0.5, 1.5, (windows, particles))
    past = np.zeros((windows, given, particles, 4))
    past[..., :2], past[..., 2] = frames[:, :given], masses[:, None]

    def energy(x, v):  # a spring to the origin
        weights = masses[:, None]
        return kinetic_energy(v, weights) + (weights * np.square(x).sum(-1)).sum(-1)

    found = Conservation.from_arrays(past, frames[:, given:], SPACING, energy)
    rows = {field.name: np.zeros((windows, steps)) for field in dataclasses.fields(found)}
    for w in range(windows):
        m, x = masses[w], frames[w]

        def velocity(t, x=x):
            if t == given + steps - 1:
                return (3 * x[t] - 4 * x[t - 1] + x[t - 2]) / (2 * SPACING)
            return (x[t + 1] - x[t - 1]) / (2 * SPACING)

        def kinetic(t, m=m, velocity=velocity):
            return sum(m[i] * (velocity(t)[i] ** 2).sum() / 2 for i in range(particles))

        def total(t, m=m, x=x, kinetic=kinetic):
            return kinetic(t) + sum(m[i] * (x[t, i] ** 2).sum() for i in range(particles))

        middle = range(1, given - 1)
        kinetic_reference = sorted(kinetic(t) for t in middle)[len(middle) // 2]
        energy_reference = sorted(total(t) for t in middle)[len(middle) // 2]
        start = (x[given - 1] - x[given - 2]) / SPACING
        momentum = sum(m[i] * start[i] for i in range(particles))
        scale = sum(m[i] * np.linalg.norm(start[i]) for i in range(particles))
        center = [sum(m[i] * x[t, i] for i in range(particles)) / m.sum() for t in range(len(x))]
        for step in range(steps):
            t = given + step
            change = sum(m[i] * velocity(t)[i] for i in range(particles)) - momentum
            uniform = center[given - 1] + momentum / m.sum() * SPACING * (step + 1)
            squares = [((x[t, i] - center[t]) ** 2).sum() for i in range(particles)]
            rows["momentum_drift"][w, step] = np.linalg.norm(change) / scale
            rows["center_of_mass_deviation"][w, step] = np.linalg.norm(center[t] - uniform)
            rows["kinetic_energy"][w, step] = kinetic(t) / kinetic_reference
            rows["energy_drift"][w, step] = abs(total(t) - energy_reference) / kinetic_reference
            rows["radius"][w, step] = np.sqrt(sum(squares) / particles)
    for name, values in rows.items():
        expected = np.sort(values, axis=0)[1]  # the middle one of three windows
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-10, err_msg=name)


def test_order_of_windows_and_particles_place_and_direction_do_not_matter(rng):
    frames = rng.normal(size=(5, 9, 4, 2)).cumsum(axis=1)
    masses = rng.uniform(0.5, 1.5, 4)
    one = Conservation.from_arrays(with_features(frames[:, :4], masses), frames[:, 4:], SPACING)
    order, angle = rng.permutation(4), 0.7
    rotation = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    moved = frames[rng.permutation(5)][:, :, order] @ rotation + [3.0, -5.0]
    past = with_features(moved[:, :4], masses[order])
    other = Conservation.from_arrays(past, moved[:, 4:], SPACING)
    for field in dataclasses.fields(one):
        if field.name != "energy_drift":
            expected = getattr(one, field.name)
            np.testing.assert_allclose(getattr(other, field.name), expected, rtol=1e-9)


def test_radius_tells_a_system_that_blows_up_from_one_that_collapses(rng):
    past, future = uniform_motion(rng)
    masses = past[:, -1:, :, 2]
    center = (masses[..., None] * future).sum(2, keepdims=True) / masses.sum(-1)[..., None, None]
    radius = Conservation.from_arrays(past, future, SPACING).radius
    for factor in (0.5, 3.0):
        scaled = center + factor * (future - center)
        result = Conservation.from_arrays(past, scaled, SPACING)
        np.testing.assert_allclose(result.radius, factor * np.array(radius), rtol=1e-12)
        np.testing.assert_allclose(result.center_of_mass_deviation, 0, atol=1e-12)


def test_drifts_are_json_and_read_back_equal(rng):
    drifts = Conservation.from_arrays(*uniform_motion(rng), SPACING)
    text = json.dumps(dataclasses.asdict(drifts), allow_nan=False)
    assert Conservation(**json.loads(text)) == drifts


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"past": np.ones((2, 2, 3, 4))}, r"past: expected .* at least three frames .* \(2, 2, 3"),
        ({"past": np.ones((2, 4, 3, 2))}, "past: expected .* mass"),
        ({"past": np.ones((0, 4, 3, 4))}, "past: expected"),
        ({"past": np.full((2, 4, 3, 4), np.inf)}, "past: expected finite"),
        ({"past": np.ones((2, 4, 3, 4))}, "past: expected particles that move"),
        ({"past": np.full((2, 4, 3, 4), -1.0)}, "past: expected positive masses, found -1.0"),
        ({"positions": np.zeros((2, 5, 3))}, "positions: expected positions"),
        ({"positions": np.zeros((2, 5, 4, 2))}, "positions: expected the windows and particles"),
        ({"positions": np.full((2, 5, 3, 2), np.nan)}, "positions: expected finite"),
        ({"spacing": 0.0}, "spacing: expected a positive number, found 0.0"),
        ({"spacing": -1.0}, "spacing: expected a positive number"),
        ({"spacing": np.nan}, "spacing: expected a positive number"),
        ({"energy": lambda x, v: np.zeros(2)}, r"energy: expected shape \(2, 2\), found \(2,\)"),
        ({"energy": lambda x, v: np.full(x.shape[:2], np.nan)}, "energy: expected finite"),
        (
            {"energy": lambda *_: np.zeros(1), "orientations": (np.zeros((2, 4, 3, 3)), 0.0)},
            r"orientations: expected shape \(2, 4, 3, 2\)",
        ),
    ],
)
def test_wrong_arguments_are_refused(rng, changes, message):
    past, future = uniform_motion(rng, windows=2, particles=3, steps=5)
    arguments = {"past": past, "positions": future, "spacing": SPACING, **changes}
    with pytest.raises(ValueError, match=message):
        Conservation.from_arrays(**arguments)


def test_velocities_refuse_fewer_than_three_frames():
    with pytest.raises(ValueError, match="at least three frames"):
        velocities(np.zeros((1, 1, 1, 2)), np.ones((1, 1, 1, 2)), SPACING)
