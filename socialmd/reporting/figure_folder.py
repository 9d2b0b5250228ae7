"""Figures with what has to be said about them, and the folder that they are written to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from socialmd.files import save_figure
from socialmd.reporting.html_report import Picture

__all__ = ["Drawing", "FigureFolder"]


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


class FigureFolder:
    """Where figures are written to, each as PNG and as PDF.

    Args:
        path: of the folder.
        name_units: gives texts the units of the data (see `DatasetDescription.name_units`).

    Example:
        >>> FigureFolder(Path("report/figures")).save(figure, "errors")
        PosixPath('report/figures/errors.png')
    """

    def __init__(self, path: Path, name_units: Callable[[str], str] = str) -> None:
        self.path = path
        self.name_units = name_units

    def save(self, figure: Figure, name: str) -> Path:
        """Write a figure under a name without suffix; gives the PNG file."""
        png = self.path / f"{name}.png"
        save_figure(figure, png, self.name_units)
        pdf = png.with_suffix(".pdf")
        save_figure(figure, pdf, self.name_units, "pdf", metadata={"CreationDate": None})
        return png

    def picture(self, figure: Figure, name: str, caption: str, alt: str) -> Picture:
        """The same, as a wide `Picture` for a report."""
        return Picture(self.save(figure, name), caption, alt, wide=True)
