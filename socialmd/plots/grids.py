"""Stacked state pooling around one particle, as in figure 8 of the thesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from socialmd.plots.style import DENSITY_COLORS, FORECAST_COLOR, REFERENCE_COLORS, TRUTH_LINE_COLOR

__all__ = ["plot_stacked_grids"]

MARGIN = 1.03  # of what is shown beyond a grid
CELL_LINE_COLOR = "#e3e8ec"
NEIGHBOUR_COLOR = REFERENCE_COLORS[2]


def plot_stacked_grids(
    axes: Sequence[Axes],
    offsets: ArrayLike,
    counts: ArrayLike,
    grid_sizes: Sequence[float],
    distance_filter: bool = True,
) -> AxesImage:
    """The grids that are pooled around one particle, each in axes of its own.

    Occupied cells are coloured by how many neighbours fall into them. The circle is that of the
    distance filter, beyond which neighbours do not count; the dashed square is the next grid.

    Args:
        axes: S of them.
        offsets: x_j - x_i of the neighbours, [J, 2], in units of length.
        counts: neighbours in each cell, [S, G, G], first cell axis along x, as
            `socialmd.layers.StackedStatePooling` has it.
        grid_sizes: side lengths w_1..w_S, in units of length.
        distance_filter: whether grids are cut to their inscribed circles.

    Returns:
        The last image, for a colour bar. What is drawn upon the axes has labels for a legend.

    Raises:
        ValueError: axes, counts and sizes are not equally many, or every cell is empty.

    Example:
        >>> figure, axes = new_figure(8, 4, columns=2)
        >>> image = plot_stacked_grids(axes, [[0.3, -1.2]], counts, [4.0, 2.0])
        >>> figure.colorbar(image, ax=axes, label="neighbours in a cell")
    """
    cells, neighbours = np.asarray(counts), np.asarray(offsets, float)
    if cells.ndim != 3 or not len(axes) == len(cells) == len(grid_sizes):
        raise ValueError(
            f"counts: expected [S, G, G] for {len(axes)} axes and {len(grid_sizes)} sizes, found "
            f"shape {cells.shape}"
        )
    if not cells.any():
        raise ValueError("counts: expected a neighbour in some cell, found none")
    most = int(cells.max())
    colors = ListedColormap(DENSITY_COLORS(np.linspace(0.75, 0.2, most)))
    shades = BoundaryNorm(np.arange(0.5, most + 1), most)
    x, y = neighbours.T
    for ax, grid, side in zip(axes, cells, grid_sizes, strict=True):
        half = side / 2
        image = ax.imshow(
            np.ma.masked_equal(grid.T, 0),  # rows of a picture lie along y
            origin="lower",
            extent=(-half, half, -half, half),
            cmap=colors,
            norm=shades,
            interpolation="none",
        )
        _draw_lines(ax, len(grid), side, grid_sizes, distance_filter)
        edges: dict[str, Any] = {"edgecolors": TRUTH_LINE_COLOR, "linewidths": 0.6}
        ax.scatter(x, y, s=9, c=NEIGHBOUR_COLOR, label="neighbours", zorder=3, **edges)
        ax.scatter(0, 0, s=70, c=FORECAST_COLOR, marker="X", label="particle", zorder=4, **edges)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(5, symmetric=True))
        limits = (-MARGIN * half, MARGIN * half)
        labels = {f"{axis}label": f"{axis} from the particle (length units)" for axis in "xy"}
        title = f"Side {side:g}: {int(grid.sum())} of {len(neighbours)} neighbours"
        ax.set(xlim=limits, ylim=limits, title=title, **labels)
    return image


def _draw_lines(
    ax: Axes, num_cells: int, side: float, grid_sizes: Sequence[float], distance_filter: bool
) -> None:
    """Cells, the filter's circle, and the next smaller grid if there is one."""
    half = side / 2
    lines = np.linspace(-half, half, num_cells + 1)
    for draw in (ax.hlines, ax.vlines):
        draw(lines, -half, half, color=CELL_LINE_COLOR, linewidth=0.4, zorder=0)
    if distance_filter:
        angles = np.linspace(0, 2 * np.pi, 181)
        circle = half * np.cos(angles), half * np.sin(angles)
        ax.plot(*circle, color=TRUTH_LINE_COLOR, linewidth=1.4, label="distance filter")
    smaller = max((other for other in grid_sizes if other < side), default=None)
    if smaller is not None:
        square = np.array([[-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1]]) * smaller / 2
        ax.plot(*square, color=TRUTH_LINE_COLOR, linewidth=1.0, linestyle="--", label="next grid")
