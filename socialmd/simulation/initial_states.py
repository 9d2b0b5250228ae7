"""The random state in which a simulation starts."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import numpy as np

from socialmd.config import ManyBodySystem
from socialmd.types import Array, FloatArray

__all__ = [
    "InitialState",
    "Rotors",
    "draw_anchors",
    "draw_fixed_charges",
    "draw_initial_state",
    "draw_rotors",
    "draw_springs",
]

# The configuration refuses systems so dense that a particle would need nearly as many.
MAX_ATTEMPTS = 100_000


class InitialState(NamedTuple):
    """State of one system at time zero: positions and velocities [N, D], masses and charges [N]."""

    positions: FloatArray
    velocities: FloatArray
    masses: FloatArray
    charges: FloatArray


class Rotors(NamedTuple):
    """Dipoles or quadrupoles of one system, or of frames of it, [..., N, D].

    Args:
        orientations: unit vectors u, [..., N, D].
        spins: du/dt, at right angles to them, [..., N, D].
        moments: dipole moments p, or quadrupole moments Q, [..., N].
        inertias: moments of inertia about axes at right angles to u, [..., N].
    """

    orientations: FloatArray
    spins: FloatArray
    moments: FloatArray
    inertias: FloatArray

    @property
    def dipoles(self) -> FloatArray:
        """p u, or Q u of quadrupoles, [..., N, D]."""
        return self.moments[..., None] * self.orientations


def draw_initial_state(system: ManyBodySystem, seed: int, index: int) -> InitialState:
    """State in which simulation number `index` of a seed starts.

    Positions are uniform in the square or cube, or normal, drawn one after the other and drawn
    again when closer than the minimum distance to an earlier one; velocities are normal, or of one
    speed, masses and charges uniform, or some of a few values. On strands, positions are straight
    out from their anchors (see `draw_anchors`).
    Each simulation has a random stream of its own, so it does not depend on how many are made.

    Args:
        system: number of particles, square, minimum distance, scales and ranges.
        seed: seed of the data set, 0 or more.
        index: number of the simulation, 0 or more.

    Raises:
        ValueError: a number is negative, or a particle finds no free place.

    Example:
        >>> draw_initial_state(ManyBodySystem(num_particles=3), seed=0, index=7).positions.shape
        (3, 2)
    """
    for name, value in (("seed", seed), ("index", index)):
        if value < 0:
            raise ValueError(f"{name}: expected a number of 0 or more, found {value}")
    generator = np.random.default_rng([seed, index])
    return InitialState(
        positions=_draw_positions(system, generator, draw_anchors(system, seed, index)),
        velocities=_draw_velocities(system, generator),
        masses=generator.uniform(*system.mass_range, system.num_particles),
        charges=generator.choice(system.charge_values, system.num_particles)
        if system.charge_values
        else generator.uniform(*system.charge_range, system.num_particles),
    )


def draw_rotors(system: ManyBodySystem, seed: int, index: int) -> Rotors | None:
    """Dipoles or quadrupoles with which it starts, pointing anywhere; none if there are none.

    Their random stream is one of their own. Arguments as of `draw_initial_state`.

    Example:
        >>> system = ManyBodySystem(num_particles=3, dipole_range=[0.1, 0.2])
        >>> draw_rotors(system, seed=0, index=7).dipoles.shape
        (3, 2)
    """
    if not system.has_rotors:
        return None
    generator, shape = np.random.default_rng([seed, index, 1]), (system.num_particles,)
    directions = generator.normal(size=(*shape, system.spatial_dims))
    orientations = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    spins = generator.normal(0.0, system.spin_scale, directions.shape)
    spins -= (spins * orientations).sum(axis=-1, keepdims=True) * orientations
    return Rotors(
        orientations,
        spins,
        moments=generator.uniform(*system.moment_range, shape),
        inertias=generator.uniform(*system.inertia_range, shape),
    )


def draw_springs(system: ManyBodySystem, seed: int, index: int) -> FloatArray | None:
    """Which pairs are tied by a spring, [N, N], ones and zeros, symmetric; none without springs.

    Arguments as of `draw_initial_state`; the random stream is one of its own.

    Example:
        >>> system = ManyBodySystem(num_particles=3, spring_constant=0.1, spring_probability=1.0)
        >>> draw_springs(system, seed=0, index=7).sum()
        6.0
    """
    if not system.has_springs:
        return None
    generator, count = np.random.default_rng([seed, index, 4]), system.num_particles
    drawn = generator.random((count, count)) < system.spring_probability
    upper = np.triu(drawn, k=1)
    return np.asarray(upper | upper.T, np.float64)


def draw_fixed_charges(system: ManyBodySystem) -> tuple[FloatArray, FloatArray]:
    """Places [M, D] and charges [M] of what never moves; empty without.

    Example:
        >>> system = ManyBodySystem(fixed_charges=FixedChargesConfig(count=20))
        >>> draw_fixed_charges(system)[0].shape
        (20, 2)
    """
    given = system.fixed_charges
    if given is None:
        return np.empty((0, system.spatial_dims)), np.empty(0)
    generator = np.random.default_rng(given.seed)
    shape = (given.count, system.spatial_dims)
    places = generator.uniform(-given.half_width, given.half_width, shape)
    return places, generator.choice(given.values, given.count)


def draw_anchors(system: ManyBodySystem, seed: int, index: int) -> FloatArray | None:
    """Where strands stand on the core, [N, D]: evenly spread, turned at random; none without.

    In the plane at equal angles, in space on a spiral of equal areas (Fibonacci's). Arguments as of
    `draw_initial_state`; the random stream is one of its own.

    Example:
        >>> system = ManyBodySystem(num_particles=3, strands=StrandsConfig(stiffness=1.0))
        >>> np.linalg.norm(draw_anchors(system, seed=0, index=7), axis=-1)
        array([2., 2., 2.])
    """
    if system.strands is None:
        return None
    count = system.num_particles
    steps = np.arange(count) + 0.5
    points: Array
    if system.spatial_dims == 2:
        angles = 2 * np.pi * steps / count
        points = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    else:
        height, turns = 1 - 2 * steps / count, np.pi * (1 + 5**0.5) * steps
        radius = np.sqrt(1 - height**2)
        points = np.stack([radius * np.cos(turns), radius * np.sin(turns), height], axis=-1)
    generator = np.random.default_rng([seed, index, 2])
    axes, upper = np.linalg.qr(generator.normal(size=[system.spatial_dims] * 2))
    turn = axes * np.sign(np.diag(upper))  # uniform over rotations and reflections
    return np.asarray(system.strands.core_radius * points @ turn.T, np.float64)


def _draw_velocities(system: ManyBodySystem, generator: np.random.Generator) -> FloatArray:
    shape = (system.num_particles, system.spatial_dims)
    scale = system.velocity_scale if system.speed is None else 1.0
    velocities = generator.normal(0.0, scale, shape)
    if system.speed is not None:
        velocities *= system.speed / np.linalg.norm(velocities, axis=-1, keepdims=True)
    if system.centre_at_rest:
        velocities -= velocities.mean(axis=0)
    return np.asarray(velocities)


def _draw_positions(
    system: ManyBodySystem, generator: np.random.Generator, anchors: FloatArray | None
) -> FloatArray:
    if system.strands is not None and anchors is not None:
        return anchors * (1 + system.strands.rest_length / system.strands.core_radius)
    half = system.box_size / 2
    dims = system.spatial_dims
    positions = np.empty((system.num_particles, dims))
    for particle in range(system.num_particles):
        for _ in range(MAX_ATTEMPTS):
            candidate = (
                generator.uniform(-half, half, dims)
                if system.position_scale is None
                else generator.normal(0.0, system.position_scale, dims)
            )
            separations = positions[:particle] - candidate
            distances = reduce(np.hypot, separations.T)
            if (distances >= system.minimum_distance).all():
                positions[particle] = candidate
                break
        else:
            raise ValueError(
                f"minimum_distance: found no place for particle {particle} at least "
                f"{system.minimum_distance} from the others in a box of side {system.box_size}"
            )
    return positions
