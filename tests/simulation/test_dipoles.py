"""Particles with dipoles: forces, torques, and motion against slow and foreign references."""

import itertools

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from socialmd.config import DataConfig, ExperimentConfig, SimulationConfig
from socialmd.data import make_dataset
from socialmd.data.dataset_description import read_description
from socialmd.evaluation import Conservation
from socialmd.models import build_model
from socialmd.simulation import (
    ManyBodySystem,
    Rotors,
    accelerations,
    angular_momentum,
    draw_initial_state,
    draw_rotors,
    electric_field,
    integrate_rotors,
    law_of,
    layout_of_law,
    momentum,
    potential_energy,
    simulate,
    total_energy,
    turning_forces,
    write_dataset,
)


def make_system(dims, **changes):
    fields = {"dipole_range": [0.1, 0.3], "inertia_range": [0.03, 0.06], "softening": 0.3}
    return ManyBodySystem(num_particles=6, spatial_dims=dims, **{**fields, **changes})


@pytest.fixture(params=[2, 3], ids="{} dimensions".format)
def system(request):
    return make_system(request.param)


def start_of(system, index=0):
    return draw_initial_state(system, 0, index), draw_rotors(system, 0, index)


# === Energies, forces and torques ===


def test_energy_is_that_of_pairs_of_charges(system):
    """A dipole is two opposite charges close to each other."""
    state, rotors = start_of(system)
    gap = 1e-4
    hard = system.model_copy(update={"softening": 1e-9, "gravitational_constant": 0.0})
    ends = 0.5 * gap * rotors.orientations
    x = np.concatenate([state.positions, state.positions + ends, state.positions - ends])
    q = np.concatenate([state.charges, rotors.moments / gap, -rotors.moments / gap])
    expected = 0.0
    for i, j in itertools.combinations(range(18), 2):
        if i % 6 != j % 6:  # not within one particle
            expected += 500 * q[i] * q[j] / np.linalg.norm(x[i] - x[j])
    found = potential_energy(hard, state.positions, state.masses, state.charges, rotors.dipoles)
    assert found == pytest.approx(expected, rel=1e-5)


def test_forces_and_fields_are_gradients_of_the_energy(system):
    state, rotors = start_of(system)

    def energy(positions, dipoles):
        return potential_energy(system, positions, state.masses, state.charges, dipoles)

    force = state.masses[:, None] * accelerations(
        system, state.positions, state.masses, state.charges, rotors.dipoles
    )
    field = electric_field(system, state.positions, state.charges, rotors.dipoles)
    for particle, axis in np.ndindex(*state.positions.shape):
        shift = np.zeros_like(state.positions)
        shift[particle, axis] = 1e-5
        slope = energy(state.positions + shift, rotors.dipoles)
        slope -= energy(state.positions - shift, rotors.dipoles)
        assert force[particle, axis] == pytest.approx(-slope / 2e-5, rel=1e-5, abs=1e-4)
        slope = energy(state.positions, rotors.dipoles + shift)
        slope -= energy(state.positions, rotors.dipoles - shift)
        assert field[particle, axis] == pytest.approx(-slope / 2e-5, rel=1e-5, abs=1e-4)


def test_without_dipoles_everything_is_as_before(system):
    state, _ = start_of(system)
    arguments = system, state.positions, state.masses, state.charges
    none = np.zeros_like(state.positions)
    for function in (accelerations, potential_energy):
        np.testing.assert_allclose(function(*arguments, none), function(*arguments), rtol=1e-14)


# === Motion ===


def integrate_state(system, state, rotors, *steps):
    batch = [values[None] for values in state]
    kept = integrate_rotors(system, *batch, Rotors(*(values[None] for values in rotors)), *steps)
    return type(kept)(*(values[0] for values in kept))


def solve(system, state, rotors, time):
    """By an adaptive method of order 8; in the plane by angles, in space by angular velocities."""
    shape = state.positions.shape
    moments, inertias = rotors.moments[:, None], rotors.inertias[:, None]

    def derivative(_, y):
        x, v, u, w = y.reshape(4, *shape)
        dipoles = moments * u
        a = accelerations(system, x, state.masses, state.charges, dipoles)
        pull = turning_forces(system, x, state.charges, dipoles)
        if shape[1] == 3:  # d/dt of du/dt = omega x u
            omega, torque = np.cross(u, w), np.cross(u, pull)
            turning = np.cross(torque / inertias, u) + np.cross(omega, w)
        else:
            normal = np.stack([-u[:, 1], u[:, 0]], axis=1)
            torque = u[:, :1] * pull[:, 1:] - u[:, 1:] * pull[:, :1]
            speed = (w * normal).sum(axis=1, keepdims=True)
            turning = torque / inertias * normal - speed**2 * u
        return np.concatenate([v, a, w, turning]).ravel()

    start = np.concatenate([*state[:2], *rotors[:2]]).ravel()
    solution = solve_ivp(derivative, (0, time), start, method="DOP853", rtol=1e-11, atol=1e-11)
    return solution.y[:, -1].reshape(4, *shape)


def test_motion_is_that_of_dop853_and_of_second_order(system):
    state, rotors = start_of(system)
    exact = solve(system, state, rotors, time=0.02)
    errors = []
    for steps in (500, 1000, 2000):
        kept = integrate_state(system, state, rotors, 2 * steps, 0.02 / steps, steps)
        errors.append(
            [np.abs(each[1] - known).max() for each, known in zip(kept, exact, strict=True)]
        )
    assert (np.array(errors[-1]) < [1e-4, 0.02, 1e-3, 0.3]).all()
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.15)


def test_what_is_conserved_is_conserved(system):
    state, rotors = start_of(system)
    kept = integrate_state(system, state, rotors, 20_000, 1e-5, 1000)
    frames = Rotors(kept.orientations, kept.spins, rotors.moments, rotors.inertias)
    energy = total_energy(
        system, kept.positions, kept.velocities, state.masses, state.charges, frames
    )
    assert np.abs(energy / energy[0] - 1).max() < 1e-5
    scale = (state.masses[:, None] * np.abs(state.velocities)).sum()
    moving = momentum(kept.velocities, state.masses)
    assert np.abs(moving - moving[0]).max() < 1e-12 * scale
    turning = angular_momentum(kept.positions, kept.velocities, state.masses, frames)
    assert turning.shape == ((20,) if system.spatial_dims == 2 else (20, 3))
    assert np.abs(turning - turning[0]).max() < 1e-11 * scale
    # But not of places or rotors alone.
    alone = angular_momentum(kept.positions, kept.velocities, state.masses)
    assert np.abs(alone - alone[0]).max() > 1e-3
    np.testing.assert_allclose(np.linalg.norm(kept.orientations, axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose((kept.orientations * kept.spins).sum(axis=-1), 0, atol=1e-10)


def test_motion_turns_back_when_all_velocities_do(system):
    state, rotors = start_of(system)
    there = integrate_state(system, state, rotors, 4_000, 1e-5, 2_000)
    x, v, u, w = (values[-1] for values in there)
    assert np.abs(u - rotors.orientations).max() > 0.1
    back = integrate_state(
        system,
        state._replace(positions=x, velocities=-v),
        rotors._replace(orientations=u, spins=-w),
        *(4_000, 1e-5, 2_000),
    )
    np.testing.assert_allclose(back.positions[-1], state.positions, rtol=0, atol=1e-12)
    np.testing.assert_allclose(back.orientations[-1], rotors.orientations, rtol=0, atol=1e-11)


def test_a_rotor_on_its_own_turns_evenly():
    for dims in (2, 3):
        system = make_system(dims).model_copy(update={"num_particles": 1})
        state, rotors = start_of(system)
        kept = integrate_state(system, state, rotors, 30, 0.01, 10)
        speed = np.linalg.norm(rotors.spins)
        angle = speed * 0.2
        expected = np.cos(angle) * rotors.orientations + np.sin(angle) / speed * rotors.spins
        np.testing.assert_allclose(kept.orientations[-1], expected, atol=1e-12)


def test_walls_reflect_places_only(system):
    near = system.model_copy(update={"wall": 3.3, "num_particles": 1})
    state, rotors = start_of(near)
    fast = state._replace(velocities=np.full_like(state.velocities, 40.0))
    kept = integrate_state(near, fast, rotors, 400, 1e-3, 10)
    # Unfolded between mirrors, the path is a straight line.
    unfolded = state.positions + 40.0 * 0.01 * np.arange(40)[:, None, None] + 3.3
    folded = 3.3 - np.abs(unfolded % (4 * 3.3) - 2 * 3.3)
    np.testing.assert_allclose(kept.positions, folded, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(kept.spins[-1]), np.linalg.norm(rotors.spins))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_openmm_moves_rigid_pairs_of_charges_alike():
    """Three dipoles in space as bonds of fixed length between opposite charges."""
    from openmm import openmm, unit

    gap, charge, mass = 0.02, 1.0, 20.0  # nm, e, dalton of each end
    coulomb = 138.935456  # kJ/mol nm/e**2
    system = ManyBodySystem(
        num_particles=3,
        spatial_dims=3,
        coulomb_constant=coulomb,
        gravitational_constant=0.0,
        softening=1e-9,
        dipole_range=[gap * charge] * 2,
        inertia_range=[2 * mass * (gap / 2) ** 2] * 2,
        mass_range=[2 * mass] * 2,
        charge_range=[0.0, 0.0],
        velocity_scale=0.3,
        spin_scale=5.0,
        box_size=0.8,
    )
    state, rotors = start_of(system)
    ends = gap / 2 * np.array([[[1.0]], [[-1.0]]])  # of the plus and minus ends

    def of_ends(centres, axes):
        return (centres + ends * axes).swapaxes(0, 1).reshape(6, 3)

    bodies, force = openmm.System(), openmm.NonbondedForce()
    for particle in range(6):
        bodies.addParticle(mass)
        force.addParticle(charge * (-1) ** particle, 1.0, 0.0)
    for particle in range(0, 6, 2):
        bodies.addConstraint(particle, particle + 1, gap)
        force.addException(particle, particle + 1, 0.0, 1.0, 0.0)
    bodies.addForce(force)
    integrator = openmm.VerletIntegrator(1e-4)
    integrator.setConstraintTolerance(1e-10)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(bodies, integrator, platform)
    context.setPositions(of_ends(state.positions, rotors.orientations))
    # Its velocities belong to half a step before.
    back = integrate_state(
        system,
        state._replace(velocities=-state.velocities),
        rotors._replace(spins=-rotors.spins),
        *(2, 5e-5, 1),
    )
    context.setVelocities(-of_ends(back.velocities[1], back.spins[1]))
    integrator.step(10_000)
    found = context.getState(getPositions=True).getPositions(asNumpy=True)
    found = found.value_in_unit(unit.nanometer).reshape(3, 2, 3)
    kept = integrate_state(system, state, rotors, 20_000, 1e-4, 10_000)
    moved = np.abs(kept.positions[1] - state.positions).max()
    assert moved > 0.2
    np.testing.assert_allclose(found.mean(axis=1), kept.positions[1], atol=2e-3 * moved)
    axes = (found[:, 0] - found[:, 1]) / gap
    turned = np.abs(kept.orientations[1] - rotors.orientations).max()
    assert turned > 0.5
    np.testing.assert_allclose(axes, kept.orientations[1], atol=0.02)


# === Whole simulations ===


def test_frames_say_what_turns(system):
    frames, velocities = simulate(system, 2, 400, 1e-5, 100, seed=0, return_velocities=True)
    layout, dims = layout_of_law(system), system.spatial_dims
    assert frames.shape == (2, 4, 6, len(layout.features))
    assert layout.vectors == [slice(0, dims), slice(dims + 4, 2 * dims + 4)]
    assert layout.targets == [*range(dims), *range(dims + 4, 2 * dims + 4)]
    state, rotors = start_of(system, index=1)
    kept = integrate_state(system, state, rotors, 400, 1e-5, 100)
    np.testing.assert_array_equal(frames[1, ..., :dims], kept.positions)
    np.testing.assert_array_equal(velocities[1], kept.velocities)
    np.testing.assert_array_equal(frames[1][..., layout.columns(kind="vector")], kept.orientations)
    for name, values in (("dipole_moment", rotors.moments), ("moment_of_inertia", rotors.inertias)):
        np.testing.assert_array_equal(frames[1, 2, :, layout.find(name)], values)


def test_energy_is_conserved_as_seen_in_frames(system):
    """By difference quotients of positions and of orientations."""
    system = system.model_copy(update={"box_size": 2.5})  # where they feel each other
    past_frames, spacing = 4, 5e-4
    frames = simulate(system, 1, 2400, spacing / 100, 100, seed=2)  # [1, 24, 6, F]
    layout, dims = layout_of_law(system), system.spatial_dims
    x, u = frames[..., :dims], frames[..., layout.orientation]
    mass, charge, dipole, inertia = (
        frames[:, :1, :, layout.find(name)]
        for name in ("mass", "charge", "dipole_moment", "moment_of_inertia")
    )

    def energy(x, v, u, spins):
        return total_energy(system, x, v, mass, charge, Rotors(u, spins, dipole, inertia))

    def drift_of(u):
        given = frames[:, :past_frames], x[:, past_frames:], spacing, energy
        turning = u[:, :past_frames], u[:, past_frames:]
        found = Conservation.from_arrays(*given, orientations=turning)
        return max(found.energy_drift[:-1])

    as_if_nothing_turned = drift_of(np.broadcast_to(u[:, :1], u.shape))
    assert drift_of(u) < 5e-4
    assert as_if_nothing_turned > 5e-3


def test_places_start_as_without_dipoles_and_orientations_are_uniform(system):
    without = system.model_copy(update={"dipole_range": (0.0, 0.0)})
    assert draw_rotors(without, 0, 0) is None
    for one, other in zip(start_of(system)[0], start_of(without)[0], strict=True):
        np.testing.assert_array_equal(one, other)
    many, dims = system.model_copy(update={"num_particles": 20_000}), system.spatial_dims
    rotors = draw_rotors(many, 0, 0)
    np.testing.assert_allclose(rotors.orientations.mean(axis=0), 0, atol=0.03)
    squares = np.square(rotors.orientations).mean(axis=0)
    np.testing.assert_allclose(squares, 1 / dims, atol=0.02)
    speeds = np.square(rotors.spins).sum(axis=1).mean()
    np.testing.assert_allclose(speeds, 100 * (dims - 1), rtol=0.03)
    assert 0.1 <= rotors.moments.min() < rotors.moments.max() <= 0.3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"orientations": np.full((1, 6, 2), 1.0)}, "orientations: expected unit vectors"),
        ({"spins": np.ones((1, 6, 2))}, "spins: expected vectors at right angles"),
        ({"spins": np.zeros((1, 6, 3))}, r"spins: expected shape \(1, 6, 2\)"),
        ({"moments": np.full((1, 6), np.inf)}, "moments: expected finite numbers only"),
        ({"inertias": np.zeros((1, 6))}, "inertias: expected positive numbers"),
    ],
)
def test_impossible_rotors_are_refused(changes, message):
    system = make_system(2)
    state, rotors = start_of(system)
    given = Rotors(*(values[None] for values in rotors))._replace(**changes)
    with pytest.raises(ValueError, match=message):
        integrate_rotors(system, *(values[None] for values in state), given, 2, 1e-5, 1)


def test_old_laws_say_nothing_of_dipoles():
    assert "dipole_range" not in ManyBodySystem().describe()
    assert make_system(2).describe()["dipole_range"] == [0.1, 0.3]


def test_data_sets_are_written_read_and_turned(tmp_path):
    """Orientations turn with places, and models that predict places only refuse them."""
    config = ExperimentConfig(
        system=make_system(2),
        simulation=SimulationConfig(
            num_train=2, num_validation=1, num_test=1, num_steps=600, time_step=1e-5, keep_every=100
        ),
        data=DataConfig(subsample=1, num_phases=1, input_steps=2, target_steps=2, num_rotations=3),
    )
    drifts = write_dataset(config, tmp_path / "set", progress=False)
    assert len(drifts) == 4
    assert drifts.max() < 1e-4
    description = read_description(tmp_path / "set")
    assert description.layout == layout_of_law(config.system)
    assert law_of(description) == config.system
    dataset = make_dataset(tmp_path / "set/train", config.data, batch_size=64)
    inputs, targets = (np.asarray(each) for each in next(iter(dataset)))
    assert targets.shape[-1] == 4
    u = inputs[..., description.layout.columns(name="orientation")]
    np.testing.assert_allclose(np.linalg.norm(u, axis=-1), 1, rtol=1e-5)
    # The angle between a dipole and the way to another particle is no matter of rotations.
    frames = np.load(tmp_path / "set/train/simulation_00000.npy")[:2]
    expected = (frames[:, 0, -2:] * (frames[:, 1, :2] - frames[:, 0, :2])).sum(axis=-1)
    found = (u[:, :, 0] * (inputs[:, :, 1, :2] - inputs[:, :, 0, :2])).sum(axis=-1)
    same = np.isclose(found, expected, atol=1e-4).all(axis=1)
    assert same.sum() == 3  # turned each time
    assert len(np.unique(np.round(inputs[same][:, 0, 0, 0], 4))) == 3
    with pytest.raises(ValueError, match="expected places alone to be predicted"):
        build_model(config).learn_layout(description.layout)
