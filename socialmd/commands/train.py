"""Train what a configuration describes: socialmd train CONFIG DATA OUTPUT."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from socialmd.commands.command_line import (
    CONFIGURATION,
    add_verbose,
    make_parser,
    parse_first,
    positive_integer,
    run_script,
)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "train", "Train, or continue an interrupted training, and draw the losses."
    )
    parser.add_argument("config", help=CONFIGURATION)
    parser.add_argument("data", help="data set, a folder with train/ and validation/")
    parser.add_argument("output", type=Path, help="folder for weights, log and TensorBoard")
    add_verbose(parser, 1)
    parser.add_argument(
        "--stop-after", type=positive_integer, metavar="EPOCHS", help="pause; can be continued"
    )
    parser.add_argument(
        "--profile",
        type=positive_integer,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="record where the time of these steps goes, counted from now; the first compiles",
    )
    return parser.parse_args(argv)


parse_first(__name__, _parse)  # what follows takes seconds to import

from socialmd import load_config
from socialmd.data.dataset_description import read_description
from socialmd.files import save_figure
from socialmd.plots import new_figure, plot_losses
from socialmd.training import ProfileSteps, fit, read_history
from socialmd.training.history import HISTORY_FILE


def main(argv: Sequence[str] | None = None) -> None:
    """Train, or continue an interrupted training, and draw the losses."""
    arguments = _parse(argv)
    tensorboard = arguments.output / "tensorboard"
    profile = arguments.profile and ProfileSteps(tensorboard / "train", *arguments.profile)

    config = load_config(arguments.config)
    fit(
        config,
        arguments.data,
        arguments.output,
        callbacks=[profile] if profile else [],
        verbose=arguments.verbose,
        stop_after=arguments.stop_after,
    )

    history = read_history(arguments.output / HISTORY_FILE)
    figure, axes = new_figure(10, 4, columns=2)
    # An untrained model's likelihood is hundreds of nats worse: linear up to one, then logarithmic.
    plot_losses(axes[0], history, scale="symlog")
    plot_losses(axes[1], history, "mae", "mean absolute error (length units)")
    picture = arguments.output / "losses.png"
    save_figure(figure, picture, read_description(arguments.output).name_units)
    print(f"Model, log and figure: {arguments.output}")
    print(f"Watch it: tensorboard --logdir {tensorboard}")
    if profile:
        print(f"Profiled {profile.num_profiled} steps; python -m pip install xprof to see them")


if __name__ == "__main__":
    run_script(main)
