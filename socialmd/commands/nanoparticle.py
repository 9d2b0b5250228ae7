"""Simulate nanoparticles that carry drugs, a demonstration of molecular dynamics files.

    socialmd nanoparticle OUTPUT [--simulations 13] [--processes 2]

Writes OUTPUT/carrier_000/, carrier_001/, ..., each with a PDB file for every frame: files such as
users of molecular dynamics arrive with (thesis section 3), of no particular drug. After some frames
the core starts to attract drugs (OQL), but not background molecules (ONC). A simulation that is
there is not made again. Needs OpenMM: pip install -e ".[md]" installs it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from socialmd.commands.command_line import make_parser, parse_first, positive_integer, run_script


def switch_frame(text: str) -> int | None:
    """For `argparse`: a number of frames, or `never`."""
    return None if text == "never" else int(text)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "nanoparticle", "Simulate nanoparticles that carry drugs, a demonstration."
    )
    parser.add_argument("output", type=Path, help="folder for a folder of each simulation")
    for name, number in (("--simulations", 13), ("--frames", 300)):
        help = f"how many; default: {number}"
        parser.add_argument(name, type=positive_integer, default=number, metavar="K", help=help)
    parser.add_argument(
        "--switch-frame",
        type=switch_frame,
        default=60,
        metavar="F",
        help="frames before the core starts to attract drugs, or 'never'; default: 60",
    )
    parser.add_argument(
        "--vary-heads",
        type=int,
        default=4,
        metavar="C",
        help="the 40 heads of each kind become up to so many more or fewer; default: 4",
    )
    parser.add_argument("--seed", type=int, default=0, help="of places and noise; default: 0")
    parser.add_argument(
        "--processes", type=positive_integer, default=2, help="simulations at the same time"
    )
    return parser.parse_args(argv)


parse_first(__name__, _parse, needs_tensorflow=False)  # what follows takes seconds to import

from socialmd.commands.in_processes import in_processes
from socialmd.simulation.drug_carrier import DrugCarrier, Schedule, write_simulation
from socialmd.types import Array

FIRST, LAST = slice(None, 20), slice(-20, None)  # frames of the printed means

Distances = Mapping[str, Array]


def main(argv: Sequence[str] | None = None) -> None:
    """Write the simulations, or what is missing of them."""
    arguments = _parse(argv)
    schedule = Schedule(num_frames=arguments.frames, switch_frame=arguments.switch_frame)
    indices, seed = range(arguments.simulations), arguments.seed
    carriers = [DrugCarrier().vary_heads(arguments.vary_heads, seed, index) for index in indices]
    folders = [arguments.output / f"carrier_{index:03d}" for index in indices]
    write = partial(write_simulation, schedule=schedule, seed=seed)
    distances = in_processes(
        write, carriers, folders, indices, processes=arguments.processes, unit="simulation"
    )
    print(make_table(folders, distances))


def make_table(folders: Sequence[Path], distances: Sequence[Distances]) -> str:
    """Markdown table of the heads' mean distances from the core's centre, in angstrom.

    For each simulation's folder, mean distances in each frame, [frames], by residue name.
    """
    names = list(distances[0])
    head = [f"{name}, {when} frames" for name in names for when in ("first", "last")]
    rows = [("mean distance from the centre (angstrom)", *head), ("---", *["---:"] * len(head))]
    for folder, series in zip(folders, distances, strict=True):
        means = [series[name][part].mean() for name in names for part in (FIRST, LAST)]
        rows.append((str(folder), *[f"{mean:.1f}" for mean in means]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    run_script(main)
