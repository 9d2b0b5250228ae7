"""Whether forecast probabilities come true: coverage, PIT histograms, spread against error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from socialmd.plots.style import FORECAST_COLOR, REFERENCE_COLORS

__all__ = ["plot_coverage", "plot_pit", "plot_spread", "plot_spread_skill"]

NOMINAL_COLOR = REFERENCE_COLORS[0]
LEVEL_STYLES = (":", "--", "-", "-.")


def plot_coverage(
    ax: Axes, coverage_by_name: Mapping[str, ArrayLike], levels: Sequence[float]
) -> None:
    """Observed coverage of highest-density regions against steps ahead.

    Each level has a line style and each forecast a colour; the nominal level is a thin grey line.

    Args:
        ax: where to draw.
        coverage_by_name: name of the forecast -> fractions [levels, T']; the first is drawn in the
            model's colour.
        levels: nominal probabilities of the regions.

    Raises:
        ValueError: a coverage is not of that shape.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> plot_coverage(ax, {"model": [[0.48, 0.4], [0.93, 0.9]]}, [0.5, 0.95])
    """
    styles = [LEVEL_STYLES[index % len(LEVEL_STYLES)] for index in range(len(levels))]
    for index, (name, values) in enumerate(coverage_by_name.items()):
        coverage = np.asarray(values, float)
        if coverage.ndim != 2 or len(coverage) != len(levels):
            raise ValueError(
                f"{name}: expected coverage [levels = {len(levels)}, steps], found shape "
                f"{coverage.shape}"
            )
        color = _color(index)
        for row, style in zip(coverage, styles, strict=True):
            ax.plot(_steps(row), 100 * row, color=color, linestyle=style, linewidth=1.8)
        ax.plot([], [], color=color, linewidth=1.8, label=name)  # for the legend
    for level, style in zip(levels, styles, strict=True):
        label = f"nominal {level:.0%}"
        ax.axhline(100 * level, color=NOMINAL_COLOR, linestyle=style, linewidth=0.9, label=label)
    ax.set_ylim(0, 100)
    ax.set_ylabel("truth inside the region (%)")
    ax.set_title("Coverage of highest-density regions")
    _finish_steps(ax, legend_columns=2)


def plot_pit(ax: Axes, histograms: Mapping[str, ArrayLike]) -> None:
    """Histograms of the probability integral transform, relative to the uniform one of a
    calibrated forecast, which is dashed. U-shaped if overconfident, a hump if underconfident.

    Args:
        ax: where to draw.
        histograms: name of the forecast -> fractions in equal bins of [0, 1], [bins]; the first is
            drawn in the model's colour.

    Raises:
        ValueError: a histogram is not of that shape.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> plot_pit(ax, {"model": [0.3, 0.2, 0.2, 0.3]})
    """
    for index, (name, values) in enumerate(histograms.items()):
        fractions = np.asarray(values, float)
        if fractions.ndim != 1 or fractions.size == 0:
            raise ValueError(f"{name}: expected fractions [bins], found shape {fractions.shape}")
        edges = np.linspace(0, 1, len(fractions) + 1)
        ax.stairs(
            fractions * len(fractions),
            edges,
            baseline=None,
            color=_color(index),
            linewidth=1.8,
            label=name,
        )
    ax.axhline(1.0, color=NOMINAL_COLOR, linestyle="--", linewidth=1.0, label="calibrated")
    ax.set_xlim(0, 1)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("F(truth), forecast probability of a smaller coordinate")
    ax.set_ylabel("relative frequency (uniform = 1)")
    ax.set_title("Probability integral transform")
    ax.grid(alpha=0.25)
    ax.legend(fontsize=8)


def plot_spread(ax: Axes, spread: Mapping[str, ArrayLike], error: Mapping[str, ArrayLike]) -> None:
    """Predicted standard deviation (dashed) against the error that occurred (solid), step by step.

    Args:
        ax: where to draw.
        spread: name of the forecast -> predicted standard deviation per coordinate, [T'], in units
            of length; the first is drawn in the model's colour.
        error: the same names -> error per coordinate, [T'], comparable to it.

    Raises:
        ValueError: names differ.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> plot_spread(ax, {"model": [0.01, 0.02]}, {"model": [0.01, 0.03]})
    """
    if spread.keys() != error.keys():
        raise ValueError(f"error: expected names {list(spread)}, found {list(error)}")
    for index, name in enumerate(spread):
        sigmas, errors = np.asarray(spread[name], float), np.asarray(error[name], float)
        color = _color(index)
        ax.plot(_steps(errors), errors, color=color, linewidth=1.8, label=f"{name}, error")
        ax.plot(
            _steps(sigmas),
            sigmas,
            color=color,
            linewidth=1.8,
            linestyle="--",
            label=f"{name}, predicted sigma",
        )
    ax.set_yscale("log")
    ax.set_ylabel("per coordinate (length units)")
    ax.set_title("Predicted spread and actual error")
    _finish_steps(ax)


def plot_spread_skill(ax: Axes, ratio_by_name: Mapping[str, ArrayLike]) -> None:
    """Spread of sampled futures by error of their mean, step by step; one if they are calibrated.

    Args:
        ax: where to draw.
        ratio_by_name: name of the forecast -> ratio, [T'] (see `SampleMetrics`); the first is drawn
            in the model's colour.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> plot_spread_skill(ax, {"model": [1.0, 1.2]})
    """
    for index, (name, values) in enumerate(ratio_by_name.items()):
        ratios = np.asarray(values, float)
        ax.plot(_steps(ratios), ratios, color=_color(index), linewidth=1.8, label=name)
    ax.axhline(1.0, color=NOMINAL_COLOR, linestyle="--", linewidth=1.0, label="calibrated")
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.75), max(high, 1.6))  # small deviations look small, and have ticks
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 1.2, 1.5, 2, 3, 5, 8)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylabel("standard deviation of futures / error of their mean")
    ax.set_title("Spread of sampled futures")
    _finish_steps(ax)


def _color(index: int) -> str:
    others = REFERENCE_COLORS[1:]  # the first one is that of nominal values
    return others[(index - 1) % len(others)] if index else FORECAST_COLOR


def _steps(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.arange(1, len(values) + 1)


def _finish_steps(ax: Axes, legend_columns: int = 1) -> None:
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("steps ahead")
    ax.grid(alpha=0.25)
    ax.legend(fontsize=8, ncols=legend_columns)
