"""A forecast over the truth, as in figure 29 of the thesis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from socialmd.plots.style import (
    DENSITY_COLORS,
    FORECAST_COLOR,
    PAST_COLOR,
    TRUTH_COLOR,
    draw_paths,
    label_plane,
    number_particles,
)

__all__ = ["add_legend", "plot_forecast"]


def plot_forecast(
    ax: Axes,
    past: ArrayLike,
    truth: ArrayLike | None,
    forecast: ArrayLike,
    density: ArrayLike | None = None,
    extent: tuple[float, float, float, float] | None = None,
    title: str = "Forecast",
    legend: bool = True,
) -> None:
    """Forecast in red over the truth in white, on the predicted density as a colour gradient.

    Each particle's number stands where truth and forecast end.

    Args:
        ax: where to draw.
        past: positions that the model was given, [T, N, 2], in units of length.
        truth: positions that followed, [T', N, 2], if they are known.
        forecast: predicted mean positions, [T', N, 2].
        density: predicted density of particles, averaged over the steps, [rows along y, columns
            along x], per unit of area; the colours follow its fourth root, because densities span
            orders of magnitude.
        extent: x_min, x_max, y_min, y_max of the density and of what is shown.
        title: of the axes.
        legend: whether to say which line is which.

    Example:
        >>> figure, ax = new_figure(5, 5)
        >>> plot_forecast(ax, inputs[0, ..., :2], targets[0], positions[0])
    """
    past, forecast = np.asarray(past, float), np.asarray(forecast, float)
    ax.set_facecolor(DENSITY_COLORS(0.0))
    if density is not None:
        ax.imshow(
            np.asarray(density) ** 0.25,
            origin="lower",
            extent=extent,
            cmap=DENSITY_COLORS,
            interpolation="bilinear",
        )
    draw_paths(ax, past, PAST_COLOR, width=1.0)
    if truth is not None:
        draw_paths(ax, np.concatenate([past[-1:], np.asarray(truth, float)]), TRUTH_COLOR, 1.6)
    draw_paths(ax, np.concatenate([past[-1:], forecast]), FORECAST_COLOR, 1.1)
    x, y = past[-1].T
    ax.scatter(x, y, color=PAST_COLOR, s=9, zorder=3)
    number_particles(ax, forecast[-1], FORECAST_COLOR)
    if truth is not None:
        number_particles(ax, np.asarray(truth, float)[-1], TRUTH_COLOR)
    label_plane(ax)
    if extent is None:
        ax.autoscale_view()
    else:
        ax.set_xlim(extent[:2])
        ax.set_ylim(extent[2:])
    ax.set_title(title)
    if legend:
        add_legend(ax, ("given", "forecast") if truth is None else ("given", "truth", "forecast"))


def add_legend(where: Axes | Figure, names: Sequence[str]) -> None:
    """Say which colour is which, on the dark ground.

    Args:
        where: axes, or a figure, which gets one for all of its axes below them.
        names: some of `"given"`, `"truth"` and `"forecast"`.
    """
    below = isinstance(where, Figure)
    colors = {"given": PAST_COLOR, "truth": TRUTH_COLOR, "forecast": FORECAST_COLOR}
    where.legend(
        handles=[Line2D([], [], color=colors[name], label=name, linewidth=2) for name in names],
        loc="outside lower center" if below else "upper right",
        ncols=len(names) if below else 1,
        fontsize=8,
        facecolor=DENSITY_COLORS(0.0),
        framealpha=1.0 if below else None,
        labelcolor="white",
    )
