"""Particles on strands: exact motion, forces by finite differences, friction, noise, data sets."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from socialmd.config import ExperimentConfig, ManyBodySystem, StrandsConfig
from socialmd.data import load_trajectories
from socialmd.simulation import (
    accelerations,
    draw_anchors,
    draw_initial_state,
    integrate,
    integrate_strands,
    law_of,
    pair_law,
    potential_energy,
    simulate,
    total_energy,
    write_dataset,
)

SPRING = {"stiffness": 30.0, "rest_length": 0.7, "core_radius": 1.5}


def make_system(dims=2, particles=5, coulomb=40.0, **strands):
    return ManyBodySystem(
        num_particles=particles,
        spatial_dims=dims,
        coulomb_constant=coulomb,
        gravitational_constant=0.0,
        softening=0.2,
        velocity_scale=1.0,
        strands=StrandsConfig(**{**SPRING, **strands}),
    )


def start(system, count=1):
    """States and anchors of some systems, each with a leading axis."""
    states = [draw_initial_state(system, 0, index) for index in range(count)]
    anchors = np.stack([draw_anchors(system, 0, index) for index in range(count)])
    return [np.stack(each) for each in zip(*states, strict=True)], anchors


@pytest.fixture(params=[2, 3], ids="{} dimensions".format)
def dims(request):
    return request.param


def test_anchors_are_spread_evenly_over_the_core(dims):
    system = make_system(dims, particles=20)
    first, second = (draw_anchors(system, 0, index) for index in range(2))
    for anchors in (first, second):
        np.testing.assert_allclose(np.linalg.norm(anchors, axis=-1), 1.5)
        apart = np.linalg.norm(anchors[:, None] - anchors, axis=-1) + 9 * np.eye(20)
        nearest = apart.min(axis=0)
        # Twenty on a circle, or each with its share of a sphere.
        share = 2 * 1.5 * np.sin(np.pi / 20) if dims == 2 else 1.5 * np.sqrt(4 * np.pi / 20)
        assert nearest.min() > (0.99 if dims == 2 else 0.8) * share
    assert np.abs(first - second).max() > 0.1  # turned
    state = draw_initial_state(system, 0, 0)
    np.testing.assert_allclose(np.linalg.norm(state.positions - first, axis=-1), 0.7)
    np.testing.assert_allclose(np.linalg.norm(state.positions, axis=-1), 2.2)


def test_forces_are_minus_the_gradient_of_the_energy(dims, rng):
    system = make_system(dims, core_stiffness=90.0)
    (x, _, masses, charges), anchors = start(system)
    x = x + rng.normal(scale=0.8, size=x.shape)  # some of them in the core
    assert (np.linalg.norm(x, axis=-1) < 1.5).any()
    found = accelerations(system, x, masses, charges, None, anchors) * masses[..., None]
    for index in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[index] = 1e-6
        up, down = (
            potential_energy(system, x + sign * shift, masses, charges, None, anchors)
            for sign in (1, -1)
        )
        assert found[index] == pytest.approx(-float((up - down)[0]) / 2e-6, rel=1e-4, abs=1e-4)


def test_the_motion_is_that_of_a_foreign_integrator(dims):
    system = make_system(dims, damping=0.8, core_stiffness=50.0)
    (x, v, masses, charges), anchors = start(system)
    v = v - 2 * x  # towards the core
    kept = integrate_strands(system, x, v, masses, charges, anchors, 12000, 2.5e-4, 4000)

    def slope(_, state):
        x, v = state.reshape(2, *anchors.shape)
        a = accelerations(system, x, masses, charges, None, anchors) - 0.8 * v
        return np.concatenate([v, a]).ravel()

    exact = solve_ivp(
        slope, (0, 2), np.concatenate([x, v]).ravel(), t_eval=[1, 2], rtol=1e-10, atol=1e-12
    ).y.T.reshape(2, 2, *anchors.shape[1:])
    np.testing.assert_allclose(kept.positions[0, 1:], exact[:, 0], atol=5e-5)
    np.testing.assert_allclose(kept.velocities[0, 1:], exact[:, 1], atol=2e-3)


def test_a_damped_oscillator_moves_as_textbooks_say():
    system = make_system(particles=1, stiffness=25.0, damping=1.0, rest_length=0.0)
    anchor, x = np.array([[[1.5, 0.0]]]), np.array([[[2.5, 0.0]]])
    kept = integrate_strands(system, x, np.zeros_like(x), [[2.0]], [[0.0]], anchor, 4000, 1e-3, 200)
    t, rate, frequency = 0.2 * np.arange(20), 0.5, np.sqrt(25.0 / 2 - 0.25)
    swing = np.cos(frequency * t) + rate / frequency * np.sin(frequency * t)
    expected = np.exp(-rate * t) * swing
    np.testing.assert_allclose(kept.positions[0, :, 0, 0] - 1.5, expected, atol=2e-5)


def test_without_friction_energy_is_conserved_in_second_order(dims):
    system = make_system(dims, coulomb=5.0)  # the core's surface is a kink
    (x, v, masses, charges), anchors = start(system)
    drifts = []
    for every in (200, 400):
        kept = integrate_strands(
            system, x, v, masses, charges, anchors, 10 * every, 0.5 / every, every
        )
        energy = total_energy(
            system, kept.positions[0], kept.velocities[0], masses, charges, None, anchors
        )
        drifts.append(np.abs(energy - energy[0]).max())
    assert drifts[0] < 1e-2 * (masses * (v**2).sum(-1)).sum()
    assert 3.5 < drifts[0] / drifts[1] < 4.5


def test_without_strands_it_is_velocity_verlet(dims):
    system = make_system(dims, stiffness=0.0)
    (x, v, masses, charges), anchors = start(system)
    how = {"num_steps": 300, "time_step": 1e-3, "keep_every": 100}
    tied = integrate_strands(system, x, v, masses, charges, anchors, **how)
    free = integrate(system, x, v, masses, charges, **how)
    np.testing.assert_allclose(tied.positions, free.positions, rtol=1e-9)


def test_noise_brings_particles_to_their_temperature():
    """Of position and velocity; each particle alone on a spring without a rest length."""
    system = make_system(particles=50, coulomb=0.0, rest_length=0.0, damping=5.0, temperature=3.0)
    (x, v, masses, charges), anchors = start(system, 8)
    kept = integrate_strands(system, x, v, masses, charges, anchors, 12000, 5e-3, 200, seed=1)
    late = slice(10, None)
    per_mass = np.mean(masses[:, None, :, None] * kept.velocities[:, late] ** 2)
    spread = np.mean((kept.positions[:, late] - anchors[:, None]) ** 2)
    assert per_mass == pytest.approx(3.0, rel=0.03)
    assert spread == pytest.approx(3.0 / 30.0, rel=0.03)


def test_the_same_seed_gives_the_same_noise_however_many_threads():
    system = make_system(damping=2.0, temperature=1.0)
    (x, v, masses, charges), anchors = start(system, 3)
    how = {"num_steps": 60, "time_step": 1e-2, "keep_every": 20}
    arguments = (system, x, v, masses, charges, anchors)
    one, several, other = (
        integrate_strands(*arguments, **how, seed=seed, num_threads=threads).positions
        for seed, threads in ((4, 1), (4, 3), (5, 1))
    )
    np.testing.assert_array_equal(one, several)
    assert np.abs(one[:, 1:] - other[:, 1:]).min(axis=(1, 2, 3)).max() > 0
    data = [simulate(system, 2, 60, 1e-2, 20, seed=0, num_threads=t) for t in (1, 2)]
    np.testing.assert_array_equal(*data)


def test_data_sets_hold_anchors_as_vectors_that_never_change(tmp_path, dims):
    system = make_system(dims, damping=1.0, temperature=1.0)
    tables = {
        "system": system.model_dump(),
        "simulation": {"num_train": 1, "num_validation": 1, "num_test": 1, "num_steps": 40}
        | {"time_step": 1e-2, "keep_every": 1},
        "data": {"subsample": 1, "num_phases": 1, "input_steps": 2, "target_steps": 3},
    }
    write_dataset(ExperimentConfig.model_validate(tables), tmp_path, progress=False)
    found = load_trajectories(tmp_path / "train")
    layout = found.description.layout
    assert layout.features[-dims:] == tuple(f"anchor_{axis}" for axis in "xyz"[:dims])
    assert layout.columns(name="anchor", kind="vector", static=True) == list(
        range(dims + 2, 2 * dims + 2)
    )
    np.testing.assert_array_equal(found.frames[0, 7, :, dims + 2 :], draw_anchors(system, 0, 0))
    assert law_of(found.description) == system
    assert pair_law(found.description, 1.0) is not None


def test_old_laws_say_nothing_of_strands():
    assert "strands" not in ManyBodySystem().describe()
    assert make_system().describe()["strands"]["stiffness"] == 30.0


def test_what_does_not_go_together_is_refused():
    strands = StrandsConfig(stiffness=1.0)
    with pytest.raises(ValueError, match="strands: expected nothing that turns and no wall"):
        ManyBodySystem(strands=strands, wall=10.0)
    (x, v, masses, charges), anchors = start(make_system())
    with pytest.raises(ValueError, match="anchors: expected finite numbers of shape"):
        integrate_strands(make_system(), x, v, masses, charges, anchors[:, :2], 10, 0.1, 1)
    with pytest.raises(ValueError, match="system: expected strands, found none"):
        integrate_strands(ManyBodySystem(), x, v, masses, charges, anchors, 10, 0.1, 1)
