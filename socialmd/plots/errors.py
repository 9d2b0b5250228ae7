"""Errors of several forecasts, step by step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from socialmd.plots.style import FORECAST_COLOR, REFERENCE_COLORS

__all__ = ["plot_errors"]


def plot_errors(
    ax: Axes,
    errors: Mapping[str, ArrayLike],
    label: str = "mean absolute error (length units)",
    title: str = "Error against steps ahead",
) -> None:
    """One curve per forecast; the first is the model's, drawn in its colour.

    Args:
        ax: where to draw.
        errors: name of the forecast -> its error at each step ahead, [T'].
        label: what to write at the vertical axis, with units.
        title: of the axes.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> plot_errors(ax, {"model": [0.01, 0.02], "constant velocity": [0.01, 0.05]})
    """
    for index, (name, values) in enumerate(errors.items()):
        steps = np.arange(1, len(np.asarray(values)) + 1)
        color = REFERENCE_COLORS[(index - 1) % len(REFERENCE_COLORS)] if index else FORECAST_COLOR
        ax.plot(steps, values, label=name, color=color, linewidth=1.5 if index else 2.4)
    ax.set_yscale("log")
    ax.grid(alpha=0.25)
    ax.set_xlabel("steps ahead")
    ax.set_ylabel(label)
    ax.set_title(title)
    ax.legend(fontsize=8)
