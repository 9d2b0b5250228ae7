"""Langevin dynamics of a drug carrier with OpenMM."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from socialmd.simulation.drug_carrier.beads import Beads
from socialmd.simulation.drug_carrier.drug_carrier import DrugCarrier
from socialmd.simulation.drug_carrier.force_field import SWITCH, make_system
from socialmd.simulation.drug_carrier.openmm_package import OpenMMException, openmm, unit
from socialmd.simulation.drug_carrier.schedule import Schedule

__all__ = ["run"]


def run(
    carrier: DrugCarrier, beads: Beads, schedule: Schedule, seed: int
) -> Iterator[NDArray[np.float64]]:
    """Simulate on one core, on OpenMM's platform "CPU", which computes forces in float32.

    Overlaps relax first, then stretched ligands; the first frame is the state after that.

    Args:
        carrier: constants.
        beads: where the same carrier's beads start.
        schedule: steps and frames.
        seed: of velocities and noise, 1 to 2**31 - 1.

    Yields:
        The positions in each frame, in angstrom, [N, 3].

    Raises:
        FloatingPointError: positions are no longer finite.
    """
    integrator = openmm.LangevinMiddleIntegrator(
        carrier.temperature, carrier.friction, carrier.time_step
    )
    integrator.setRandomNumberSeed(seed)
    platform = openmm.Platform.getPlatformByName("CPU")
    system = make_system(carrier, beads)
    context = openmm.Context(system, integrator, platform, {"Threads": "1"})
    context.setPositions(beads.positions * unit.angstrom)
    openmm.LocalEnergyMinimizer.minimize(context)
    context.setVelocitiesToTemperature(carrier.temperature, seed)
    for frame in range(schedule.num_frames):
        if frame == schedule.switch_frame:
            context.setParameter(SWITCH, 1.0)
        try:
            integrator.step(schedule.steps_per_frame if frame else schedule.equilibration_steps)
        except OpenMMException as error:
            raise FloatingPointError(f"frame {frame + 1}: {error}") from error
        state = context.getState(getPositions=True)
        positions = state.getPositions(asNumpy=True).value_in_unit(unit.angstrom)
        if not np.isfinite(positions).all():
            raise FloatingPointError(f"frame {frame + 1}: positions are not finite")
        yield np.array(positions)
