"""Langevin dynamics of particles on strands: the compiled loop of one system.

One step is, with forces of pairs, springs and the core,

    v += F(x) / m dt / 2;   x += v dt / 2
    v = exp(-gamma dt) v + sqrt((1 - exp(-2 gamma dt)) T / m) noise
    x += v dt / 2;   v += F(x) / m dt / 2

("BAOAB" [1]), which without damping is velocity Verlet.

[1] B. Leimkuhler and C. Matthews, Appl. Math. Res. Express 2013, 34-56.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from socialmd.simulation.verlet import compile_loop
from socialmd.types import FloatArray

__all__ = ["strand_verlet"]


def _make_kernel(dims: int) -> Any:
    """Compiled loop over steps for so many coordinates."""

    @compile_loop
    def act(
        couplings: FloatArray,
        constants: tuple[float, float, float, float, float],
        x: FloatArray,
        anchors: FloatArray,
        force: FloatArray,
    ) -> None:
        """Fill forces [N, D] (see `forces` and `StrandsConfig`)."""
        softening_squared, stiffness, rest_length, core_radius, core_stiffness = constants
        force[:] = 0.0
        for i in range(len(x)):
            for j in range(i + 1, len(x)):
                squared = softening_squared
                for d in range(dims):
                    squared += (x[i, d] - x[j, d]) ** 2
                weight = couplings[i, j] / (squared * np.sqrt(squared))
                for d in range(dims):
                    pull = weight * (x[i, d] - x[j, d])
                    force[i, d] += pull
                    force[j, d] -= pull
            stretch, radius = 0.0, 0.0
            for d in range(dims):
                stretch += (x[i, d] - anchors[i, d]) ** 2
                radius += x[i, d] ** 2
            stretch, radius = np.sqrt(stretch), np.sqrt(radius)
            spring = -stiffness * (1 - rest_length / stretch) if stretch > 0 else 0.0
            push = core_stiffness * (core_radius / radius - 1) if 0 < radius < core_radius else 0.0
            for d in range(dims):
                force[i, d] += spring * (x[i, d] - anchors[i, d]) + push * x[i, d]

    @compile_loop
    def integrate(
        couplings: FloatArray,
        constants: tuple[float, float, float, float, float],
        damping: float,
        temperature: float,
        positions: FloatArray,
        velocities: FloatArray,
        masses: FloatArray,
        anchors: FloatArray,
        time_step: float,
        keep_every: int,
        generator: Any,
    ) -> None:
        x, v = positions[0].copy(), velocities[0].copy()
        force, half = np.empty_like(x), 0.5 * time_step
        kept = np.exp(-damping * time_step)
        noise = np.sqrt((1 - kept * kept) * temperature)
        act(couplings, constants, x, anchors, force)
        for frame in range(1, len(positions)):
            for _ in range(keep_every):
                for i in range(len(x)):
                    for d in range(dims):
                        v[i, d] += half * force[i, d] / masses[i]
                        x[i, d] += half * v[i, d]
                        if damping > 0:
                            v[i, d] *= kept
                        if noise > 0:
                            v[i, d] += noise / np.sqrt(masses[i]) * generator.standard_normal()
                        x[i, d] += half * v[i, d]
                act(couplings, constants, x, anchors, force)
                for i in range(len(x)):
                    for d in range(dims):
                        v[i, d] += half * force[i, d] / masses[i]
            positions[frame], velocities[frame] = x, v

    return integrate


# Compiled when they are first called.
KERNELS = {dims: _make_kernel(dims) for dims in (2, 3)}


def strand_verlet(
    couplings: FloatArray,
    constants: tuple[float, float, float, float, float],
    solvent: tuple[float, float],
    positions: FloatArray,
    velocities: FloatArray,
    masses: FloatArray,
    anchors: FloatArray,
    time_step: float,
    keep_every: int,
    generator: np.random.Generator,
) -> None:
    """Integrate one system and keep every `keep_every`th state.

    Couplings are those of `pair_couplings`. Constants are the square of the softening, and
    stiffness, rest length, core radius and its stiffness; of the solvent, damping and temperature.
    Frame 0 of positions and velocities [frames, N, D] is the initial state; the others are
    overwritten. Masses and anchors are [N] and [N, D].
    """
    kernel = KERNELS[positions.shape[-1]]
    motion = (positions, velocities, masses, anchors)
    kernel(couplings, constants, *solvent, *motion, time_step, keep_every, generator)
