"""What all figures share: colours, and figures without pyplot's global state."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

__all__ = [
    "DENSITY_COLORS",
    "FORECAST_COLOR",
    "PAST_COLOR",
    "REFERENCE_COLORS",
    "TRUTH_COLOR",
    "draw_paths",
    "label_plane",
    "new_figure",
]

# Truth is white and the forecast red over a dark density, as in figure 29 of the thesis.
TRUTH_COLOR = "white"
PAST_COLOR = "#9fb4c7"
FORECAST_COLOR = "#ff4b3e"
REFERENCE_COLORS = ("#5b6b7a", "#2a7f9e", "#e0a030", "#3c8d5a", "#8a6bbf")  # of simple forecasts
DENSITY_COLORS = LinearSegmentedColormap.from_list(
    "density", ["#101820", "#12324a", "#1f6f8b", "#63b7af", "#e9f5db"]
)


def new_figure(width: float, height: float, columns: int = 1) -> tuple[Figure, Any]:
    """A figure and its axes, side by side; the caller saves it.

    Args:
        width: inches.
        height: inches.
        columns: number of axes.

    Returns:
        The figure, and its Axes (one) or an array of them (several).

    Example:
        >>> figure, axes = new_figure(10, 5, columns=2)
        >>> figure.savefig("figure.png")
    """
    figure = Figure(figsize=(width, height), layout="constrained", dpi=150)
    return figure, figure.subplots(1, columns)


def draw_paths(
    ax: Axes, positions: ArrayLike, color: str, width: float = 1.2, fade: bool = False
) -> None:
    """One line per particle; with `fade`, transparent at its start.

    Args:
        ax: where to draw.
        positions: [frames, N, 2].
        color: of the lines.
        width: of the lines, in points.
        fade: whether lines show the direction of time.
    """
    paths = np.swapaxes(np.asarray(positions, float), 0, 1)  # [N, frames, 2]
    segments = np.stack([paths[:, :-1], paths[:, 1:]], axis=2)  # [N, frames - 1, 2, 2]
    count = segments.shape[1]
    colors = np.tile(to_rgba(color), (count, 1))
    if fade:
        colors[:, 3] = np.linspace(0.15, 1.0, count)
    ax.add_collection(
        LineCollection(
            list(segments.reshape(-1, 2, 2)),
            colors=np.tile(colors, (len(paths), 1)),
            linewidths=width,
            capstyle="round",
        )
    )


def label_plane(ax: Axes) -> None:
    """Equal axes in the x-y plane, labelled."""
    ax.set_aspect("equal")
    ax.set_xlabel("x (length units)")
    ax.set_ylabel("y (length units)")
