"""Types of command line arguments that several pipelines take."""

from __future__ import annotations

import argparse

__all__ = ["positive_integer"]


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
