import itertools

import numpy as np
import pytest

from socialmd.simulation import (
    ManyBodySystem,
    accelerations,
    angular_momentum,
    draw_initial_state,
    kinetic_energy,
    momentum,
    pair_couplings,
    potential_energy,
    total_energy,
)

SYSTEM = ManyBodySystem(num_particles=6)
STATE = draw_initial_state(SYSTEM, seed=0, index=0)


def test_couplings_are_symmetric_and_leave_out_the_particle_itself():
    couplings = pair_couplings(SYSTEM, STATE.masses, STATE.charges)
    np.testing.assert_array_equal(couplings, couplings.T)
    np.testing.assert_array_equal(np.diag(couplings), 0)
    m, q = STATE.masses, STATE.charges
    assert couplings[4, 1] == pytest.approx(500 * q[4] * q[1] - 125 * m[4] * m[1])


@pytest.mark.parametrize(
    ("charges", "direction"), [([0, 0], -1), ([1, -1], -1), ([1, 1], 1), ([-1, -1], 1)]
)
def test_masses_attract_and_like_charges_repel(charges, direction):
    left, right = accelerations(SYSTEM, [[0, 0], [1, 0]], masses=[1, 1], charges=charges)
    assert np.sign(right[0]) == direction
    np.testing.assert_allclose(left, -right)


def test_accelerations_equal_the_sum_written_out_with_loops():
    expected = np.zeros((6, 2))
    m, q, x = STATE.masses, STATE.charges, STATE.positions
    for i, j in itertools.permutations(range(6), 2):
        r = x[i] - x[j]
        force = (500 * q[i] * q[j] - 125 * m[i] * m[j]) * r / (r @ r + 0.01**2) ** 1.5
        expected[i] += force / m[i]
    computed = accelerations(SYSTEM, x, m, q)
    np.testing.assert_allclose(computed, expected, rtol=1e-12)


def test_forces_are_minus_the_gradient_of_the_potential_energy():
    step = 1e-5
    gradient = np.zeros((6, 2))
    for particle, axis in np.ndindex(6, 2):
        shift = np.zeros((6, 2))
        shift[particle, axis] = step
        energies = potential_energy(
            SYSTEM,
            [STATE.positions + shift, STATE.positions - shift],
            STATE.masses,
            STATE.charges,
        )
        gradient[particle, axis] = (energies[0] - energies[1]) / (2 * step)
    acceleration = accelerations(SYSTEM, STATE.positions, STATE.masses, STATE.charges)
    np.testing.assert_allclose(STATE.masses[:, None] * acceleration, -gradient, rtol=1e-6)


def test_potential_energy_of_a_pair_is_softened():
    energy = potential_energy(SYSTEM, [[0, 0], [0.03, 0.04]], masses=[1, 2], charges=[0.5, 0.2])
    assert energy == pytest.approx((500 * 0.1 - 125 * 2) / np.sqrt(0.05**2 + 0.01**2))


def test_particles_on_top_of_each_other_exert_no_force():
    force = accelerations(SYSTEM, [[1, 2], [1, 2]], masses=[1, 1], charges=[1, -1])
    np.testing.assert_array_equal(force, 0)


def test_kinetic_energy_and_momenta_of_two_particles_by_hand():
    positions, velocities, masses = [[1, 0], [0, 2]], [[0, 3], [5, 1]], [2, 4]
    assert kinetic_energy(velocities, masses) == 0.5 * 2 * 9 + 0.5 * 4 * 26
    np.testing.assert_array_equal(momentum(velocities, masses), [20, 10])
    assert angular_momentum(positions, velocities, masses) == 2 * 1 * 3 - 4 * 2 * 5


def test_leading_axes_are_frames_or_simulations():
    states = [[draw_initial_state(SYSTEM, seed, index) for index in range(3)] for seed in range(2)]
    x, v, m, q = (np.array([[s[part] for s in row] for row in states]) for part in range(4))
    batched = {
        "accelerations": accelerations(SYSTEM, x, m, q),
        "energy": total_energy(SYSTEM, x, v, m, q),
        "momentum": momentum(v, m),
        "angular": angular_momentum(x, v, m),
    }
    last = states[1][2]
    alone = {
        "accelerations": accelerations(SYSTEM, *last[::2], last.charges),
        "energy": total_energy(SYSTEM, *last),
        "momentum": momentum(last.velocities, last.masses),
        "angular": angular_momentum(*last[:3]),
    }
    for name, values in batched.items():
        assert values.shape == (2, 3, *alone[name].shape)
        np.testing.assert_allclose(values[1, 2], alone[name], rtol=1e-13)
