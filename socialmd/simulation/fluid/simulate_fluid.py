"""Forces and motion of a fluid, by OpenMM."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from socialmd.simulation.fluid.lennard_jones_fluid import LennardJonesFluid
from socialmd.simulation.integrate import check_at_least
from socialmd.simulation.openmm_package import OpenMMException, openmm, unit
from socialmd.types import FloatArray

__all__ = ["GAS_CONSTANT", "FluidFrame", "FluidSchedule", "make_system", "simulate_fluid"]

ANGSTROM = 0.1  # OpenMM's unit of length is the nanometre
SWITCHED = 0.9  # of the cutoff, from which on forces go to zero
MELTING = 2.0  # friction while the lattice melts, in 1/ps
GAS_CONSTANT = unit.MOLAR_GAS_CONSTANT_R.value_in_unit(unit.kilojoule_per_mole / unit.kelvin)


@dataclasses.dataclass(frozen=True)
class FluidSchedule:
    """When a fluid is looked at.

    Args:
        num_frames: frames to write.
        steps_per_frame: time steps from one frame to the next.
        equilibration_steps: time steps before the first frame, in which a lattice melts.

    Raises:
        ValueError: a number is out of its range.
    """

    num_frames: int = 300
    steps_per_frame: int = 25
    equilibration_steps: int = 10_000

    def __post_init__(self) -> None:
        check_at_least(1, num_frames=self.num_frames, steps_per_frame=self.steps_per_frame)
        check_at_least(0, equilibration_steps=self.equilibration_steps)


class FluidFrame(NamedTuple):
    """Atoms at one moment.

    Args:
        positions: in angstrom, unwrapped, [N, 3].
        temperature: of their velocities, in kelvin.
        energy: potential and kinetic, in kJ/mol.
    """

    positions: FloatArray
    temperature: float
    energy: float


def make_system(fluid: LennardJonesFluid) -> openmm.System:
    """Masses and forces of `LennardJonesFluid`.

    Example:
        >>> make_system(LennardJonesFluid()).getNumParticles()
        128
    """
    system = openmm.System()
    side = fluid.box_side * ANGSTROM
    system.setDefaultPeriodicBoxVectors(*(side * np.eye(3)).tolist())
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(fluid.cutoff * ANGSTROM)
    force.setUseSwitchingFunction(True)
    force.setSwitchingDistance(SWITCHED * fluid.cutoff * ANGSTROM)
    force.setUseDispersionCorrection(False)
    for atom in fluid.atoms:
        system.addParticle(atom.mass)
        force.addParticle(0.0, atom.diameter * ANGSTROM, atom.depth * GAS_CONSTANT)
    system.addForce(force)
    return system


def simulate_fluid(
    fluid: LennardJonesFluid, positions: FloatArray, schedule: FluidSchedule, seed: int
) -> Iterator[FluidFrame]:
    """Simulate on one core, on OpenMM's platform "CPU", which computes forces in float32.

    The lattice melts in Langevin dynamics. Without friction, the fluid is then brought to rest as a
    whole, and velocities are scaled to the temperature. The seed is 1 to 2**31 - 1.
    """
    melting = openmm.LangevinMiddleIntegrator(fluid.temperature, MELTING, fluid.time_step)
    melting.setRandomNumberSeed(seed)
    if fluid.friction:
        integrator = openmm.LangevinMiddleIntegrator(
            fluid.temperature, fluid.friction, fluid.time_step
        )
        integrator.setRandomNumberSeed(seed)
    else:
        integrator = openmm.VerletIntegrator(fluid.time_step)
    both = openmm.CompoundIntegrator()
    for each in (melting, integrator):
        both.addIntegrator(each)
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(make_system(fluid), both, platform, {"Threads": "1"})
    context.setPositions(positions * ANGSTROM)
    openmm.LocalEnergyMinimizer.minimize(context)
    context.setVelocitiesToTemperature(fluid.temperature, seed)
    melting.step(schedule.equilibration_steps)
    if not fluid.friction:
        _settle(context, fluid)
    both.setCurrentIntegrator(1)
    for frame in range(schedule.num_frames):
        try:
            integrator.step(schedule.steps_per_frame if frame else 0)
        except OpenMMException as error:
            raise FloatingPointError(f"frame {frame + 1}: {error}") from error
        yield _look(context, fluid, frame)


def _settle(context: openmm.Context, fluid: LennardJonesFluid) -> None:
    """No momentum in all, and kinetic energy of the temperature."""
    masses = np.array([atom.mass for atom in fluid.atoms])[:, np.newaxis]
    velocities = context.getState(getVelocities=True).getVelocities(asNumpy=True)
    v = velocities.value_in_unit(unit.nanometer / unit.picosecond)
    v = v - (masses * v).sum(axis=0) / masses.sum()
    v *= np.sqrt(fluid.temperature / _temperature(0.5 * float((masses * v**2).sum()), fluid))
    context.setVelocities(v)


def _look(context: openmm.Context, fluid: LennardJonesFluid, frame: int) -> FluidFrame:
    state = context.getState(getPositions=True, getEnergy=True)
    positions = state.getPositions(asNumpy=True).value_in_unit(unit.angstrom)
    if not np.isfinite(positions).all():
        raise FloatingPointError(f"frame {frame + 1}: positions are not finite")
    kinetic, potential = (
        energy.value_in_unit(unit.kilojoule_per_mole)
        for energy in (state.getKineticEnergy(), state.getPotentialEnergy())
    )
    return FluidFrame(np.array(positions), _temperature(kinetic, fluid), kinetic + potential)


def _temperature(kinetic_energy: float, fluid: LennardJonesFluid) -> float:
    """In kelvin, of a kinetic energy in kJ/mol; without friction the whole does not move."""
    freedom = 3 * len(fluid.atoms) - (0 if fluid.friction else 3)
    return float(2 * kinetic_energy / (freedom * GAS_CONSTANT))
