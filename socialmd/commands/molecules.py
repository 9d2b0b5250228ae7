"""From files of molecular dynamics to the report, in one command.

    socialmd molecules SIMULATION [SIMULATION ...] OUTPUT --configs fluid_3d --reading "..."

Reads the simulations (`socialmd preprocess`, whose further options are one word here), trains each
configuration that is named on them, and writes a report of all of them beside the forecasts that
they have to beat. Each step is one of the other commands, which is printed. What is done is not
done again, so an interrupted run can be started anew.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from socialmd.commands.command_line import (
    CONFIGURATION,
    make_parser,
    parse_first,
    run_command,
    run_script,
)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("molecules", __doc__)
    add = parser.add_argument
    add("simulations", nargs="+", metavar="SIMULATION", help="as of `socialmd preprocess`")
    add("output", type=Path, help="folder to write to")
    add("--configs", nargs="+", default=["molecules_3d"], help=f"{CONFIGURATION}; or several")
    add(
        "--reading",
        default="--dimensions 3",
        metavar="OPTIONS",
        help="of `socialmd preprocess`, all in one pair of quotation marks; default: %(default)s",
    )
    add(
        "--evaluation",
        default="",
        metavar="OPTIONS",
        help="of `socialmd evaluate`, likewise; default: none",
    )
    return parser.parse_args(argv)


parse_first(__name__, _parse)


def main(argv: Sequence[str] | None = None) -> None:
    """Preprocess, train and evaluate."""
    arguments = _parse(argv)
    output: Path = arguments.output
    data, runs = output / "data", {}
    for config in arguments.configs:
        if (name := Path(config).stem) in runs:
            raise ValueError(f"--configs: expected different names, found {name} twice")
        runs[name] = (config, output / name)
    options = shlex.split(arguments.reading)
    run_command("preprocess", *arguments.simulations, data, *options)
    for config, run in runs.values():
        run_command("train", config, data, run)
    models = [run for _, run in runs.values()]
    options = shlex.split(arguments.evaluation)
    run_command("evaluate", *models, data, output / "evaluation", *options)
    print(f"\nLook at {output}/evaluation/report.html; numbers: metrics.json, pictures: figures/")


if __name__ == "__main__":
    run_script(main)
