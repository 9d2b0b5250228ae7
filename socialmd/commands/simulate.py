"""Simulate the data set of an experiment.

    socialmd simulate CONFIG OUTPUT [--shard I/N]

Given `--shard I/N`, each another I, N processes on machines that share a file system divide the
simulations among them. They may run at the same time, in any order, and be started again; whichever
finds all simulations there completes the data set, which is that of one process, byte for byte.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from socialmd.commands.command_line import (
    CONFIGURATION,
    add_shard,
    make_parser,
    parse_first,
    run_script,
)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("simulate", __doc__)
    parser.add_argument("config", help=CONFIGURATION)
    parser.add_argument("output", type=Path, help="folder of the data set; continued if unfinished")
    add_shard(parser, "make")
    return parser.parse_args(argv)


parse_first(__name__, _parse, needs_tensorflow=False)  # what follows takes seconds to import

import numpy as np

from socialmd import load_config
from socialmd.data.dataset_description import simulation_name
from socialmd.files import save_figure
from socialmd.plots import new_figure, plot_trajectories
from socialmd.simulation import write_dataset
from socialmd.simulation.write_simulations import simulation_writer


def main(argv: Sequence[str] | None = None) -> None:
    """Write the data set, or what is missing of it."""
    arguments = _parse(argv)
    config = load_config(arguments.config)
    drifts = write_dataset(config, arguments.output, shard=arguments.shard)
    if drifts.size:
        strands = config.system.strands
        change = f"median {np.median(drifts):.1e}, largest {drifts.max():.1e}"
        if strands is not None and strands.damping:
            change = "by friction and noise"
        print(
            f"{arguments.output}: wrote {drifts.size} simulations; relative change of their "
            f"energy: {change}"
        )
    writer = simulation_writer(config, arguments.output)
    if missing := writer.missing():
        print(
            f"{arguments.output}: {len(missing)} of {len(writer.files)} simulations are missing: "
            "other shards are not done yet"
        )
        return
    if not drifts.size:
        print(f"{arguments.output}: already complete, nothing to do")

    output = arguments.output.absolute()
    picture = output.with_name(f"{output.name}.png")
    frames = np.load(arguments.output / "train" / simulation_name(0))
    figure, ax = new_figure(6, 6)
    span = len(frames) * config.simulation.time_step * config.simulation.keep_every
    plot_trajectories(ax, frames[..., :2], f"Training simulation 0, {span:g} time units")
    try:
        save_figure(figure, picture)
        print(f"The first of them is drawn in {picture}")
    except OSError as error:  # the data set is complete without it
        print(f"The first of them could not be drawn: {error}")


if __name__ == "__main__":
    run_script(main)
