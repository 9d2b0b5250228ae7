"""Everything once, in five to ten minutes on two CPU cores.

    socialmd quickstart [OUTPUT]

Simulates a reduced data set with the real simulator, trains a small model on it, compares its
forecasts with simpler ones and with those of a model that was trained for longer and comes with the
repository, writes a report, and exports the model. Each step is one of the other commands; the
command that does it is printed, to be tried with other arguments. What is done is not done again,
so an interrupted run can be started anew.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from socialmd.commands.command_line import (
    CONFIGURATION,
    make_parser,
    parse_first,
    run_command,
    run_script,
)

SHIPPED = "interaction"  # a model that comes trained


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("quickstart", __doc__)
    parser.add_argument(
        "output",
        type=Path,
        nargs="?",
        default=Path("quickstart_output"),
        help="folder to write to; default: %(default)s",
    )
    parser.add_argument(
        "--config", default="quickstart", help=f"{CONFIGURATION}; default: %(default)s"
    )
    return parser.parse_args(argv)


parse_first(__name__, _parse)


def main(argv: Sequence[str] | None = None) -> None:
    """Simulate, train, evaluate, draw and export."""
    arguments = _parse(argv)
    output: Path = arguments.output
    data, run = output / "data", output / "quickstart"
    start = time.monotonic()

    run_command("simulate", arguments.config, data)
    run_command("train", arguments.config, data, run)
    run_command("evaluate", run, SHIPPED, data, output / "evaluation")
    run_command("export", run, output / "saved_model")

    print(
        f"\nDone in {time.monotonic() - start:.0f} s. Look at\n"
        f"  {output}/evaluation/report.html           all of the following on one page, and more\n"
        f"  {output}/evaluation/figures/forecast.png  forecasts over the truth, errors by step\n"
        f"  {output}/evaluation/figures/forecast.gif  a forecast in motion\n"
        f"  {output}/evaluation/metrics.json          all numbers\n"
        f"  {output}/data.png                         what was simulated\n"
        f"  {output}/quickstart/losses.png            how training went\n"
        f"  {output}/saved_model                      for inference with TensorFlow alone"
    )


if __name__ == "__main__":
    run_script(main)
