"""Langevin dynamics of a drug carrier with OpenMM, and its length."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from socialmd.simulation.drug_carrier.beads import Beads
from socialmd.simulation.drug_carrier.drug_carrier import DrugCarrier
from socialmd.simulation.drug_carrier.force_field import SWITCH, make_system
from socialmd.simulation.openmm_package import OpenMMException, openmm, unit
from socialmd.types import FloatArray

__all__ = ["Schedule", "run"]


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Steps and frames of one simulation.

    One frame stands for a nanosecond of the simulations that the thesis analyses. With the defaults
    heads move by about an angstrom from one to the next, fluctuations die away within some twenty,
    and after the switch drugs take about a hundred to settle closer to the core.

    Args:
        num_frames: frames to keep.
        switch_frame: frames before the core starts to attract drugs; `None` for never, 0 for the
            equilibration already.
        steps_per_frame: time steps from one frame to the next.
        equilibration_steps: time steps before the first frame, in which stretched ligands relax.

    Raises:
        ValueError: a number is out of its range.

    Example:
        >>> Schedule(num_frames=100, switch_frame=None).steps_per_frame
        50
    """

    num_frames: int = 300
    switch_frame: int | None = 60
    steps_per_frame: int = 50
    equilibration_steps: int = 20_000

    def __post_init__(self) -> None:
        for name, least in (("num_frames", 1), ("steps_per_frame", 1), ("equilibration_steps", 0)):
            if not isinstance(value := getattr(self, name), int) or value < least:
                raise ValueError(f"{name}: expected an integer of {least} or more, found {value!r}")
        frame = self.switch_frame
        if frame is not None and not (isinstance(frame, int) and 0 <= frame < self.num_frames):
            raise ValueError(
                f"switch_frame: expected None or an integer from 0 to {self.num_frames - 1}, as "
                f"there are {self.num_frames} frames, found {frame!r}"
            )


def run(carrier: DrugCarrier, beads: Beads, schedule: Schedule, seed: int) -> Iterator[FloatArray]:
    """Simulate on one core, on OpenMM's platform "CPU", which computes forces in float32.

    Overlaps relax first, then stretched ligands; the first frame is the state after that.
    Yields the positions in each frame, in angstrom, [N, 3]. The seed is 1 to 2**31 - 1.
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
