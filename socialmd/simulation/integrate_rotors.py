"""Integration of the motion of systems that turn from given initial states."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from socialmd.config import ManyBodySystem
from socialmd.simulation.initial_states import InitialState, Rotors
from socialmd.simulation.integrate import TimeSteps, check_finite, check_states, map_in_threads
from socialmd.simulation.rotor_verlet import rotor_verlet
from socialmd.types import FloatArray

__all__ = ["RotorMotion", "integrate_rotors", "integrate_rotors_one"]

UNIT = 1e-6  # by how much lengths may be off, and spins along orientations, relative to their size


class RotorMotion(NamedTuple):
    """Kept states of one or many systems, [..., frames, N, D] each (see `Rotors`)."""

    positions: FloatArray
    velocities: FloatArray
    orientations: FloatArray
    spins: FloatArray


def integrate_rotors(
    system: ManyBodySystem,
    positions: ArrayLike,
    velocities: ArrayLike,
    masses: ArrayLike,
    charges: ArrayLike,
    rotors: Rotors,
    num_steps: int,
    time_step: float,
    keep_every: int,
    *,
    num_threads: int | None = None,
) -> RotorMotion:
    """Integrate systems of particles with dipoles or quadrupoles, as `integrate` does others.

    Args:
        rotors: of the S systems, [S, N, D] and [S, N].

    Other arguments, and what is raised, are as for `integrate`; orientations must be unit vectors,
    and spins at right angles to them.

    Example:
        >>> orientations = [[[1.0, 0.0], [0.0, 1.0]]]
        >>> rotors = Rotors(orientations, np.zeros((1, 2, 2)), [[0.2, 0.2]], [[0.05, 0.05]])
        >>> kept = integrate_rotors(
        ...     ManyBodySystem(), [[[0.0, 0.0], [2.0, 0.0]]], np.zeros((1, 2, 2)),
        ...     masses=[[1.0, 1.0]], charges=[[0.0, 0.0]], rotors=rotors,
        ...     num_steps=300, time_step=1e-4, keep_every=100,
        ... )
        >>> kept.orientations.shape
        (1, 3, 2, 2)
    """
    steps = TimeSteps(num_steps, time_step, keep_every)
    steps.check()
    states = check_states(positions, velocities, masses, charges)
    turning = _check_rotors(rotors, states.positions.shape)

    def run(index: int) -> RotorMotion:
        state = InitialState(*(values[index] for values in states))
        own = Rotors(*(values[index] for values in turning))
        return integrate_rotors_one(system, state, own, steps, name=f"system {index}")

    runs = map_in_threads(run, range(len(states.positions)), num_threads)
    return RotorMotion(*map(np.stack, zip(*runs, strict=True)))


def integrate_rotors_one(
    system: ManyBodySystem, state: InitialState, rotors: Rotors, steps: TimeSteps, name: str
) -> RotorMotion:
    """Integrate one system, called by its name in errors; the interpreter's lock is free meanwhile.

    What is kept is [frames, N, D].
    """
    start = (state.positions, state.velocities, rotors.orientations, rotors.spins)
    kept = RotorMotion(*(np.empty((steps.num_frames, *state.positions.shape)) for _ in start))
    for array, first in zip(kept, start, strict=True):
        array[0] = first
    constants = (
        float(system.coulomb_constant),
        float(system.gravitational_constant),
        float(system.softening) ** 2,
        float(system.quadrupole_arm),
    )
    wall = math.inf if system.wall is None else float(system.wall)
    rotor_verlet(
        constants,
        kept,
        (state.masses, state.charges, rotors.moments, rotors.inertias),
        float(steps.time_step),
        int(steps.keep_every),
        wall,
        system.has_quadrupoles,
    )
    check_finite(name, kept)
    return kept


def _check_rotors(given: Rotors, shape: tuple[int, ...]) -> Rotors:
    """Contiguous float64 arrays [S, N, D], [S, N, D], [S, N] and [S, N] that can turn."""
    rotors = Rotors(*(np.ascontiguousarray(values, np.float64) for values in given))
    for name, values in rotors._asdict().items():
        expected = shape if name in ("orientations", "spins") else shape[:2]
        if values.shape != expected:
            raise ValueError(f"{name}: expected shape {expected}, found {values.shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"{name}: expected finite numbers only")
    lengths = np.linalg.norm(rotors.orientations, axis=-1)
    if not (np.abs(lengths - 1) < UNIT).all():
        raise ValueError("orientations: expected unit vectors, found others")
    along = np.abs((rotors.spins * rotors.orientations).sum(axis=-1))
    if not (along <= UNIT * (1 + np.linalg.norm(rotors.spins, axis=-1))).all():
        raise ValueError("spins: expected vectors at right angles to orientations, found others")
    if not (rotors.inertias > 0).all():
        raise ValueError(f"inertias: expected positive numbers, found {rotors.inertias.min()}")
    return rotors
