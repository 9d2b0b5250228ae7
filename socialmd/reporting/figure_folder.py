"""A folder of figures, each as PNG and as PDF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from socialmd.files import save_figure
from socialmd.reporting.html_report import Picture

__all__ = ["FigureFolder"]


class FigureFolder:
    """Where figures are written to.

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
        """Write a figure as PNG and as PDF.

        Args:
            figure: what to write.
            name: without suffix.

        Returns:
            The PNG file.
        """
        png = self.path / f"{name}.png"
        save_figure(figure, png, self.name_units)
        pdf = png.with_suffix(".pdf")
        save_figure(figure, pdf, self.name_units, "pdf", metadata={"CreationDate": None})
        return png

    def picture(self, figure: Figure, name: str, caption: str, alt: str) -> Picture:
        """The same, and what a report needs to show it.

        Args:
            figure, name: see `save`.
            caption, alt: see `Picture`.

        Returns:
            A wide picture.
        """
        return Picture(self.save(figure, name), caption, alt, wide=True)
