"""Errors of several forecasts, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from socialmd.plots.style import curve_styles, finish_curves

__all__ = ["plot_errors"]


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
        ax: where to draw.
        errors: name of the forecast -> its error at each step ahead, [T'].
        label: what to write at the vertical axis, with units.
        title: of the axes.
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
        ax.plot(np.arange(1, len(np.asarray(values)) + 1), values, **styles[name])
    for name, ends in (spread or {}).items():
        if name not in errors:
            raise ValueError(f"spread: expected names of {sorted(errors)}, found {name!r}")
        lower_upper, shape = np.asarray(ends, float), (2, len(np.asarray(errors[name])))
        if lower_upper.shape != shape:
            raise ValueError(f"spread: expected shape {shape}, found {lower_upper.shape} ({name})")
        color = styles[name]["color"]
        ax.fill_between(np.arange(1, shape[1] + 1), *lower_upper, color=color, alpha=0.15, lw=0)
    ax.set_yscale("log")
    finish_curves(ax, "steps ahead", label, title)
