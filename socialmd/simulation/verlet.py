"""Velocity Verlet for one system: the compiled loop in which simulating spends its time.

Each pair is computed once. The particles stand in a ring, and the pairs are taken by how far
apart they stand in it: first every particle i with particle i + 1, then with i + 2, up to half
way round. For one such offset the inner loop adds the force to i and its reaction to i + offset,
and no two of its turns write to the same place, so that the compiler turns it into vector
instructions without having to reorder a sum.

The ring is closed by repeating its beginning at the end of each array, and arrays are filled up to
a multiple of four particles, a vector register, which have no couplings and an infinite mass. Sums
may be fused with products ("contract") but not reordered, and nothing is assumed to be finite.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from socialmd.types import FloatArray

__all__ = ["KERNELS", "compile_loop", "ring_couplings", "velocity_verlet"]

VECTOR_WIDTH = 4


def ring_couplings(couplings: FloatArray) -> FloatArray:
    """Order symmetric couplings [N, N] as the integrator reads them.

    [N // 2, L] with L = N rounded up to a multiple of four: row d, column i couples particle i and
    particle (i + d + 1) mod N; columns from N on are zero. With an even N the last row meets each
    of its pairs from both ends and holds half their coupling.
    """
    num_particles = len(couplings)
    first = np.arange(num_particles)
    offsets = np.arange(1, num_particles // 2 + 1)[:, None]
    ring = couplings[first, (first + offsets) % num_particles]  # [N // 2, N]
    ring[offsets[:, 0] * 2 == num_particles] /= 2
    return np.pad(ring, ((0, 0), (0, -num_particles % VECTOR_WIDTH)))


# Not cached on disk: compiling takes seconds, and there is not always a writable place.
compile_loop = numba.njit(nogil=True, error_model="numpy", fastmath={"contract"})


def _make_kernel(dims: int, has_springs: bool) -> Any:
    """Compiled loop over steps; the compiler knows how many coordinates there are, and unrolls."""

    @compile_loop
    def accelerate(
        num_particles: int,
        couplings: FloatArray,
        springs: FloatArray,
        inverse_masses: FloatArray,
        softening_squared: float,
        force_limit: float,
        limit_magnitude: bool,
        x: FloatArray,
        a: FloatArray,
        reaction: FloatArray,
    ) -> None:
        """Fill a [D, L] from x [D, L + N // 2]; the reactions are scratch of that shape."""
        half, length = couplings.shape
        for d in range(dims):
            for i in range(length + half - num_particles):
                x[d, num_particles + i] = x[d, i]
            for i in range(length):
                a[d, i] = 0.0
            for i in range(length + half):
                reaction[d, i] = 0.0
        for row in range(half):
            for i in range(length):
                j = i + row + 1
                offset = x[0, i] - x[0, j]
                squared = offset * offset
                for d in range(1, dims):
                    offset = x[d, i] - x[d, j]
                    squared += offset * offset
                squared += softening_squared
                weight = couplings[row, i] / (squared * np.sqrt(squared))
                if has_springs:
                    weight -= springs[row, i]
                for d in range(dims):
                    force = weight * (x[d, i] - x[d, j])
                    a[d, i] += force
                    reaction[d, j] += force
        for d in range(dims):
            for i in range(half):
                reaction[d, i] += reaction[d, num_particles + i]
            if force_limit < np.inf and not limit_magnitude:
                for i in range(length):
                    force = a[d, i] - reaction[d, i]
                    if abs(force) > force_limit:
                        force = np.copysign(force_limit, force)
                    a[d, i] = force * inverse_masses[i]
            else:
                for i in range(length):
                    a[d, i] = (a[d, i] - reaction[d, i]) * inverse_masses[i]
        if limit_magnitude:
            for i in range(num_particles):
                squared = 0.0
                for d in range(dims):
                    squared += a[d, i] * a[d, i]
                largest = force_limit * inverse_masses[i]
                if squared > largest * largest:
                    for d in range(dims):
                        a[d, i] *= largest / np.sqrt(squared)

    @compile_loop
    def integrate(
        positions: FloatArray,
        velocities: FloatArray,
        masses: FloatArray,
        couplings: FloatArray,
        springs: FloatArray,
        softening: float,
        time_step: float,
        keep_every: int,
        wall: float,
        force_limit: float,
        limit_magnitude: bool,
    ) -> None:
        """See `velocity_verlet`."""
        num_particles = len(masses)
        half, length = couplings.shape
        x, reaction = np.zeros((dims, length + half)), np.zeros((dims, length + half))
        v, a = np.zeros((dims, length)), np.zeros((dims, length))
        inverse_masses = np.zeros(length)
        for i in range(num_particles):
            for d in range(dims):
                x[d, i], v[d, i] = positions[0, i, d], velocities[0, i, d]
            inverse_masses[i] = 1 / masses[i]
        law = (num_particles, couplings, springs, inverse_masses, softening**2)
        limits = (force_limit, limit_magnitude)

        accelerate(*law, *limits, x, a, reaction)
        for frame in range(1, len(positions)):
            for _ in range(keep_every):
                for d in range(dims):
                    for i in range(length):
                        v[d, i] += 0.5 * time_step * a[d, i]
                        x[d, i] += time_step * v[d, i]
                if wall < np.inf:
                    for d in range(dims):
                        for i in range(num_particles):
                            if abs(x[d, i]) > wall and inverse_masses[i] > 0:
                                x[d, i] = np.copysign(2 * wall, x[d, i]) - x[d, i]
                                v[d, i] = -v[d, i]
                accelerate(*law, *limits, x, a, reaction)
                for d in range(dims):
                    for i in range(length):
                        v[d, i] += 0.5 * time_step * a[d, i]
            for i in range(num_particles):
                for d in range(dims):
                    positions[frame, i, d], velocities[frame, i, d] = x[d, i], v[d, i]

    return integrate


# Compiled when they are first called.
KERNELS = {
    (dims, has_springs): _make_kernel(dims, has_springs)
    for dims in (2, 3)
    for has_springs in (False, True)
}


def velocity_verlet(
    positions: FloatArray,
    velocities: FloatArray,
    masses: FloatArray,
    couplings: FloatArray,
    softening: float,
    time_step: float,
    keep_every: int,
    wall: float = math.inf,
    force_limit: float = math.inf,
    springs: FloatArray | None = None,
    limit_magnitude: bool = False,
) -> None:
    """Integrate one system and keep every `keep_every`th state.

        v += a(x) dt / 2;  x += v dt;  v += a(x) dt / 2

    Frame 0 of positions and velocities [frames, N, D] is the initial state; the others are
    overwritten. Couplings are those of `ring_couplings`. Whoever is farther from the origin than
    `wall` along an axis after x has moved is reflected: x goes back by as much, v turns round.
    Components of forces are at most `force_limit`, or their magnitudes. Springs are stiffnesses of
    pairs, as couplings. Who has an infinite mass never changes its velocity.
    """
    how = (softening, time_step, keep_every, wall, force_limit, limit_magnitude)
    kernel = KERNELS[positions.shape[-1], springs is not None]
    kernel(
        positions, velocities, masses, couplings, couplings if springs is None else springs, *how
    )
