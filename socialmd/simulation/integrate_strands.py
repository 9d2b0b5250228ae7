"""Integration of the motion of particles on strands from given initial states."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from socialmd.config import ManyBodySystem
from socialmd.simulation.forces import pair_couplings
from socialmd.simulation.initial_states import InitialState
from socialmd.simulation.integrate import (
    IntegratedMotion,
    TimeSteps,
    check_finite,
    check_states,
    map_in_threads,
)
from socialmd.simulation.strand_verlet import strand_verlet
from socialmd.types import FloatArray

__all__ = ["integrate_strands", "integrate_strands_one"]


def integrate_strands(
    system: ManyBodySystem,
    positions: ArrayLike,
    velocities: ArrayLike,
    masses: ArrayLike,
    charges: ArrayLike,
    anchors: ArrayLike,
    num_steps: int,
    time_step: float,
    keep_every: int,
    *,
    seed: int = 0,
    num_threads: int | None = None,
) -> IntegratedMotion:
    """Integrate systems of particles on strands, as `integrate` does those without.

    Args:
        system: the law, with its strands.
        anchors: ends of the strands on the core, [S, N, D].
        seed: of thermal noise; each system has a random stream of its own.

    Other arguments, what is returned and raised are as for `integrate`.

    Example:
        >>> strands = StrandsConfig(stiffness=400.0, core_radius=1.0)
        >>> kept = integrate_strands(
        ...     ManyBodySystem(strands=strands), [[[1.5, 0.0]]], np.zeros((1, 1, 2)),
        ...     masses=[[1.0]], charges=[[0.0]], anchors=[[[1.0, 0.0]]],
        ...     num_steps=300, time_step=1e-4, keep_every=100,
        ... )
        >>> kept.positions.shape
        (1, 3, 1, 2)
    """
    steps = TimeSteps(num_steps, time_step, keep_every)
    steps.check()
    states = check_states(positions, velocities, masses, charges)
    fixed = np.ascontiguousarray(anchors, np.float64)
    if fixed.shape != states.positions.shape or not np.isfinite(fixed).all():
        raise ValueError(
            f"anchors: expected finite numbers of shape {states.positions.shape}, found shape "
            f"{fixed.shape}"
        )

    def run(index: int) -> IntegratedMotion:
        state = InitialState(*(values[index] for values in states))
        generator = np.random.default_rng([seed, index, 3])
        name = f"system {index}"
        return integrate_strands_one(system, state, fixed[index], steps, generator, name)

    runs = map_in_threads(run, range(len(fixed)), num_threads)
    return IntegratedMotion(*map(np.stack, zip(*runs, strict=True)))


def integrate_strands_one(
    system: ManyBodySystem,
    state: InitialState,
    anchors: FloatArray,
    steps: TimeSteps,
    generator: np.random.Generator,
    name: str,
) -> IntegratedMotion:
    """Integrate one system, called by its name in errors; the interpreter's lock is free meanwhile.

    Positions and velocities are [frames, N, D].
    """
    strands = system.strands
    if strands is None:
        raise ValueError("system: expected strands, found none")
    shape = (steps.num_frames, *state.positions.shape)
    kept = IntegratedMotion(np.empty(shape), np.empty(shape))
    kept.positions[0], kept.velocities[0] = state.positions, state.velocities
    springs = (strands.stiffness, strands.rest_length, strands.core_radius, strands.core_stiffness)
    softening_squared = float(system.softening) ** 2
    strand_verlet(
        pair_couplings(system, state.masses, state.charges),
        (softening_squared, *map(float, springs)),  # type: ignore[arg-type]
        (float(strands.damping), float(strands.temperature)),
        *kept,
        state.masses,
        anchors,
        float(steps.time_step),
        int(steps.keep_every),
        generator,
    )
    check_finite(name, kept)
    return kept
