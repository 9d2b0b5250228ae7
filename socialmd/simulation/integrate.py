"""Integration of the motion of many-body systems from given initial states."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numba
import numpy as np
from numpy.typing import ArrayLike

from socialmd.config import ManyBodySystem
from socialmd.simulation.forces import pair_couplings
from socialmd.simulation.initial_states import InitialState, draw_fixed_charges
from socialmd.simulation.verlet import ring_couplings, velocity_verlet
from socialmd.types import FloatArray

__all__ = [
    "IntegratedMotion",
    "TimeSteps",
    "check_at_least",
    "check_finite",
    "check_springs",
    "check_states",
    "integrate",
    "integrate_one",
    "map_in_threads",
]

Item = TypeVar("Item")
Result = TypeVar("Result")


class IntegratedMotion(NamedTuple):
    """Kept states of one or many systems, [..., frames, N, D] each."""

    positions: FloatArray
    velocities: FloatArray


class TimeSteps(NamedTuple):
    """How far, how finely and how often: see `integrate`."""

    num_steps: int
    time_step: float
    keep_every: int

    @property
    def num_frames(self) -> int:
        """Kept states, the initial one included."""
        return self.num_steps // self.keep_every

    def check(self) -> None:
        """Raise ValueError for a number that is impossible."""
        check_at_least(1, keep_every=self.keep_every)
        steps, every = self.num_steps, self.keep_every
        if steps < every:
            raise ValueError(f"num_steps: expected at least keep_every = {every}, found {steps}")
        if not 0 < self.time_step < math.inf:
            raise ValueError(f"time_step: expected a positive number, found {self.time_step}")


def integrate(
    system: ManyBodySystem,
    positions: ArrayLike,
    velocities: ArrayLike,
    masses: ArrayLike,
    charges: ArrayLike,
    num_steps: int,
    time_step: float,
    keep_every: int,
    *,
    springs: ArrayLike | None = None,
    num_threads: int | None = None,
) -> IntegratedMotion:
    """Integrate systems from given states by velocity Verlet in float64 (thesis section 4.1).

    The result does not depend on how many systems or threads there are.

    Args:
        system: the law's constants k, G, softening, stiffness and limit of forces, fixed charges
            and walls; nothing else of it is used.
        positions, velocities: [S, N, D], S systems of N particles, D = 2 or 3.
        masses, charges: [S, N], masses positive.
        num_steps: steps in all; those after the last kept frame are not computed.
        time_step: dt, in the system's units of time.
        keep_every: steps from one kept frame to the next.
        springs: which pairs are tied by one, [S, N, N], ones and zeros; none if not given.
        num_threads: threads to use; by default all available cores.

    Returns:
        Positions and velocities [S, frames, N, D] with frames = num_steps // keep_every; frame f
        is the state after f * keep_every steps, frame 0 the given one.

    Raises:
        ValueError: an array has the wrong shape or a value that is not finite, a mass or the
            number of steps is not positive.
        FloatingPointError: a system's state is no longer finite.

    Example:
        >>> pair = integrate(
        ...     ManyBodySystem(), [[[0.0, 0.0], [2.0, 0.0]]], np.zeros((1, 2, 2)),
        ...     masses=[[1.0, 1.0]], charges=[[0.0, 0.0]],
        ...     num_steps=300, time_step=1e-4, keep_every=100,
        ... )
        >>> pair.positions.shape
        (1, 3, 2, 2)
    """
    steps = TimeSteps(num_steps, time_step, keep_every)
    steps.check()
    states = check_states(positions, velocities, masses, charges)
    tied = None if springs is None else check_springs(springs, states.masses.shape)

    def run(index: int) -> IntegratedMotion:
        state = InitialState(*(values[index] for values in states))
        own = None if tied is None else tied[index]
        return integrate_one(system, state, steps, name=f"system {index}", springs=own)

    runs = map_in_threads(run, range(len(states.positions)), num_threads)
    return IntegratedMotion(*map(np.stack, zip(*runs, strict=True)))


def integrate_one(
    system: ManyBodySystem,
    state: InitialState,
    steps: TimeSteps,
    name: str,
    springs: FloatArray | None = None,
) -> IntegratedMotion:
    """Integrate one system, called by its name in errors; the interpreter's lock is free meanwhile.

    Positions and velocities are [frames, N, D].
    """
    num_moving, state = len(state.masses), _with_fixed_charges(system, state)
    shape = (steps.num_frames, *state.positions.shape)
    kept = IntegratedMotion(np.empty(shape), np.empty(shape))
    kept.positions[0], kept.velocities[0] = state.positions, state.velocities
    is_fixed = np.isinf(state.masses)
    couplings = pair_couplings(system, np.where(is_fixed, 0.0, state.masses), state.charges)
    stiffness = None
    if springs is not None:
        stiffness = ring_couplings(system.spring_constant * np.pad(springs, (0, is_fixed.sum())))
    velocity_verlet(
        *kept,
        state.masses,
        ring_couplings(couplings),
        float(system.softening),
        float(steps.time_step),
        int(steps.keep_every),
        wall=float(system.wall or math.inf),
        force_limit=float(system.force_limit or math.inf),
        springs=stiffness,
        limit_magnitude=system.limit_magnitude,
    )
    kept = IntegratedMotion(*(each[:, :num_moving] for each in kept))
    check_finite(name, kept)
    return kept


def _with_fixed_charges(system: ManyBodySystem, state: InitialState) -> InitialState:
    """A system and what never moves: as particles at rest whose mass is infinite."""
    places, charges = draw_fixed_charges(system)
    count = len(charges)
    return InitialState(
        positions=np.concatenate([state.positions, places]),
        velocities=np.concatenate([state.velocities, np.zeros_like(places)]),
        masses=np.concatenate([state.masses, np.full(count, math.inf)]),
        charges=np.concatenate([state.charges, charges]),
    )


def check_finite(name: str, kept: Sequence[FloatArray]) -> None:
    """Refuse kept states, [frames, N, D] each, of which a number is not finite."""
    finite = np.isfinite(kept).all(axis=(0, 2, 3))  # [frames]
    if not finite.all():
        raise FloatingPointError(
            f"{name}: not finite from frame {finite.argmin()} on; "
            "a smaller time_step or a larger softening may help"
        )


def map_in_threads(
    function: Callable[[Item], Result], items: Sequence[Item], num_threads: int | None = None
) -> Iterator[Result]:
    """Apply a function that releases the interpreter's lock to each item, in several threads.

    Plain threads rather than numba's own: each result is there as soon as its system is done,
    and integrating from several threads or after a fork stays allowed.

    Results come in the order of the items; the first exception ends the work. Threads are by
    default as many as cores that this process may use, or `NUMBA_NUM_THREADS` of the environment.
    """
    if num_threads is not None:
        check_at_least(1, num_threads=num_threads)
    with ThreadPoolExecutor(num_threads or numba.config.NUMBA_NUM_THREADS) as executor:
        yield from executor.map(function, items)


def check_at_least(least: int, **numbers: int) -> None:
    """Refuse arguments that are too small, by their names."""
    for name, number in numbers.items():
        if number < least:
            raise ValueError(f"{name}: expected {least} or more, found {number}")


def check_states(
    positions: ArrayLike, velocities: ArrayLike, masses: ArrayLike, charges: ArrayLike
) -> InitialState:
    """Contiguous float64 arrays [S, N, D], [S, N, D], [S, N] and [S, N], all finite."""
    given = InitialState(positions, velocities, masses, charges)  # type: ignore[arg-type]
    states = InitialState(*(np.ascontiguousarray(values, np.float64) for values in given))
    shape = states.positions.shape
    if len(shape) != 3 or shape[-1] not in (2, 3) or 0 in shape:
        raise ValueError(f"positions: expected shape [systems, particles, 2 or 3], found {shape}")
    for name, values in states._asdict().items():
        expected = shape if name in ("positions", "velocities") else shape[:2]
        if values.shape != expected:
            raise ValueError(f"{name}: expected shape {expected}, found {values.shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"{name}: expected finite numbers only")
    if not (states.masses > 0).all():
        raise ValueError(f"masses: expected positive numbers, found {states.masses.min()}")
    return states


def check_springs(springs: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    """Contiguous float64 array [S, N, N] of zeros and ones, symmetric, zero on the diagonal."""
    tied = np.ascontiguousarray(springs, np.float64)
    expected = (*shape, shape[-1])
    if tied.shape != expected:
        raise ValueError(f"springs: expected shape {expected}, found {tied.shape}")
    if not np.isin(tied, (0.0, 1.0)).all() or (tied != np.swapaxes(tied, -1, -2)).any():
        raise ValueError("springs: expected zeros and ones, symmetric")
    if tied.diagonal(axis1=-2, axis2=-1).any():
        raise ValueError("springs: expected zeros on the diagonal, found a particle tied to itself")
    return tied
