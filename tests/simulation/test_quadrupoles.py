"""Linear quadrupoles, rigid sets of point charges: against their charges one by one."""

import itertools

import numpy as np
import pytest

from socialmd.simulation import (
    ManyBodySystem,
    Multipoles,
    Rotors,
    accelerations,
    angular_momentum,
    draw_initial_state,
    draw_rotors,
    layout_of_law,
    momentum,
    potential_energy,
    total_energy,
    turning_forces,
)
from tests.simulation.test_dipoles import integrate_state, solve

ARM = 0.2


@pytest.fixture(params=[2, 3], ids="{} dimensions".format)
def system(request):
    return ManyBodySystem(
        num_particles=5,
        spatial_dims=request.param,
        quadrupole_range=[0.05, 0.1],
        quadrupole_arm=ARM,
        inertia_range=[0.03, 0.06],
        softening=0.3,
    )


@pytest.fixture
def start(system):
    return draw_initial_state(system, 0, 0), draw_rotors(system, 0, 0)


def charges_of(state, rotors):
    """Places [5, 3, D] and sizes [5, 3] of all charges."""
    steps = np.array([-1, 0, 1])[:, None]
    places = state.positions[:, None] + ARM * steps * rotors.orientations[:, None]
    outer = rotors.moments / (2 * ARM**2)
    return places, np.stack([outer, state.charges - 2 * outer, outer], axis=1)


def test_particles_have_the_quadrupole_moment_and_no_dipole_moment(system, start):
    places, sizes = charges_of(*start)
    state, rotors = start
    found = Multipoles.of(places, sizes, state.positions)
    np.testing.assert_allclose(found.monopole, state.charges)
    np.testing.assert_allclose(found.dipole, 0, atol=1e-12)
    # sum q (3 x x - |x|**2 I) of charges along u
    u, dims = rotors.orientations, system.spatial_dims
    tensor = 3 * np.einsum("ni,nj->nij", u, u) - np.eye(dims)
    np.testing.assert_allclose(found.quadrupole, rotors.moments[:, None, None] * tensor, atol=1e-12)


def test_the_energy_is_that_of_all_pairs_of_charges_and_of_masses(system, start):
    state, rotors = start
    places, sizes = charges_of(state, rotors)
    expected = 0.0
    for i, j in itertools.combinations(range(5), 2):
        away = np.linalg.norm(state.positions[i] - state.positions[j])
        expected -= 125 * state.masses[i] * state.masses[j] / np.hypot(away, 0.3)
        for s, t in itertools.product(range(3), repeat=2):
            away = np.linalg.norm(places[i, s] - places[j, t])
            expected += 500 * sizes[i, s] * sizes[j, t] / np.hypot(away, 0.3)
    found = potential_energy(system, state.positions, state.masses, state.charges, rotors.dipoles)
    assert found == pytest.approx(expected, rel=1e-12)


def test_forces_are_gradients_of_the_energy(system, start):
    state, rotors = start
    x, m, q = state.positions, state.masses, state.charges

    def energy(positions, orientations):
        turned = rotors._replace(orientations=orientations)
        return potential_energy(system, positions, m, q, turned.dipoles)

    force = m[:, None] * accelerations(system, x, m, q, rotors.dipoles)
    pull = turning_forces(system, x, q, rotors.dipoles)
    for particle, axis in np.ndindex(*x.shape):
        shift = np.zeros_like(x)
        shift[particle, axis] = 1e-5
        slope = energy(x + shift, rotors.orientations) - energy(x - shift, rotors.orientations)
        assert force[particle, axis] == pytest.approx(-slope / 2e-5, rel=1e-5, abs=1e-4)
    # Unit vectors move at right angles to themselves.
    for particle in range(5):
        u = rotors.orientations[particle]
        tangent = np.eye(len(u))[np.argmin(np.abs(u))]
        tangent = tangent - (tangent @ u) * u
        ends = []
        for sign in (1, -1):
            turned = rotors.orientations.copy()
            turned[particle] = u + sign * 1e-5 * tangent
            turned[particle] /= np.linalg.norm(turned[particle])
            ends.append(energy(x, turned))
        slope = (ends[0] - ends[1]) / 2e-5
        assert pull[particle] @ tangent == pytest.approx(-slope, rel=1e-5, abs=1e-4)


def test_motion_is_that_of_dop853_and_of_second_order(system, start):
    exact = solve(system, *start, time=0.02)
    errors = []
    for steps in (500, 1000, 2000):
        kept = integrate_state(system, *start, 2 * steps, 0.02 / steps, steps)
        errors.append(
            [np.abs(each[1] - known).max() for each, known in zip(kept, exact, strict=True)]
        )
    assert (np.array(errors[-1]) < [1e-4, 0.02, 1e-3, 0.3]).all()
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.15)


def test_what_is_conserved_is_conserved(system, start):
    state, rotors = start
    kept = integrate_state(system, state, rotors, 20_000, 1e-5, 1000)
    frames = Rotors(kept.orientations, kept.spins, rotors.moments, rotors.inertias)
    energy = total_energy(
        system, kept.positions, kept.velocities, state.masses, state.charges, frames
    )
    assert np.abs(energy / energy[0] - 1).max() < 1e-5
    scale = (state.masses[:, None] * np.abs(state.velocities)).sum()
    for moving in (
        momentum(kept.velocities, state.masses),
        angular_momentum(kept.positions, kept.velocities, state.masses, frames),
    ):
        assert np.abs(moving - moving[0]).max() < 1e-11 * scale


def test_layouts_and_laws_tell_them_from_dipoles(system):
    layout = layout_of_law(system)
    assert layout.find("quadrupole_moment") == system.spatial_dims + 2
    described = system.describe()
    assert described["quadrupole_range"] == [0.05, 0.1]
    assert ManyBodySystem.model_validate(described) == system
    assert "quadrupole_range" not in ManyBodySystem(dipole_range=(0.1, 0.2)).describe()
    with pytest.raises(ValueError, match="quadrupole_range: expected no dipoles beside them"):
        ManyBodySystem(dipole_range=(0.1, 0.2), quadrupole_range=(0.1, 0.2))
