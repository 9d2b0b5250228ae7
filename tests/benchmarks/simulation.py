"""Speed of the integrator and of REBOUND on the same systems.

Run it by hand: `python tests/benchmarks/simulation.py`.

Needs the extra `benchmark`. REBOUND knows gravity only, so the systems have no charges. Both run
in one thread, turn by turn, and are timed in processor time, which other work on the machine
lengthens least. A pair is two particles, so N particles have N (N - 1) / 2.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import rebound

from socialmd.simulation import InitialState, ManyBodySystem, draw_initial_state, integrate

TIME_STEP = 1e-7


def run_socialmd(system: ManyBodySystem, state: InitialState, num_steps: int) -> np.ndarray:
    """Final positions [N, 2]."""
    batch = (values[None] for values in state)
    kept = integrate(system, *batch, 2 * num_steps, TIME_STEP, num_steps, num_threads=1)
    return kept.positions[0, -1]


def run_rebound(system: ManyBodySystem, state: InitialState, num_steps: int) -> np.ndarray:
    """Final positions [N, 2] by REBOUND's leapfrog, of second order like velocity Verlet."""
    simulation = rebound.Simulation()
    simulation.integrator = "leapfrog"
    simulation.G = system.gravitational_constant
    simulation.softening = system.softening
    simulation.dt = TIME_STEP
    for (x, y), (vx, vy), mass in zip(state.positions, state.velocities, state.masses, strict=True):
        simulation.add(m=mass, x=x, y=y, vx=vx, vy=vy)
    simulation.steps(num_steps)
    simulation.synchronize()
    return np.array([[particle.x, particle.y] for particle in simulation.particles])


def seconds(run: Callable[..., np.ndarray], *arguments: object) -> tuple[float, np.ndarray]:
    """Processor time of one call, and its result."""
    start = time.process_time()
    positions = run(*arguments)
    return time.process_time() - start, positions


def main() -> None:
    """Print nanoseconds per pair and step of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--particles", type=int, nargs="+", default=[25])
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--repetitions", type=int, default=9)
    arguments = parser.parse_args()

    for num_particles in arguments.particles:
        system = ManyBodySystem(
            num_particles=num_particles,
            coulomb_constant=0.0,
            box_size=6.5 * (num_particles / 25) ** 0.5,
        )
        run_socialmd(system, draw_initial_state(system, 0, 0), 1)  # compiles
        ours, theirs, difference = [], [], 0.0
        for index in range(arguments.repetitions):
            state = draw_initial_state(system, 0, index)
            duration, positions = seconds(run_socialmd, system, state, arguments.steps)
            ours.append(duration)
            duration, reference = seconds(run_rebound, system, state, arguments.steps)
            theirs.append(duration)
            difference = max(difference, np.abs(positions - reference).max())
        per_pair = 1e9 / arguments.steps / (num_particles * (num_particles - 1) / 2)
        ratios = np.divide(theirs, ours)
        print(
            f"{num_particles} particles, {arguments.steps} steps, "
            f"median of {arguments.repetitions} systems:\n"
            f"  socialmd {np.median(ours) * per_pair:6.2f} ns per pair and step\n"
            f"  REBOUND  {np.median(theirs) * per_pair:6.2f} ns per pair and step "
            f"({rebound.__version__}, leapfrog)\n"
            f"  ratio    {np.median(ratios):6.2f} (from {ratios.min():.2f} to {ratios.max():.2f})\n"
            f"  largest difference between final positions {difference:.1e}"
        )


if __name__ == "__main__":
    main()
