"""Forecasts of particles that come close to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike

from socialmd.plots.style import FORECAST_COLOR, TRUTH_LINE_COLOR, curve_styles, finish_curves

__all__ = ["plot_around_close_approaches", "plot_error_by_closest_approach"]


def plot_error_by_closest_approach(
    ax: Axes,
    distances: ArrayLike,
    errors: Mapping[str, ArrayLike],
    label: str = "median final displacement error (length units)",
    title: str = "Error against closest approach",
    baselines: Sequence[str] = (),
) -> None:
    """One curve per forecast: error of particles by how close they came to another one.

    Args:
        ax: where to draw.
        distances: of the bins, [bins], in units of length.
        errors: name of the forecast -> its error in each bin, [bins].
        label: what to write at the vertical axis, with units.
        title: of the axes.
        baselines: names of simple forecasts, drawn thin and grey; each always in the same way.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> groups = error_by_closest_approach(truth, positions)
        >>> plot_error_by_closest_approach(ax, groups.distances, {"model": groups.median_fde})
    """
    styles = curve_styles(errors, baselines)
    for name, values in errors.items():
        ax.plot(distances, values, marker="o", markersize=4, **styles[name])
    ax.set_xscale("log")
    ax.set_yscale("log")
    finish_curves(ax, "closest approach in the truth (length units)", label, title)


def plot_around_close_approaches(
    ax: Axes,
    offsets: ArrayLike,
    quartiles: ArrayLike,
    control: ArrayLike,
    name: str,
    color: str = FORECAST_COLOR,
    label: str = "length units",
    title: str = "Before and after close approaches",
) -> None:
    """Median of one quantity in a band of its quartiles, and the control's median, dashed.

    Call it once for each quantity: predicted sigma and error in the same axes, say.

    Args:
        ax: where to draw.
        offsets: steps from the closest approach, [K].
        quartiles: lower, median and upper one over the approaches, [3, K].
        control: median of particles that stay away from others, at the same steps ahead, [K].
        name: of the quantity.
        color: of both curves.
        label: what to write at the vertical axis, with units.
        title: of the axes.

    Raises:
        ValueError: quartiles are of another shape.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> around = around_close_approaches(sigma, truth, threshold=0.1, half_width=5)
        >>> quartiles = [around.lower, around.median, around.upper]
        >>> plot_around_close_approaches(ax, around.offsets, quartiles, around.control, "sigma")
    """
    curves, steps = np.asarray(quartiles, float), np.asarray(offsets)
    if curves.shape != (3, len(steps)):
        raise ValueError(f"quartiles: expected shape {(3, len(steps))}, found {curves.shape}")
    lower, median, upper = curves
    ax.fill_between(steps, lower, upper, color=color, alpha=0.15, linewidth=0)
    ax.plot(steps, median, color=color, linewidth=2.2, label=f"{name}: close approaches")
    ax.plot(steps, control, color=color, linewidth=1.5, linestyle="--", label=f"{name}: control")
    ax.axvline(0, color=TRUTH_LINE_COLOR, linewidth=0.8, alpha=0.6)
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    finish_curves(ax, "steps from the closest approach", label, title)
