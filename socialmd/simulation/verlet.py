"""Velocity Verlet for one system: the compiled loop in which simulating spends its time.

Each pair is computed once. The particles stand in a ring, and the pairs are taken by how far
apart they stand in it: first every particle i with particle i + 1, then with i + 2, up to half
way round. For one such offset the inner loop runs along contiguous arrays, adds the force to i and
its reaction to i + offset, and no two of its turns write to the same place, so that the compiler
turns it into vector instructions without having to reorder a sum. What is left of the time is
mostly the processor's square roots and divisions.

The ring is closed by repeating its first half at the end of each array instead of by an index
modulo N. Sums may only be fused with products ("contract"), so a step is the same for every number
of threads and systems, and what is not a number stays visible.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["ring_couplings", "velocity_verlet"]

FloatArray = NDArray[np.float64]


def ring_couplings(couplings: FloatArray) -> FloatArray:
    """Order pair couplings as the integrator reads them.

    Args:
        couplings: [N, N], symmetric.

    Returns:
        [N // 2, N]: row d, column i couples particle i and particle (i + d + 1) mod N. With an
        even N the last row meets each of its pairs from both ends and holds half their coupling.
    """
    num_particles = len(couplings)
    first = np.arange(num_particles)
    offsets = np.arange(1, num_particles // 2 + 1)[:, None]
    ring = couplings[first, (first + offsets) % num_particles]  # [N // 2, N]
    ring[offsets[:, 0] * 2 == num_particles] /= 2
    return ring


# Not cached on disk: compiling takes seconds, and there is not always a writable place.
_compile = numba.njit(nogil=True, error_model="numpy", fastmath={"contract"})


@_compile
def _accelerate(
    x: FloatArray,
    y: FloatArray,
    couplings: FloatArray,
    inverse_masses: FloatArray,
    softening_squared: float,
    ax: FloatArray,
    ay: FloatArray,
    reaction_x: FloatArray,
    reaction_y: FloatArray,
) -> None:
    """Fill ax and ay [N] from x and y [N + N // 2]; the reactions are scratch of that length."""
    half, num_particles = couplings.shape
    for i in range(half):
        x[num_particles + i], y[num_particles + i] = x[i], y[i]
    for i in range(num_particles):
        ax[i], ay[i] = 0.0, 0.0
    for i in range(num_particles + half):
        reaction_x[i], reaction_y[i] = 0.0, 0.0
    for row in range(half):
        for i in range(num_particles):
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
    for i in range(num_particles):
        ax[i] = (ax[i] - reaction_x[i]) * inverse_masses[i]
        ay[i] = (ay[i] - reaction_y[i]) * inverse_masses[i]


@_compile
def velocity_verlet(
    positions: FloatArray,
    velocities: FloatArray,
    inverse_masses: FloatArray,
    couplings: FloatArray,
    softening: float,
    time_step: float,
    keep_every: int,
) -> None:
    """Integrate one system and keep every `keep_every`th state.

        v += a(x) dt / 2;  x += v dt;  v += a(x) dt / 2

    Args:
        positions: [frames, N, 2]; frame 0 is the initial state, the others are overwritten.
        velocities: [frames, N, 2], likewise.
        inverse_masses: [N].
        couplings: [N // 2, N] from `ring_couplings`.
        softening: length below which the force stops growing.
        time_step: dt.
        keep_every: steps from one frame to the next.
    """
    half, num_particles = couplings.shape
    x, y = np.empty(num_particles + half), np.empty(num_particles + half)
    vx, vy = np.empty(num_particles), np.empty(num_particles)
    ax, ay = np.empty(num_particles), np.empty(num_particles)
    reaction_x, reaction_y = np.empty(num_particles + half), np.empty(num_particles + half)
    for i in range(num_particles):
        x[i], y[i] = positions[0, i, 0], positions[0, i, 1]
        vx[i], vy[i] = velocities[0, i, 0], velocities[0, i, 1]
    fixed = (couplings, inverse_masses, softening**2, ax, ay, reaction_x, reaction_y)

    _accelerate(x, y, *fixed)
    for frame in range(1, len(positions)):
        for _ in range(keep_every):
            for i in range(num_particles):
                vx[i] += 0.5 * time_step * ax[i]
                vy[i] += 0.5 * time_step * ay[i]
                x[i] += time_step * vx[i]
                y[i] += time_step * vy[i]
            _accelerate(x, y, *fixed)
            for i in range(num_particles):
                vx[i] += 0.5 * time_step * ax[i]
                vy[i] += 0.5 * time_step * ay[i]
        for i in range(num_particles):
            positions[frame, i, 0], positions[frame, i, 1] = x[i], y[i]
            velocities[frame, i, 0], velocities[frame, i, 1] = vx[i], vy[i]
