"""Simulate the data set of an experiment: `python pipelines/simulate.py CONFIG OUTPUT`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from socialmd import load_config
from socialmd.simulation import write_dataset


def main(argv: Sequence[str] | None = None) -> None:
    """Write the data set, or what is missing of it."""
    parser = argparse.ArgumentParser(description="Simulate the data set of an experiment.")
    parser.add_argument("config", type=Path, help="TOML file of the experiment")
    parser.add_argument("output", type=Path, help="folder of the data set; continued if unfinished")
    arguments = parser.parse_args(argv)

    drifts = write_dataset(load_config(arguments.config), arguments.output)
    if drifts.size:
        print(
            f"{arguments.output}: wrote {drifts.size} simulations; relative change of their "
            f"energy: median {np.median(drifts):.1e}, largest {drifts.max():.1e}"
        )
    else:
        print(f"{arguments.output}: already complete, nothing to do")


if __name__ == "__main__":
    main()
