"""Velocity Verlet for particles with dipoles or quadrupoles: the compiled loop of one system.

A particle with such a moment is a linear rotor: a unit vector u that carries it, and the velocity
of its tip, w = du/dt, at right angles to u. Its step is made of two motions that are known exactly,
so that the whole is symplectic, reversible in time and of second order [1]:

    kick:   v += a dt,  w += (E - (E . u) u) p / I dt        (p E: `turning_forces`)
    drift:  x += v dt,  u and w turn in the plane that they span by |w| dt

[1] A. Dullweber, B. Leimkuhler and R. McLachlan, J. Chem. Phys. 107, 5840 (1997).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from socialmd.simulation.verlet import compile_loop
from socialmd.types import FloatArray

__all__ = ["rotor_verlet"]


def _act_on_dipoles(dims: int) -> Any:
    @compile_loop
    def act(
        constants: tuple[float, float, float, float],
        m: FloatArray,
        q: FloatArray,
        moments: FloatArray,
        x: FloatArray,
        u: FloatArray,
        p: FloatArray,
        force: FloatArray,
        field: FloatArray,
    ) -> None:
        """Fill forces and fields [N, D] from positions and dipoles [N, D] (see `forces`)."""
        k, gravity, softening_squared, _ = constants
        force[:], field[:] = 0.0, 0.0
        r = np.empty(dims)
        for i in range(len(x)):
            for j in range(i + 1, len(x)):
                squared, own, other, both = softening_squared, 0.0, 0.0, 0.0
                for d in range(dims):
                    r[d] = x[i, d] - x[j, d]
                    squared += r[d] * r[d]
                    own += p[i, d] * r[d]
                    other += p[j, d] * r[d]
                    both += p[i, d] * p[j, d]
                inverse = 1 / squared
                third = inverse * math.sqrt(inverse)
                fifth = third * inverse
                mixed = q[i] * other - q[j] * own + both
                radial = (k * q[i] * q[j] - gravity * m[i] * m[j]) * third
                radial += k * (3 * mixed * fifth - 15 * own * other * fifth * inverse)
                for d in range(dims):
                    f = radial * r[d] + k * (
                        3 * fifth * (own * p[j, d] + other * p[i, d])
                        - third * (q[i] * p[j, d] - q[j] * p[i, d])
                    )
                    force[i, d] += f
                    force[j, d] -= f
                    along = 3 * fifth * r[d]
                    field[i, d] += k * (third * (q[j] * r[d] - p[j, d]) + along * other)
                    field[j, d] += k * (along * own - third * (q[i] * r[d] + p[i, d]))

    return act


def _act_on_quadrupoles(dims: int) -> Any:
    @compile_loop
    def act(
        constants: tuple[float, float, float, float],
        m: FloatArray,
        q: FloatArray,
        moments: FloatArray,
        x: FloatArray,
        u: FloatArray,
        p: FloatArray,
        force: FloatArray,
        field: FloatArray,
    ) -> None:
        """The same of quadrupoles, whose turning forces come by their moments as well."""
        k, gravity, softening_squared, arm = constants
        share = 1 / (2 * arm * arm)
        force[:], field[:] = 0.0, 0.0
        r = np.empty(dims)
        for i in range(len(x)):
            for j in range(i + 1, len(x)):
                squared = softening_squared
                for d in range(dims):
                    squared += (x[i, d] - x[j, d]) ** 2
                weight = -gravity * m[i] * m[j] / (squared * math.sqrt(squared))
                for d in range(dims):
                    pull = weight * (x[i, d] - x[j, d])
                    force[i, d] += pull
                    force[j, d] -= pull
                for s in (-1, 0, 1):
                    own = share * moments[i] if s else q[i] - 2 * share * moments[i]
                    for t in (-1, 0, 1):
                        other = share * moments[j] if t else q[j] - 2 * share * moments[j]
                        squared = softening_squared
                        for d in range(dims):
                            r[d] = x[i, d] - x[j, d] + arm * (s * u[i, d] - t * u[j, d])
                            squared += r[d] * r[d]
                        # Outer charges are a share of the moment, by which fields are multiplied.
                        unit = k / (squared * math.sqrt(squared))
                        for d in range(dims):
                            force[i, d] += unit * own * other * r[d]
                            force[j, d] -= unit * own * other * r[d]
                            field[i, d] += s * arm * share * unit * other * r[d]
                            field[j, d] -= t * arm * share * unit * own * r[d]

    return act


def _make_kernel(dims: int, make_act: Callable[[int], Any]) -> Any:
    """Compiled loop over steps for so many coordinates, and what acts."""
    act = make_act(dims)

    @compile_loop
    def kick(
        step: float,
        m: FloatArray,
        turning: FloatArray,
        force: FloatArray,
        field: FloatArray,
        v: FloatArray,
        u: FloatArray,
        w: FloatArray,
    ) -> None:
        for i in range(len(v)):
            along = 0.0
            for d in range(dims):
                along += field[i, d] * u[i, d]
            for d in range(dims):
                v[i, d] += step * force[i, d] / m[i]
                w[i, d] += step * turning[i] * (field[i, d] - along * u[i, d])

    @compile_loop
    def turn(step: float, u: FloatArray, w: FloatArray) -> None:
        for i in range(len(u)):
            speed = 0.0
            for d in range(dims):
                speed += w[i, d] * w[i, d]
            speed = math.sqrt(speed)
            if speed > 0.0:
                cosine, sine = math.cos(speed * step), math.sin(speed * step)
                for d in range(dims):
                    before = u[i, d]
                    u[i, d] = cosine * before + sine / speed * w[i, d]
                    w[i, d] = cosine * w[i, d] - sine * speed * before

    @compile_loop
    def integrate(
        constants: tuple[float, float, float, float],
        positions: FloatArray,
        velocities: FloatArray,
        orientations: FloatArray,
        spins: FloatArray,
        masses: FloatArray,
        charges: FloatArray,
        moments: FloatArray,
        inertias: FloatArray,
        time_step: float,
        keep_every: int,
        wall: float,
    ) -> None:
        x, v = positions[0].copy(), velocities[0].copy()
        u, w = orientations[0].copy(), spins[0].copy()
        p, force, field = np.empty_like(x), np.empty_like(x), np.empty_like(x)
        turning = moments / inertias
        for i in range(len(x)):
            for d in range(dims):
                p[i, d] = moments[i] * u[i, d]
        act(constants, masses, charges, moments, x, u, p, force, field)
        for frame in range(1, len(positions)):
            for _ in range(keep_every):
                kick(0.5 * time_step, masses, turning, force, field, v, u, w)
                turn(time_step, u, w)
                for i in range(len(x)):
                    for d in range(dims):
                        x[i, d] += time_step * v[i, d]
                        if abs(x[i, d]) > wall:
                            x[i, d] = math.copysign(2 * wall, x[i, d]) - x[i, d]
                            v[i, d] = -v[i, d]
                        p[i, d] = moments[i] * u[i, d]
                act(constants, masses, charges, moments, x, u, p, force, field)
                kick(0.5 * time_step, masses, turning, force, field, v, u, w)
            positions[frame], velocities[frame] = x, v
            orientations[frame], spins[frame] = u, w

    return integrate


# Compiled when they are first called.
KERNELS = {
    (dims, has_quadrupoles): _make_kernel(
        dims, _act_on_quadrupoles if has_quadrupoles else _act_on_dipoles
    )
    for dims in (2, 3)
    for has_quadrupoles in (False, True)
}


def rotor_verlet(
    constants: tuple[float, float, float, float],
    motion: Sequence[FloatArray],
    particles: Sequence[FloatArray],
    time_step: float,
    keep_every: int,
    wall: float = math.inf,
    has_quadrupoles: bool = False,
) -> None:
    """Integrate one system and keep every `keep_every`th state.

    Constants are k, G, the square of the softening, and the arm of quadrupoles. Frame 0 of the
    motion, which is positions, velocities, orientations u and spins w, [frames, N, D] each, is the
    initial state; the others are overwritten. Of the particles, masses, charges, moments of dipoles
    or quadrupoles, and moments of inertia, [N]. Walls are those of `velocity_verlet`.
    """
    kernel = KERNELS[motion[0].shape[-1], has_quadrupoles]
    kernel(constants, *motion, *particles, time_step, keep_every, wall)
