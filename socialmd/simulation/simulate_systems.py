"""Trajectories of random many-body systems."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np

from socialmd.config import ManyBodySystem
from socialmd.simulation.forces import layout_of_law
from socialmd.simulation.initial_states import (
    Rotors,
    draw_anchors,
    draw_initial_state,
    draw_rotors,
    draw_springs,
)
from socialmd.simulation.integrate import TimeSteps, check_at_least, integrate_one, map_in_threads
from socialmd.simulation.integrate_rotors import integrate_rotors_one
from socialmd.simulation.integrate_strands import integrate_strands_one
from socialmd.types import FloatArray

__all__ = ["simulate", "simulate_one"]


@overload
def simulate(
    system: ManyBodySystem,
    num_simulations: int,
    num_steps: int,
    time_step: float,
    keep_every: int,
    seed: int,
    *,
    first_simulation: int = 0,
    return_velocities: Literal[False] = False,
    num_threads: int | None = None,
) -> FloatArray: ...


@overload
def simulate(
    system: ManyBodySystem,
    num_simulations: int,
    num_steps: int,
    time_step: float,
    keep_every: int,
    seed: int,
    *,
    first_simulation: int = 0,
    return_velocities: Literal[True],
    num_threads: int | None = None,
) -> tuple[FloatArray, FloatArray]: ...


def simulate(
    system: ManyBodySystem,
    num_simulations: int,
    num_steps: int,
    time_step: float,
    keep_every: int,
    seed: int,
    *,
    first_simulation: int = 0,
    return_velocities: bool = False,
    num_threads: int | None = None,
) -> FloatArray | tuple[FloatArray, FloatArray]:
    """Simulate random systems by velocity Verlet in float64 (thesis section 4.1).

    Simulation number k of a seed is the same, bit for bit, however many are made, in one call or
    several, by however many threads.

    Args:
        system: the law and the random initial states.
        num_simulations: how many to make.
        num_steps, time_step, keep_every: as for `integrate`.
        seed: 0 or more.
        first_simulation: number of the first one; the others follow.
        return_velocities: also return the velocities.
        num_threads: threads to use; by default all available cores.

    Returns:
        float64 [simulations, frames, N, F]: x, y, in space z, mass and charge, and of dipoles their
        moment, moment of inertia and orientation, or anchors of strands (see `layout_of_law`), with
        frames = num_steps // keep_every; frame f is the state after f * keep_every steps. With
        `return_velocities` a pair of it and the velocities [simulations, frames, N, D].

    Raises:
        ValueError: an argument is out of its range, or the particles find no place.
        FloatingPointError: a simulation's state is no longer finite.

    Example:
        >>> frames = simulate(
        ...     ManyBodySystem(num_particles=5), num_simulations=2,
        ...     num_steps=1000, time_step=1e-6, keep_every=100, seed=0,
        ... )
        >>> frames.shape
        (2, 10, 5, 4)
    """
    check_at_least(1, num_simulations=num_simulations)
    check_at_least(0, first_simulation=first_simulation)
    steps = TimeSteps(num_steps, time_step, keep_every)
    steps.check()

    shape = (num_simulations, steps.num_frames, system.num_particles)
    frames = np.empty((*shape, len(layout_of_law(system).features)))
    velocities = np.empty((*shape, system.spatial_dims))

    def run(row: int) -> None:
        frames[row], velocities[row], _ = simulate_one(system, steps, seed, first_simulation + row)

    list(map_in_threads(run, range(num_simulations), num_threads))
    return (frames, velocities) if return_velocities else frames


def simulate_one(
    system: ManyBodySystem, steps: TimeSteps, seed: int, index: int, discard: int = 0
) -> tuple[FloatArray, FloatArray, Rotors | None]:
    """Simulation number `index` of a seed, [frames, N, F]; velocities, [frames, N, D]; and dipoles.

    The F features are those of `layout_of_law`; dipoles are those of all frames, if there are any.
    So many frames at the beginning are left out.
    """
    name = f"simulation {index} of seed {seed}"
    state, start = draw_initial_state(system, seed, index), draw_rotors(system, seed, index)
    anchors, springs = draw_anchors(system, seed, index), draw_springs(system, seed, index)
    turning: Rotors | None = None
    columns = [state.masses, state.charges]
    if anchors is not None:
        generator = np.random.default_rng([seed, index, 3])
        kept = integrate_strands_one(system, state, anchors, steps, generator, name)
        positions, velocities = kept
        columns += list(anchors.T)
    elif start is None:
        positions, velocities = integrate_one(system, state, steps, name, springs)
        columns += [] if springs is None else list(springs)
    else:
        motion = integrate_rotors_one(system, state, start, steps, name)
        positions, velocities = motion.positions, motion.velocities
        columns += [start.moments, start.inertias]
        turning = start._replace(orientations=motion.orientations, spins=motion.spins)
    constants = np.stack(columns, axis=-1)  # [N, constants]
    constants = np.broadcast_to(constants, (*positions.shape[:-1], len(columns)))
    parts = [positions, constants] + ([] if turning is None else [turning.orientations])
    frames = np.concatenate(parts, axis=-1)
    if turning is not None:
        turning = turning._replace(
            orientations=turning.orientations[discard:], spins=turning.spins[discard:]
        )
    return frames[discard:], velocities[discard:], turning
