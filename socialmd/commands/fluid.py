"""Simulate a liquid of argon and xenon in a periodic box, a demonstration of such files.

    socialmd fluid OUTPUT [--simulations 24] [--friction 0] [--processes 2]

Writes OUTPUT/fluid_000/, fluid_001/, ..., each with a topology and a trajectory, as users of
molecular dynamics have them. Without friction energy is conserved (NVE), with it a thermostat holds
the temperature (NVT). A simulation that is there is not made again. Needs OpenMM:
pip install -e ".[md]" installs it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from socialmd.commands.command_line import make_parser, parse_first, positive_integer, run_script


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("fluid", "Simulate a liquid of argon and xenon in a periodic box.")
    parser.add_argument("output", type=Path, help="folder for a folder of each simulation")
    for name, number in (("--simulations", 24), ("--frames", 300)):
        help = f"how many; default: {number}"
        parser.add_argument(name, type=positive_integer, default=number, metavar="K", help=help)
    parser.add_argument(
        "--friction", type=float, default=0.0, help="in 1/ps; default: 0, energy is conserved"
    )
    parser.add_argument(
        "--temperature", type=float, default=180.0, help="in kelvin; default: %(default)g"
    )
    parser.add_argument("--seed", type=int, default=0, help="of places and noise; default: 0")
    parser.add_argument(
        "--processes", type=positive_integer, default=2, help="simulations at the same time"
    )
    return parser.parse_args(argv)


parse_first(__name__, _parse, needs_tensorflow=False)  # what follows takes seconds to import

from socialmd.commands.in_processes import in_processes
from socialmd.simulation.fluid import FluidSchedule, LennardJonesFluid, write_fluid


def main(argv: Sequence[str] | None = None) -> None:
    """Write the simulations, or what is missing of them."""
    arguments = _parse(argv)
    fluid = LennardJonesFluid(temperature=arguments.temperature, friction=arguments.friction)
    indices = range(arguments.simulations)
    folders = [arguments.output / f"fluid_{index:03d}" for index in indices]
    schedule = FluidSchedule(num_frames=arguments.frames)
    write = partial(write_fluid, fluid, seed=arguments.seed, schedule=schedule)
    found = in_processes(write, folders, indices, processes=arguments.processes, unit="simulation")
    print(make_table(folders, found))


def make_table(folders: Sequence[Path], found: Sequence[Mapping[str, float | None]]) -> str:
    """Markdown table of what `write_fluid` has found of each simulation."""
    rows = ["| simulation | temperature (K) | energy drift / kinetic energy |", "|---|---:|---:|"]
    for folder, each in zip(folders, found, strict=True):
        drift = "-" if each["energy_drift"] is None else f"{each['energy_drift']:.1e}"
        rows.append(f"| {folder} | {each['temperature']:.1f} | {drift} |")
    return "\n".join(rows)


if __name__ == "__main__":
    run_script(main)
