"""Particles that point somewhere, as sticks."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from socialmd.plots.style import DENSITY_COLORS, FORECAST_COLOR, TRUTH_COLOR, label_plane

__all__ = ["plot_poses"]

LENGTH = 0.06  # of a stick, by the extent of all particles


def plot_poses(
    ax: Axes,
    truth: tuple[ArrayLike, ArrayLike],
    forecast: tuple[ArrayLike, ArrayLike],
    title: str = "Poses",
) -> None:
    """Places as dots, and orientations as sticks from them: forecast in red, truth in white.

    Args:
        ax, title: axes, and what is written above them.
        truth, forecast: positions and unit vectors, [N, 2] each; of three coordinates, two.

    Example:
        >>> figure, ax = new_figure(5, 5)
        >>> plot_poses(ax, (positions, orientations), (predicted_positions, predicted_orientations))
    """
    ax.set_facecolor(DENSITY_COLORS(0.0))
    extent = float(np.ptp(np.asarray(truth[0], float), axis=0).max())
    for (positions, orientations), color, width in (
        (truth, TRUTH_COLOR, 3.0),
        (forecast, FORECAST_COLOR, 1.4),
    ):
        starts = np.asarray(positions, float)
        ends = starts + LENGTH * extent * np.asarray(orientations, float)
        for start, end in zip(starts, ends, strict=True):
            ax.plot(*np.stack([start, end], axis=1), color=color, linewidth=width)
        x, y = starts.T
        ax.scatter(x, y, color=color, s=4 * width, zorder=3)
    label_plane(ax)
    ax.set_title(title)
