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

import numba
import numpy as np

from socialmd.types import FloatArray

__all__ = ["ring_couplings", "velocity_verlet"]

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
_compile = numba.njit(nogil=True, error_model="numpy", fastmath={"contract"})


@_compile
def _accelerate(
    num_particles: int,
    couplings: FloatArray,
    inverse_masses: FloatArray,
    softening_squared: float,
    x: FloatArray,
    y: FloatArray,
    ax: FloatArray,
    ay: FloatArray,
    reaction_x: FloatArray,
    reaction_y: FloatArray,
) -> None:
    """Fill ax and ay [L] from x and y [L + N // 2]; the reactions are scratch of that length."""
    half, length = couplings.shape
    for i in range(length + half - num_particles):
        x[num_particles + i], y[num_particles + i] = x[i], y[i]
    for i in range(length):
        ax[i], ay[i] = 0.0, 0.0
    for i in range(length + half):
        reaction_x[i], reaction_y[i] = 0.0, 0.0
    for row in range(half):
        for i in range(length):
            j = i + row + 1
            dx, dy = x[i] - x[j], y[i] - y[j]
            squared = dx * dx + dy * dy + softening_squared
            weight = couplings[row, i] / (squared * np.sqrt(squared))
            ax[i] += weight * dx
            ay[i] += weight * dy
            reaction_x[j] += weight * dx
            reaction_y[j] += weight * dy
    for i in range(half):
        reaction_x[i] += reaction_x[num_particles + i]
        reaction_y[i] += reaction_y[num_particles + i]
    for i in range(length):
        ax[i] = (ax[i] - reaction_x[i]) * inverse_masses[i]
        ay[i] = (ay[i] - reaction_y[i]) * inverse_masses[i]


@_compile
def velocity_verlet(
    positions: FloatArray,
    velocities: FloatArray,
    masses: FloatArray,
    couplings: FloatArray,
    softening: float,
    time_step: float,
    keep_every: int,
) -> None:
    """Integrate one system and keep every `keep_every`th state.

        v += a(x) dt / 2;  x += v dt;  v += a(x) dt / 2

    Frame 0 of positions and velocities [frames, N, 2] is the initial state; the others are
    overwritten. Couplings are those of `ring_couplings`.
    """
    num_particles = len(masses)
    half, length = couplings.shape
    x, y = np.zeros(length + half), np.zeros(length + half)
    reaction_x, reaction_y = np.zeros(length + half), np.zeros(length + half)
    vx, vy = np.zeros(length), np.zeros(length)
    ax, ay = np.zeros(length), np.zeros(length)
    inverse_masses = np.zeros(length)
    for i in range(num_particles):
        x[i], y[i] = positions[0, i, 0], positions[0, i, 1]
        vx[i], vy[i] = velocities[0, i, 0], velocities[0, i, 1]
        inverse_masses[i] = 1 / masses[i]
    law = (num_particles, couplings, inverse_masses, softening**2)
    arrays = (x, y, ax, ay, reaction_x, reaction_y)

    _accelerate(*law, *arrays)
    for frame in range(1, len(positions)):
        for _ in range(keep_every):
            for i in range(length):
                vx[i] += 0.5 * time_step * ax[i]
                vy[i] += 0.5 * time_step * ay[i]
                x[i] += time_step * vx[i]
                y[i] += time_step * vy[i]
            _accelerate(*law, *arrays)
            for i in range(length):
                vx[i] += 0.5 * time_step * ax[i]
                vy[i] += 0.5 * time_step * ay[i]
        for i in range(num_particles):
            positions[frame, i, 0], positions[frame, i, 1] = x[i], y[i]
            velocities[frame, i, 0], velocities[frame, i, 1] = vx[i], vy[i]
