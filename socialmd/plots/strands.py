"""Particles on strands from a core."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from socialmd.plots.style import (
    DENSITY_COLORS,
    FORECAST_COLOR,
    PAST_COLOR,
    TRUTH_COLOR,
    label_plane,
)

__all__ = ["plot_strands"]

NUM_COILS = 7
SPREAD = 0.012  # of coils, by the extent of all particles


def plot_strands(
    ax: Axes,
    anchors: ArrayLike,
    truth: ArrayLike,
    forecast: ArrayLike,
    title: str = "Strands",
) -> None:
    """Springs from anchors to particles: forecast in red, truth in white (thesis, figure 35).

    Args:
        ax, title: axes, and what is written above them.
        anchors, truth, forecast: [N, 2] each; of three coordinates, two.

    Example:
        >>> figure, ax = new_figure(5, 5)
        >>> plot_strands(ax, anchors, positions[-1], predicted[-1])
    """
    ax.set_facecolor(DENSITY_COLORS(0.0))
    feet = np.asarray(anchors, float)
    extent = float(np.ptp(np.asarray(truth, float), axis=0).max())
    for positions, color, width in ((truth, TRUTH_COLOR, 1.4), (forecast, FORECAST_COLOR, 0.9)):
        ends = np.asarray(positions, float)
        for foot, end in zip(feet, ends, strict=True):
            ax.plot(*_coil(foot, end, SPREAD * extent).T, color=color, linewidth=width, alpha=0.8)
        x, y = ends.T
        ax.scatter(x, y, color=color, s=22 * width, zorder=3)
    x, y = feet.T
    ax.scatter(x, y, color=PAST_COLOR, s=14, marker="s", zorder=4)
    label_plane(ax)
    ax.set_title(title)


def _coil(start: ArrayLike, end: ArrayLike, spread: float) -> np.ndarray:
    """A zigzag from one point to another, [points, 2]."""
    first, last = np.asarray(start, float), np.asarray(end, float)
    along = np.linspace(0.0, 1.0, 2 * NUM_COILS + 3)
    sideways = np.zeros_like(along)
    sideways[1:-1] = spread * np.where(np.arange(2 * NUM_COILS + 1) % 2, 1.0, -1.0)
    way = last - first
    normal = np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1e-9)
    return np.asarray(first + along[:, None] * way + sideways[:, None] * normal)
