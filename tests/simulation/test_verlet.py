import numpy as np
import pytest
from scipy.integrate import solve_ivp

from socialmd.simulation import (
    InitialState,
    ManyBodySystem,
    accelerations,
    draw_fixed_charges,
    draw_initial_state,
    draw_springs,
    integrate,
    kinetic_energy,
    potential_energy,
    simulate,
    total_energy,
)
from socialmd.simulation.verlet import KERNELS, ring_couplings


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


def obvious_velocity_verlet(system, state, num_steps, time_step, springs=None):
    x, v, m, q = (np.array(values) for values in state)
    for _ in range(num_steps):
        v += accelerations(system, x, m, q, springs=springs) * time_step / 2
        x += v * time_step
        if system.wall is not None:
            beyond = np.abs(x) > system.wall
            x[beyond] = 2 * system.wall * np.sign(x[beyond]) - x[beyond]
            v[beyond] *= -1
        v += accelerations(system, x, m, q, springs=springs) * time_step / 2
    return x, v


def assert_moves_as_obvious(system, state, springs=None, time_step=1e-4, tolerance=1e-11):
    """Check 201 steps of the kernel, and where they lead, to that many lengths: [N, D]."""
    steps = (402, time_step, 201)
    tied = None if springs is None else springs[None]
    kept = integrate(system, *(values[None] for values in state), *steps, springs=tied)
    x, v = obvious_velocity_verlet(system, state, 201, time_step, springs)
    assert kept.positions.shape == (1, 2, *x.shape)
    np.testing.assert_allclose(kept.positions[0, 1], x, rtol=0, atol=tolerance)
    np.testing.assert_allclose(kept.velocities[0, 1], v, rtol=0, atol=100 * tolerance)
    return x


@pytest.mark.parametrize("wall", [None, 3.25])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("num_particles", [1, 2, 3, 4, 7, 24, 25])
def test_kernel_equals_an_obvious_integrator(num_particles, dims, wall):
    system = ManyBodySystem(num_particles=num_particles, spatial_dims=dims, wall=wall)
    state = draw_initial_state(system, seed=0, index=1)
    assert_moves_as_obvious(system, state, time_step=1e-5, tolerance=1e-13)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("num_particles", [2, 5, 8])
def test_springs_and_limits_are_those_of_an_obvious_integrator(num_particles, dims):
    system = ManyBodySystem(
        num_particles=num_particles,
        spatial_dims=dims,
        softening=0,
        position_scale=1.0,
        minimum_distance=0.2,
        spring_constant=40.0,
        force_limit=300.0,
    )
    state, springs = draw_initial_state(system, 0, 1), draw_springs(system, 0, 1)
    x = assert_moves_as_obvious(system, state, springs)
    free, _ = obvious_velocity_verlet(
        system.model_copy(update={"force_limit": None}), state, 201, 1e-4, springs
    )
    loose, _ = obvious_velocity_verlet(system, state, 201, 1e-4)
    assert np.abs(free - x).max() > 1e-6 or num_particles == 2
    assert np.abs(loose - x).max() > 1e-6 or not springs.any()


def test_springs_pull_as_their_energy_says():
    system = ManyBodySystem(
        num_particles=4, spatial_dims=3, spring_constant=3.0, spring_probability=0.7
    )
    state, springs = draw_initial_state(system, 2, 0), draw_springs(system, 2, 0)
    x, _, m, q = state

    def energy(places):
        return potential_energy(system, places, m, q, springs=springs)

    forces = accelerations(system, x, m, q, springs=springs) * m[:, None]
    for i, d in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i, d] = 1e-5
        slope = (energy(x + step) - energy(x - step)) / 2e-5
        np.testing.assert_allclose(forces[i, d], -slope, rtol=1e-6, atol=1e-5)


def test_no_component_of_a_force_exceeds_the_limit():
    system = ManyBodySystem(
        num_particles=2,
        coulomb_constant=1.0,
        gravitational_constant=0.0,
        softening=0,
        force_limit=4.0,
    )
    near = [[0.0, 0.0], [0.3, 0.01]]
    pushed = accelerations(system, near, [1.0, 2.0], [1.0, 1.0])
    np.testing.assert_allclose(pushed[:, 0], [-4.0, 2.0])
    assert 0 < pushed[1, 1] < 2.0


def test_no_force_exceeds_the_limit_in_magnitude():
    system = ManyBodySystem(
        num_particles=3,
        coulomb_constant=1.0,
        gravitational_constant=0.0,
        softening=0,
        force_limit=4.0,
        limit_magnitude=True,
    )
    near = np.array([[0.0, 0.0], [0.3, 0.2], [5.0, 5.0]])
    masses, charges = [1.0, 2.0, 1.0], [1.0, 1.0, 1.0]
    pushed = accelerations(system, near, masses, charges)
    np.testing.assert_allclose(np.linalg.norm(pushed, axis=-1)[:2], [4.0, 2.0])
    np.testing.assert_allclose(pushed[1, 0] / pushed[1, 1], 1.5, rtol=0.01)
    assert 0 < np.linalg.norm(pushed[2]) < 1.0
    state = InitialState(near, np.zeros((3, 2)), np.array(masses), np.array(charges))
    assert_moves_as_obvious(system, state, tolerance=1e-12)


@pytest.mark.parametrize("dims", [2, 3])
def test_fixed_charges_act_and_stay(dims):
    fixed = {"count": 3, "half_width": 2.0, "seed": 4}
    system = ManyBodySystem(
        num_particles=4, spatial_dims=dims, spring_constant=20.0, fixed_charges=fixed
    )
    state, springs = draw_initial_state(system, 0, 1), draw_springs(system, 0, 1)
    x = assert_moves_as_obvious(system, state, springs)
    without = system.model_copy(update={"fixed_charges": None})
    free, _ = obvious_velocity_verlet(without, state, 201, 1e-4, springs)
    assert np.abs(free - x).max() > 1e-4

    places, charges = draw_fixed_charges(system)
    np.testing.assert_array_equal(places, draw_fixed_charges(system)[0])
    assert np.abs(places).max() <= 2.0
    assert set(charges) <= {-1.0, 1.0}
    # Its field is that of particles of the same charges at the same places.
    alone = system.model_copy(update={"gravitational_constant": 0.0, "spring_constant": 0.0})
    all_of_them = alone.model_copy(update={"fixed_charges": None})
    masses = np.concatenate([state.masses, np.ones(3)])
    expected = accelerations(
        all_of_them,
        np.concatenate([state.positions, places]),
        masses,
        np.concatenate([state.charges, charges]),
    )
    found = accelerations(alone, *state[:1], *state[2:])
    np.testing.assert_allclose(found, expected[:4], rtol=1e-9)


def test_walls_are_none_for_fixed_charges():
    system = ManyBodySystem(
        num_particles=3, box_size=2.0, wall=1.5, fixed_charges={"count": 4, "half_width": 6.0}
    )
    assert np.abs(draw_fixed_charges(system)[0]).max() > 3 * system.wall
    assert_moves_as_obvious(system, draw_initial_state(system, 0, 1))


def test_a_limit_in_magnitude_needs_a_limit():
    with pytest.raises(ValueError, match="limit_magnitude: expected false without force_limit"):
        ManyBodySystem(limit_magnitude=True)


def test_the_energy_is_conserved_among_fixed_charges():
    system = ManyBodySystem(num_particles=3, fixed_charges={"count": 5}, softening=0.3)
    state = draw_initial_state(system, 1, 0)
    x, v, m, q = (values[None] for values in state)
    kept = integrate(system, x, v, m, q, 20_002, 1e-6, 10_000)
    energies = total_energy(system, *kept, m[:, None], q[:, None])[0]
    np.testing.assert_allclose(energies[1:], energies[0], rtol=1e-6)
    assert np.ptp(kinetic_energy(kept.velocities, m[:, None])) > 0.5


def test_coinciding_particles_without_softening_are_told():
    system = ManyBodySystem(num_particles=2, softening=0, gravitational_constant=0.0)
    with pytest.raises(FloatingPointError, match="not finite"):
        integrate(system, np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), [[1, 1]], [[1, 1]], 2, 1e-3, 1)


@pytest.mark.parametrize(
    ("springs", "message"),
    [
        (np.ones((1, 2, 2)), "zeros on the diagonal"),
        ([[[0, 1], [0, 0]]], "symmetric"),
        ([[[0, 2], [2, 0]]], "zeros and ones"),
        (np.zeros((1, 3, 3)), "shape"),
    ],
)
def test_refuses_springs_that_are_none(springs, message):
    pair = [[[0, 0], [1, 0]]], np.zeros((1, 2, 2)), [[1, 1]], [[0, 0]]
    with pytest.raises(ValueError, match=message):
        integrate(ManyBodySystem(spring_constant=1.0), *pair, 2, 1, 1, springs=springs)


def test_one_compiled_form_serves_all_arguments():
    pair = [[[0, 0], [1, 0]]], np.zeros((1, 2, 2), np.float32), [[1, 1]], [[0, 0]]
    integrate(ManyBodySystem(softening=1), *pair, 2, 1, 1)
    integrate(ManyBodySystem(), *pair, np.int64(4), np.float64(1e-3), np.int32(2))
    assert len(KERNELS[2, False].signatures) == 1


def test_reversed_order_of_particles_gives_the_same_motion():
    system = ManyBodySystem(num_particles=9)
    state = [values[None] for values in draw_initial_state(system, seed=3, index=0)]
    kept = integrate(system, *state, 200, 1e-5, 100)
    turned = integrate(system, *(values[:, ::-1] for values in state), 200, 1e-5, 100)
    np.testing.assert_allclose(turned.positions[:, :, ::-1], kept.positions, rtol=0, atol=1e-12)


def test_a_free_particle_goes_to_and_fro_between_walls():
    """Alone, at speeds 3, 1 and 2 along the axes, between walls at 1: a triangle wave each."""
    system = ManyBodySystem(num_particles=1, spatial_dims=3, wall=1.0, box_size=2.0)
    start, velocity = np.array([0.5, 0.0, -0.25]), np.array([3.0, 1.0, -2.0])
    kept = integrate(
        system, start[None, None], velocity[None, None], [[1.0]], [[0.0]], 4000, 1e-3, 10
    )
    times = 1e-2 * np.arange(400)[:, None]
    unfolded = (start + velocity * times + 1) % 4
    expected = np.where(unfolded < 2, unfolded - 1, 3 - unfolded)
    np.testing.assert_allclose(kept.positions[0, :, 0], expected, atol=1e-9)
    np.testing.assert_allclose(
        np.abs(kept.velocities[0, :, 0]), np.tile(np.abs(velocity), (400, 1))
    )


def test_energy_is_conserved_in_space_and_between_walls():
    system = ManyBodySystem(num_particles=6, spatial_dims=3, wall=3.5)
    frames, velocities = simulate(system, 2, 40_000, 1e-6, 1000, seed=0, return_velocities=True)
    assert frames.shape == (2, 40, 6, 5)
    assert np.abs(frames[..., :3]).max() <= 3.5
    assert np.abs(np.diff(np.sign(velocities), axis=1)).any()
    masses, charges = frames[..., 3], frames[..., 4]
    energy = total_energy(system, frames[..., :3], velocities, masses, charges)
    assert np.abs(energy / energy[:, :1] - 1).max() < 1e-4


def test_motion_in_space_is_that_of_scipy():
    system = ManyBodySystem(num_particles=3, spatial_dims=3)
    state = draw_initial_state(system, seed=2, index=0)

    def rates(_, y):
        x, v = y.reshape(2, 3, 3)
        a = accelerations(system, x, state.masses, state.charges)
        return np.concatenate([v, a]).ravel()

    y = np.concatenate([state.positions, state.velocities]).ravel()
    found = solve_ivp(rates, (0, 0.02), y, rtol=1e-10, atol=1e-10).y[:9, -1].reshape(3, 3)
    kept = integrate(system, *(values[None] for values in state), 40_000, 1e-6, 20_000)
    np.testing.assert_allclose(kept.positions[0, 1], found, atol=1e-6)


def test_impossible_walls_and_crowds_are_refused():
    with pytest.raises(
        ValueError, match=r"wall: expected at least half of box_size, 3.25, found 3"
    ):
        ManyBodySystem(wall=3.0)
    with pytest.raises(ValueError, match=r"do not fit into a cube of side 6.5"):
        ManyBodySystem(num_particles=500, minimum_distance=1.0, spatial_dims=3)


def test_laws_that_are_as_they_always_were_are_described_as_ever():
    """Data sets that are there are not made anew."""
    law = ManyBodySystem().describe()
    assert not law.keys() & {"spatial_dims", "wall"}
    assert ManyBodySystem.model_validate(law) == ManyBodySystem()
    other = ManyBodySystem(spatial_dims=3, wall=5.0)
    assert ManyBodySystem.model_validate(other.describe()) == other
