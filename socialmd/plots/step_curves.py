"""Errors of forecasts, and how often the truth lies in predicted regions, by steps ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from socialmd.plots.style import (
    NOMINAL_COLOR,
    curve_styles,
    finish_curves,
    finish_steps,
    plot_steps,
)

__all__ = ["plot_coverage", "plot_errors"]

LEVEL_STYLES = (":", "--", "-", "-.")


def plot_errors(
    ax: Axes,
    errors: Mapping[str, ArrayLike],
    label: str = "mean absolute error (length units)",
    title: str = "Error against steps ahead",
    baselines: Sequence[str] = (),
    spread: Mapping[str, ArrayLike] | None = None,
) -> None:
    """One curve per forecast; the first is the model's, drawn in its colour.

    Args:
        ax, title: axes, and what is written above them.
        errors: name of the forecast -> its error at each step ahead, [T'].
        label: what to write at the vertical axis, with units.
        baselines: names of simple forecasts, drawn thin and grey; each always in the same way.
        spread: name -> lower and upper end of a band around its curve, [2, T'], quartiles over
            systems, say.

    Raises:
        ValueError: a band is of another shape or belongs to no curve.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> errors = {"model": [0.01, 0.02], "constant velocity": [0.01, 0.05]}
        >>> plot_errors(ax, errors, baselines=["constant velocity"])
    """
    styles = curve_styles(errors, baselines)
    for name, values in errors.items():
        plot_steps(ax, values, **styles[name])
    for name, ends in (spread or {}).items():
        if name not in errors:
            raise ValueError(f"spread: expected names of {sorted(errors)}, found {name!r}")
        lower_upper, shape = np.asarray(ends, float), (2, np.size(errors[name]))
        if lower_upper.shape != shape:
            raise ValueError(f"spread: expected shape {shape}, found {lower_upper.shape} ({name})")
        color = styles[name]["color"]
        ax.fill_between(np.arange(1, shape[1] + 1), *lower_upper, color=color, alpha=0.15, lw=0)
    ax.set_yscale("log")
    finish_curves(ax, "steps ahead", label, title)


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
    lines = [LEVEL_STYLES[index % len(LEVEL_STYLES)] for index in range(len(levels))]
    styles = curve_styles(coverage_by_name)
    for name, values in coverage_by_name.items():
        coverage = np.asarray(values, float)
        if coverage.ndim != 2 or len(coverage) != len(levels):
            raise ValueError(
                f"{name}: expected coverage [levels = {len(levels)}, steps], found shape "
                f"{coverage.shape}"
            )
        style = {**styles[name], "linewidth": 1.8}
        for row, line in zip(coverage, lines, strict=True):
            plot_steps(ax, 100 * row, **{**style, "linestyle": line, "label": None})
        ax.plot([], [], **style)  # for the legend
    for level, line in zip(levels, lines, strict=True):
        label = f"nominal {level:.0%}"
        ax.axhline(100 * level, color=NOMINAL_COLOR, linestyle=line, linewidth=0.9, label=label)
    ax.set_ylim(0, 100)
    finish_steps(ax, "truth inside the region (%)", "Coverage of highest-density regions")
    ax.legend(fontsize=8, ncols=2)
