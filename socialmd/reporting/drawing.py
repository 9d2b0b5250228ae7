"""A figure with what has to be said about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

__all__ = ["Drawing", "NothingToDrawError"]


class NothingToDrawError(Exception):
    """What a figure would show is not there; the message says why."""


class Drawing(NamedTuple):
    """A figure with its caption.

    Args:
        figure: it, or the file of a picture that exists already.
        rule: that chose what is seen.
        shows: what is seen.
        unit_names: gives texts in the figure the units of the data.
    """

    figure: Figure | Path
    rule: str
    shows: str
    unit_names: Callable[[str], str] = str

    def name_units(self, unit_names: Callable[[str], str]) -> Drawing:
        """The same with the units of the data (see `DatasetDescription.name_units`)."""
        texts = (unit_names(self.rule), unit_names(self.shows))
        return Drawing(self.figure, *texts, unit_names)
