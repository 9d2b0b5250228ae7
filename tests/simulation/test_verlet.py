import numpy as np
import pytest

from socialmd.simulation import ManyBodySystem, accelerations, draw_initial_state, integrate
from socialmd.simulation.verlet import ring_couplings, velocity_verlet


@pytest.mark.parametrize("num_particles", [1, 2, 3, 4, 7, 8])
def test_ring_holds_every_pair_once(num_particles):
    values = np.random.default_rng(0).normal(size=(num_particles, num_particles))
    couplings = values + values.T
    ring = ring_couplings(couplings)
    assert ring.shape == (num_particles // 2, -(-num_particles // 4) * 4)
    np.testing.assert_array_equal(ring[:, num_particles:], 0)
    collected = np.zeros_like(couplings)
    for row, i in np.ndindex(num_particles // 2, num_particles):
        j = (i + row + 1) % num_particles
        collected[i, j] += ring[row, i]
        collected[j, i] += ring[row, i]
    np.fill_diagonal(couplings, 0)
    np.testing.assert_allclose(collected, couplings, rtol=1e-15)


def obvious_velocity_verlet(system, state, num_steps, time_step):
    x, v, m, q = (np.array(values) for values in state)
    for _ in range(num_steps):
        v += accelerations(system, x, m, q) * time_step / 2
        x += v * time_step
        v += accelerations(system, x, m, q) * time_step / 2
    return x, v


@pytest.mark.parametrize("num_particles", [1, 2, 3, 4, 7, 24, 25])
def test_kernel_equals_an_obvious_integrator(num_particles):
    system = ManyBodySystem(num_particles=num_particles)
    state = draw_initial_state(system, seed=0, index=1)
    kept = integrate(system, *(values[None] for values in state), 402, 1e-5, 201)
    x, v = obvious_velocity_verlet(system, state, 201, 1e-5)
    np.testing.assert_allclose(kept.positions[0, 1], x, rtol=0, atol=1e-13)
    np.testing.assert_allclose(kept.velocities[0, 1], v, rtol=0, atol=1e-11)


def test_one_compiled_form_serves_all_arguments():
    pair = [[[0, 0], [1, 0]]], np.zeros((1, 2, 2), np.float32), [[1, 1]], [[0, 0]]
    integrate(ManyBodySystem(softening=1), *pair, 2, 1, 1)
    integrate(ManyBodySystem(), *pair, np.int64(4), np.float64(1e-3), np.int32(2))
    assert len(velocity_verlet.signatures) == 1


def test_reversed_order_of_particles_gives_the_same_motion():
    system = ManyBodySystem(num_particles=9)
    state = [values[None] for values in draw_initial_state(system, seed=3, index=0)]
    kept = integrate(system, *state, 200, 1e-5, 100)
    turned = integrate(system, *(values[:, ::-1] for values in state), 200, 1e-5, 100)
    np.testing.assert_allclose(turned.positions[:, :, ::-1], kept.positions, rtol=0, atol=1e-12)
