"""One configuration as it became and as it was forecast, as in figure 21 of the thesis."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from socialmd.plots.style import FORECAST_COLOR, PAST_COLOR, TRUTH_LINE_COLOR, label_plane

__all__ = ["plot_configuration"]


def plot_configuration(
    ax: Axes,
    last: ArrayLike,
    truth: ArrayLike,
    forecast: ArrayLike,
    half: float,
    title: str,
    unit: str = "length units",
) -> None:
    """Where the particles were, are and were said to be.

    Args:
        ax: where to draw.
        last: positions in the last given frame, [N, 2].
        truth: positions at one step ahead, [N, 2].
        forecast: likewise.
        half: half the side of the square that is shown.
        title: of the axes.
        unit: of length.

    Example:
        >>> figure, ax = new_figure(4, 4)
        >>> plot_configuration(ax, inputs[0, -1, :, :2], truth[0, -1], forecast[0, -1], 40.0, "End")
    """
    start, end, said = (np.asarray(each, float) for each in (last, truth, forecast))
    for x, y in zip(end, said, strict=True):  # which one was meant
        ax.plot(*np.stack([x, y]).T, color=FORECAST_COLOR, alpha=0.25, linewidth=0.8, zorder=1)
    for positions, label, size, color in (
        (start, "last given", 14, PAST_COLOR),
        (end, "truth", 26, TRUTH_LINE_COLOR),
        (said, "forecast", 14, FORECAST_COLOR),
    ):
        face = "none" if label == "truth" else color  # a ring, in which a good forecast lies
        x, y = positions.T
        ax.scatter(x, y, s=size, label=label, facecolors=face, edgecolors=color, zorder=2)
    ax.set(xlim=(-half, half), ylim=(-half, half), title=title)
    label_plane(ax, unit)
