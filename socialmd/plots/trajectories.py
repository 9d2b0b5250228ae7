"""Simulated trajectories, as in figure 22 of the thesis."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from numpy.typing import ArrayLike

from socialmd.plots.style import draw_paths, label_plane

__all__ = ["plot_trajectories"]


def plot_trajectories(ax: Axes, positions: ArrayLike, title: str = "Trajectories") -> None:
    """Each particle's path in a colour of its own, fading in with time; a dot where it ends.

    Args:
        ax: where to draw.
        positions: [frames, N, 2], in units of length.
        title: of the axes.

    Example:
        >>> figure, ax = new_figure(6, 6)
        >>> plot_trajectories(ax, frames[:, :, :2])
    """
    positions = np.asarray(positions, float)
    num_particles = positions.shape[1]
    hues = matplotlib.colormaps["turbo"](np.linspace(0.05, 0.95, num_particles))
    for particle, hue in enumerate(hues):
        draw_paths(ax, positions[:, particle : particle + 1], to_hex(hue), fade=True)
    x, y = positions[-1].T
    ax.scatter(x, y, c=hues, s=18, zorder=3, edgecolors="black", linewidths=0.4)
    ax.autoscale_view()
    label_plane(ax)
    ax.set_title(title)
