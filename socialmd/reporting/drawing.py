"""A figure with what has to be said about it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

__all__ = ["Drawing"]


class Drawing(NamedTuple):
    """A figure with its caption.

    Args:
        figure: it, or the file of a picture that exists already.
        rule: that chose what is seen.
        shows: what is seen.
    """

    figure: Figure | Path
    rule: str
    shows: str
