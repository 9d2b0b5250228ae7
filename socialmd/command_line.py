"""Command lines: types of arguments that several pipelines take, and what was typed."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from socialmd.shard import Shard

__all__ = ["number_of_samples", "positive_integer", "shard", "typed_command"]


def positive_integer(text: str) -> int:
    """For `argparse`: a number of windows, seeds or epochs.

    Args:
        text: as it was typed.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: it is less than one.
        ValueError: it is no integer; argparse names the argument, as it does for the other error.

    Example:
        >>> parser.add_argument("--seeds", type=positive_integer, default=3)
    """
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, found {number}")
    return number


def number_of_samples(text: str) -> int:
    """For `argparse`: futures to draw for one past, none or at least two.

    Args:
        text: as it was typed.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: it is negative, or one, of which no spread can be told.
        ValueError: it is no integer.
    """
    if (number := int(text)) < 0 or number == 1:
        raise argparse.ArgumentTypeError(f"expected 0, or at least 2, found {number}")
    return number


def shard(text: str) -> Shard:
    """For `argparse`: which of several processes this one is.

    Args:
        text: `"i/n"`, as it was typed; i counts from 1, as array jobs of SLURM usually do.

    Returns:
        The shard.

    Raises:
        argparse.ArgumentTypeError: it is not of this form, or there is no such shard.

    Example:
        >>> parser.add_argument("--shard", type=shard, metavar="I/N")
    """
    if not (match := re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)):
        raise argparse.ArgumentTypeError(f"expected i/n, as 2/4, found {text!r}")
    try:
        return Shard(*map(int, match.groups()))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def typed_command(pipeline: str, words: Sequence[str]) -> str:
    """What was typed, for the caption of what it made.

    Args:
        pipeline: name of the script.
        words: its arguments.

    Returns:
        The command, absolute paths cut to their last part: where files lie on one machine says
        nothing to others.

    Example:
        >>> typed_command("evaluate", ["runs/mine", "/home/me/data/monopoles"])
        'python pipelines/evaluate.py runs/mine monopoles'
    """
    shortened = [Path(word).name if Path(word).is_absolute() else word for word in words]
    return f"python pipelines/{pipeline}.py {shlex.join(shortened)}"
