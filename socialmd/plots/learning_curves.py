"""Learning curves of several networks, as in figures 26 and 27 of the thesis."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from socialmd.plots.style import FORECAST_COLOR, REFERENCE_COLORS

__all__ = ["plot_learning_curves"]


def plot_learning_curves(
    ax: Axes,
    curves: Mapping[str, ArrayLike],
    label: str,
    baselines: Mapping[str, float] | None = None,
) -> None:
    """One quantity by epoch: a thin line for each seed and a thick one for the mean of the seeds.

    Args:
        ax: where to draw.
        curves: name of the network -> [seeds, epochs]; the first is drawn in the model's colour.
        label: what to write at the vertical axis, with units.
        baselines: name -> value that does not depend on the epoch, drawn as a horizontal line.

    Raises:
        ValueError: a curve is not of that shape.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> curves = {"stacked": [[2.0, 1.0], [2.2, 0.9]], "mono-grid": [[2.5, 1.5]]}
        >>> plot_learning_curves(ax, curves, "validation NLL (nats)")
    """
    colors = cycle(REFERENCE_COLORS[1:])  # the first one is for baselines
    for index, (name, values) in enumerate(curves.items()):
        losses = np.asarray(values, float)  # [seeds, epochs]
        if losses.ndim != 2 or losses.size == 0:
            raise ValueError(f"{name}: expected curves [seeds, epochs], found shape {losses.shape}")
        color = next(colors) if index else FORECAST_COLOR
        epochs = np.arange(1, losses.shape[1] + 1)
        ax.plot(epochs, losses.T, color=color, linewidth=0.7, alpha=0.6)
        mean = losses.mean(axis=0)
        ax.plot(epochs, mean, color=color, linewidth=2.2, marker=".", label=name)
    for name, value in (baselines or {}).items():
        ax.axhline(value, color=REFERENCE_COLORS[0], linestyle="--", linewidth=1.2, label=name)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("epoch")
    ax.set_ylabel(label)
    ax.grid(alpha=0.25)
    ax.legend(fontsize=8, title="seeds thin, their mean thick", title_fontsize=8)
