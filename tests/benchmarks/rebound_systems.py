"""Systems of this package in REBOUND: its integrators, and forces of our law that are compiled.

REBOUND knows gravity only. Here its gravity is off, and all forces are additional ones, of a
function in machine code that reads REBOUND's own memory: a direct sum over all pairs, in the plane,
each taken from both ends, which vector instructions make up for. Where REBOUND keeps the radius of
a particle, which nothing reads unless there are collisions, it finds the charge.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numba
import numpy as np
import rebound
from numba.core import cgutils, types
from numba.extending import intrinsic

from socialmd.config import ManyBodySystem
from socialmd.simulation import InitialState
from socialmd.types import FloatArray

WORD = ctypes.sizeof(ctypes.c_double)
WIDTH = ctypes.sizeof(rebound.Particle) // WORD
PLACE, PUSH, MASS, CHARGE = (
    getattr(rebound.Particle, name).offset // WORD for name in ("x", "ax", "m", "r")
)
# Of a simulation: how many particles there are, and where.
COUNT, PARTICLES = (
    getattr(rebound.Simulation, name).offset // WORD for name in ("N", "_particles")
)


@intrinsic
def as_pointer(context: Any, address: Any) -> Any:
    """An address as Numba's arrays in foreign memory want it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


# Sums may be reordered, without which there are no vector instructions.
@numba.njit(fastmath={"contract", "reassoc"}, error_model="numpy")
def push_all(
    particles: FloatArray, coulomb_constant: float, gravity: float, softening_squared: float
) -> None:
    """Write accelerations into REBOUND's particles, [N, WIDTH]."""
    x, y = particles[:, PLACE].copy(), particles[:, PLACE + 1].copy()
    masses, charges = particles[:, MASS].copy(), particles[:, CHARGE].copy()
    for i in range(len(x)):
        along_x = along_y = 0.0
        electric, attraction = coulomb_constant * charges[i], gravity * masses[i]
        for j in range(len(x)):
            dx, dy = x[i] - x[j], y[i] - y[j]
            squared = dx * dx + dy * dy + softening_squared
            coupling = electric * charges[j] - attraction * masses[j]
            weight = coupling / (squared * np.sqrt(squared))
            along_x += weight * dx
            along_y += weight * dy
        particles[i, PUSH] += along_x / masses[i]
        particles[i, PUSH + 1] += along_y / masses[i]


def compile_forces(system: ManyBodySystem) -> Any:
    """What REBOUND calls with the address of a simulation; softening has to be positive."""
    constants = (
        float(system.coulomb_constant),
        float(system.gravitational_constant),
        float(system.softening**2),
    )

    @numba.cfunc(types.void(types.voidptr))
    def forces(simulation: Any) -> None:
        words = numba.carray(simulation, (PARTICLES + COUNT + 1,), np.int64)
        shape = (words[COUNT], WIDTH)
        push_all(numba.carray(as_pointer(words[PARTICLES]), shape, np.float64), *constants)

    return forces


def new_simulation(state: InitialState, forces: Any) -> rebound.Simulation:
    """One system under given forces, which have to live as long as it does."""
    simulation = rebound.Simulation()
    simulation.gravity = "none"
    simulation.additional_forces = forces.ctypes
    rows = zip(state.positions, state.velocities, state.masses, state.charges, strict=True)
    for (x, y), (vx, vy), mass, charge in rows:
        simulation.add(m=mass, r=charge, x=x, y=y, vx=vx, vy=vy)
    return simulation


def places(simulation: rebound.Simulation) -> FloatArray:
    """Positions now, [N, 2]."""
    size = simulation.N * WIDTH
    address = ctypes.addressof(simulation.particles[0])
    words = np.frombuffer((ctypes.c_double * size).from_address(address))
    return words.reshape(simulation.N, WIDTH)[:, PLACE : PLACE + 2].copy()
