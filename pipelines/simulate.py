"""Simulate the data set of an experiment.

    python pipelines/simulate.py CONFIG OUTPUT [--shard I/N]

Given `--shard I/N`, each another I, N processes on machines that share a file system divide the
simulations among them. They may run at the same time, in any order, and be started again; whichever
finds all simulations there completes the data set, which is that of one process, byte for byte.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from socialmd import load_config
from socialmd.command_line import shard
from socialmd.dataset_folder import simulation_name
from socialmd.files import save_figure
from socialmd.plots import new_figure, plot_trajectories
from socialmd.simulation import write_dataset
from socialmd.simulation.output_folder import OutputFolder


def main(argv: Sequence[str] | None = None) -> None:
    """Write the data set, or what is missing of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", type=Path, help="TOML file of the experiment")
    parser.add_argument("output", type=Path, help="folder of the data set; continued if unfinished")
    parser.add_argument(
        "--shard",
        type=shard,
        metavar="I/N",
        help="make every N-th simulation only, from the I-th on, where I is 1 to N; other "
        "processes make the others; default: all",
    )
    arguments = parser.parse_args(argv)

    config = load_config(arguments.config)
    drifts = write_dataset(config, arguments.output, shard=arguments.shard)
    if drifts.size:
        print(
            f"{arguments.output}: wrote {drifts.size} simulations; relative change of their "
            f"energy: median {np.median(drifts):.1e}, largest {drifts.max():.1e}"
        )
    folder = OutputFolder(config, arguments.output)
    if missing := folder.missing():
        print(
            f"{arguments.output}: {len(missing)} of {len(folder.files)} simulations are missing: "
            "other shards are not done yet"
        )
        return
    if not drifts.size:
        print(f"{arguments.output}: already complete, nothing to do")

    output = arguments.output.resolve()
    picture = output.with_name(f"{output.name}.png")
    frames = np.load(arguments.output / "train" / simulation_name(0))
    figure, ax = new_figure(6, 6)
    span = len(frames) * config.simulation.time_step * config.simulation.keep_every
    plot_trajectories(ax, frames[..., :2], f"Training simulation 0, {span:g} time units")
    save_figure(figure, picture)
    print(f"The first of them is drawn in {picture}")


if __name__ == "__main__":
    main()
