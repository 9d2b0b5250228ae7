"""Entry of the command line: `socialmd NAME ...`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from socialmd import __version__

__all__ = ["COMMANDS", "main"]

# What each is for, in the order in which they are used.
COMMANDS = {
    "quickstart": "everything once, in about five minutes",
    "simulate": "the data set of an experiment",
    "fluid": "a liquid in a periodic box, a demonstration (needs OpenMM)",
    "nanoparticle": "files of molecular dynamics, a demonstration (needs OpenMM)",
    "preprocess": "a data set from files of molecular dynamics",
    "molecules": "all of it, from files of molecular dynamics to the report",
    "train": "a model, or go on with an interrupted training",
    "tune": "a search for better hyperparameters",
    "evaluate": "a report: models beside the forecasts that they have to beat",
    "predict": "a forecast of one trajectory",
    "export": "a SavedModel for inference with TensorFlow alone",
    "compare": "variants of one network at equal budget",
    "benchmark": "a public benchmark: data, training, published numbers beside ours",
    "circle": "one Gaussian against mixtures, where the exact density is known",
    "figures": "the thesis' figures from our own data and models",
}


def main(name: str | None = None) -> None:
    """Run a command with the arguments of this process.

    Args:
        name: of the command; the first of the arguments if none is given.

    Raises:
        SystemExit: always; the status is 2 if there is no such command.
    """
    if name is None:
        name = _take_name()
    # As a script of its own: it parses its arguments before it imports what takes seconds, and
    # processes that it starts can import it.
    runpy.run_path(str(Path(__file__).with_name(f"{name}.py")), run_name="__main__")


def _take_name() -> str:
    words = sys.argv[1:]
    if words[:1] == ["--version"]:
        print(f"socialmd {__version__}")
        sys.exit(0)
    if words and words[0] in COMMANDS:
        del sys.argv[1]
        return words[0]
    is_help = words[:1] in (["--help"], ["-h"])
    print(_usage(), file=sys.stdout if is_help else sys.stderr)
    if words and not is_help:
        print(f"error: expected one of these commands, found {words[0]!r}", file=sys.stderr)
    sys.exit(0 if is_help else 2)


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {purpose}" for name, purpose in COMMANDS.items()]
    return "\n".join(
        [
            "usage: socialmd COMMAND ...",
            "",
            *lines,
            "",
            "`socialmd COMMAND --help` explains each; `socialmd --version` says which this is.",
        ]
    )
