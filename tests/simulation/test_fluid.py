"""The liquid of argon and xenon: forces, ensembles, files."""

import itertools

import MDAnalysis
import numpy as np
import pytest
from openmm import openmm

from socialmd.simulation.fluid import FluidSchedule, LennardJonesFluid, make_system, write_fluid
from socialmd.simulation.fluid.lennard_jones_fluid import SPECIES
from socialmd.simulation.fluid.simulate_fluid import simulate_fluid

SMALL = LennardJonesFluid(num_argon=5, num_xenon=4, box_side=12.0, cutoff=6.0)
SHORT = FluidSchedule(num_frames=5, steps_per_frame=10, equilibration_steps=200)
GAS_CONSTANT = 0.0083144626  # kJ/mol/K


def lennard_jones(fluid, positions):
    """Energy in kJ/mol, one pair after the other, within the distance where nothing is switched."""
    energy = 0.0
    for (one, a), (other, b) in itertools.combinations(zip(positions, fluid.atoms, strict=True), 2):
        offset = other - one
        r = np.linalg.norm(offset - fluid.box_side * np.round(offset / fluid.box_side))
        if r < fluid.cutoff:
            assert r < 0.9 * fluid.cutoff
            depth = GAS_CONSTANT * np.sqrt(a.depth * b.depth)
            ratio = (a.diameter + b.diameter) / 2 / r
            energy += 4 * depth * (ratio**12 - ratio**6)
    return energy


def test_forces_are_those_of_lennard_jones_with_nearest_images():
    fluid = LennardJonesFluid(num_argon=2, num_xenon=1, box_side=30.0, cutoff=14.0)
    positions = np.array([[1.0, 2.0, 3.0], [28.0, 2.5, 3.5], [4.0, 4.0, 28.5]])
    integrator = openmm.VerletIntegrator(0.001)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(make_system(fluid), integrator, platform)
    context.setPositions(positions / 10)
    state = context.getState(getEnergy=True, getForces=True)
    assert state.getPotentialEnergy()._value == pytest.approx(lennard_jones(fluid, positions))
    forces = state.getForces(asNumpy=True)._value / 10  # kJ/mol/angstrom
    for atom, axis in np.ndindex(3, 3):
        step = np.zeros((3, 3))
        step[atom, axis] = 1e-4
        up, down = (lennard_jones(fluid, positions + sign * step) for sign in (1, -1))
        assert forces[atom, axis] == pytest.approx((down - up) / 2e-4, rel=1e-4, abs=1e-6)


def test_without_friction_energy_and_momentum_stay_and_with_it_temperature_does():
    schedule = FluidSchedule(num_frames=60, steps_per_frame=20, equilibration_steps=500)
    start = SMALL.place_atoms(seed=0)
    frames = list(simulate_fluid(SMALL, start, schedule, seed=1))
    energies = np.array([frame.energy for frame in frames])
    assert np.ptp(energies) < 0.02 * 1.5 * 9 * GAS_CONSTANT * 180
    masses = np.array([atom.mass for atom in SMALL.atoms])[:, None]
    centres = np.array([(masses * f.positions).sum(axis=0) / masses.sum() for f in frames])
    assert np.abs(centres - centres[0]).max() < 1e-3
    warm = LennardJonesFluid(5, 4, 12.0, 6.0, temperature=250.0, friction=5.0)
    found = [frame.temperature for frame in simulate_fluid(warm, start, schedule, seed=1)]
    assert np.mean(found[5:]) == pytest.approx(250, rel=0.2)
    assert np.ptp(found) > 10


@pytest.mark.filterwarnings("ignore:DCDReader currently makes:DeprecationWarning")
def test_files_are_read_by_mdanalysis_and_are_made_once(tmp_path):
    found = write_fluid(SMALL, tmp_path / "fluid", 0, 3, SHORT)
    universe = MDAnalysis.Universe(tmp_path / "fluid/fluid.pdb", tmp_path / "fluid/fluid.dcd")
    assert len(universe.trajectory) == 5
    assert universe.residues.resnames.tolist() == ["AR"] * 5 + ["XE"] * 4
    for step in universe.trajectory:
        np.testing.assert_allclose(step.dimensions, [12, 12, 12, 90, 90, 90], rtol=1e-6)
        assert (step.positions >= 0).all()
        assert (step.positions < 12.0001).all()
    time = (tmp_path / "fluid/fluid.dcd").stat().st_mtime_ns
    assert write_fluid(SMALL, tmp_path / "fluid", 0, 3, SHORT) == found
    assert (tmp_path / "fluid/fluid.dcd").stat().st_mtime_ns == time
    with pytest.raises(ValueError, match="made otherwise: seed: expected 4, found 3"):
        write_fluid(SMALL, tmp_path / "fluid", 0, 4, SHORT)
    (tmp_path / "fluid/fluid.dcd").unlink()
    with pytest.raises(ValueError, match=r"expected a finished simulation, found no fluid\.dcd"):
        write_fluid(SMALL, tmp_path / "fluid", 0, 3, SHORT)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"box_side": 10.0}, "box_side: expected at least twice the cutoff, 18, found 10"),
        ({"temperature": 0.0}, "temperature: expected a positive finite number, found 0"),
        ({"friction": -1.0}, "friction: expected 0 or more, found -1"),
        ({"num_argon": -1}, "num_argon: expected .* found -1"),
        ({"num_argon": 1, "num_xenon": 0}, "atoms: expected .* found 1"),
    ],
)
def test_impossible_fluids_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LennardJonesFluid(**arguments)


def test_atoms_start_apart_and_in_another_order_each_time():
    start, other = (LennardJonesFluid().place_atoms(0, index) for index in (0, 1))
    assert start.shape == (128, 3)
    assert np.linalg.norm(start[:, None] - start, axis=-1)[np.triu_indices(128, 1)].min() > 3.4
    assert not np.array_equal(start, other)
    assert [each.name for each in SPECIES] == ["AR", "XE"]
