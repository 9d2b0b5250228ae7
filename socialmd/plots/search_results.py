"""Results of a hyperparameter search, as in figure 20 of the thesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

from socialmd.plots.style import DENSITY_COLORS, FORECAST_COLOR, REFERENCE_COLORS, finish_curves

__all__ = ["plot_importances", "plot_loss_surface", "plot_search_progress"]

LOSS = "validation NLL (nats per particle and step)"
LOG_FROM = 20.0  # ratio of largest to smallest value from which an axis is logarithmic
NUM_CELLS = 60  # along each axis of a surface
WIDTH = 0.1  # of the Gaussian that smooths it, as a part of each axis


def plot_search_progress(ax: Axes, losses: Sequence[float | None]) -> None:
    """Losses of the trials in the order in which they began, and the smallest so far.

    The vertical axis ends at the median loss plus three times its distance from the smallest;
    triangles at its end stand for trials beyond.

    Args:
        ax: where to draw.
        losses: of each trial; nothing for one that has failed, drawn as a cross.

    Raises:
        ValueError: all have failed.

    Example:
        >>> figure, ax = new_figure(8, 4)
        >>> plot_search_progress(ax, [0.7, None, 0.2, 0.4])
    """
    numbers = np.arange(1, len(losses) + 1)
    values = np.array([np.nan if loss is None else loss for loss in losses])
    failed = np.isnan(values)
    if failed.all():
        raise ValueError("losses: expected a trial that has not failed, found none")
    low, middle = np.nanmin(values), np.nanmedian(values)
    high = middle + 3 * max(middle - low, 1e-3)
    beyond = ~failed & (values > high)
    shown = ~failed & ~beyond
    ax.plot(numbers[shown], values[shown], "o", color=REFERENCE_COLORS[0], label="trial")
    best = np.fmin.accumulate(values)
    ax.step(numbers, best, where="post", color=FORECAST_COLOR, linewidth=2.2, label="best so far")
    for mask, marker, label in ((beyond, "^", "beyond"), (failed, "x", "failed")):
        if mask.any():
            look: dict[str, Any] = {"color": REFERENCE_COLORS[2], "label": label, "clip_on": False}
            ax.plot(numbers[mask], np.full(mask.sum(), high), marker, **look)
    ax.set_ylim(low - 0.06 * (high - low), high)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    finish_curves(ax, "trial", LOSS, "")


def plot_importances(ax: Axes, importances: Mapping[str, float]) -> None:
    """How much of the differences between trials each hyperparameter explains.

    Args:
        ax: where to draw.
        importances: fractions by name; the first is drawn on top.

    Example:
        >>> plot_importances(ax, {"training.learning_rate": 0.7, "model.units": 0.3})
    """
    names = list(importances)
    ax.barh(names, [100 * importances[name] for name in names], color=REFERENCE_COLORS[1])
    ax.invert_yaxis()
    ax.grid(alpha=0.25, axis="x")
    ax.set_xlabel("importance for a trial's rank (%, functional ANOVA)")


def plot_loss_surface(
    ax: Axes,
    first: Sequence[Any],
    second: Sequence[Any],
    losses: Sequence[float],
    first_name: str,
    second_name: str,
) -> None:
    """Loss over a pair of hyperparameters: a dot for each trial, and how losses are around it.

    The ground is the mean of the trials nearby, weighted by a Gaussian of a tenth of each axis, and
    empty where there are none: all other hyperparameters differ from dot to dot, so single losses
    say little. Losses count, and colours go, as far as the median loss plus its distance from the
    smallest. A ring marks the best trial.

    Args:
        ax: where to draw.
        first, second: values of the two hyperparameters, numbers or not, for each trial.
        losses: of the trials.
        first_name, second_name: of the hyperparameters.

    Raises:
        ValueError: there are not as many values of each.

    Example:
        >>> losses = [0.4, 0.3, 0.1]
        >>> plot_loss_surface(ax, [16, 32, 64], [1e-3, 1e-2, 2e-3], losses, "units", "rate")
    """
    values = np.asarray(losses, float)
    if not len(first) == len(second) == len(values) > 0:
        raise ValueError(
            "losses: expected one for each value of both hyperparameters, found "
            f"{len(first)}, {len(second)} and {len(values)}"
        )
    low, high = values.min(), 2 * np.median(values) - values.min()
    shown = np.minimum(values, high)
    colors = {"cmap": DENSITY_COLORS.reversed(), "vmin": low, "vmax": max(high, low + 1e-6)}
    x, y = _place(ax, "x", first, first_name), _place(ax, "y", second, second_name)
    is_log = [scale == "log" for scale in (ax.get_xscale(), ax.get_yscale())]
    columns = [np.log(at) if log else at for at, log in zip((x, y), is_log, strict=True)]
    edges = [_edges(column) for column in columns]
    corners = [np.exp(each) if log else each for each, log in zip(edges, is_log, strict=True)]
    ax.pcolormesh(*corners, _smooth(columns, edges, shown), alpha=0.8, zorder=0, **colors)
    points = ax.scatter(x, y, c=shown, s=28, edgecolors="white", linewidths=0.8, **colors)
    best = values.argmin()
    ax.plot(x[best], y[best], "o", markersize=12, fillstyle="none", color=FORECAST_COLOR)
    ax.figure.colorbar(points, ax=ax, label="validation NLL", extend="max")


def _place(ax: Axes, axis: str, values: Sequence[Any], name: str) -> NDArray[np.float64]:
    """Coordinates of values along an axis, which gets its ticks and its name."""
    getattr(ax, f"set_{axis}label")(name)
    if any(isinstance(value, str | bool) for value in values):
        kinds = sorted({str(value) for value in values})
        getattr(ax, f"set_{axis}ticks")(range(len(kinds)), kinds)
        return np.array([kinds.index(str(value)) for value in values], float)
    numbers = np.asarray(values, float)
    if numbers.min() > 0 and numbers.max() / numbers.min() >= LOG_FROM:
        getattr(ax, f"set_{axis}scale")("log")
    elif all(isinstance(value, int) for value in values) and len(set(values)) <= 8:
        getattr(ax, f"set_{axis}ticks")(sorted(set(values)))
        getattr(ax, f"{axis}axis").set_minor_locator(NullLocator())
    return numbers


def _edges(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of cells that divide an axis evenly, a little beyond the values."""
    margin = 0.08 * (np.ptp(column) or 1.0)
    return np.linspace(column.min() - margin, column.max() + margin, NUM_CELLS + 1)


def _smooth(
    columns: list[NDArray[np.float64]],
    edges: list[NDArray[np.float64]],
    losses: NDArray[np.float64],
) -> np.ma.MaskedArray[Any, Any]:
    """Weighted mean of the losses at each cell [y, x]; masked where all trials are far away."""
    squares = [
        (((ends[1:] + ends[:-1])[:, None] / 2 - column) / (WIDTH * (ends[-1] - ends[0]))) ** 2
        for column, ends in zip(columns, edges, strict=True)
    ]
    weights = np.exp(-0.5 * (squares[0][None] + squares[1][:, None]))  # [y, x, trials]
    total = weights.sum(axis=-1)
    return np.ma.array(weights @ losses / np.maximum(total, 1e-300), mask=total < 0.1)
