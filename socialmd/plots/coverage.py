"""Coverage of predicted regions by steps ahead: how often the truth lies within them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from socialmd.plots.style import NOMINAL_COLOR, curve_styles, finish_steps

__all__ = ["plot_coverage"]

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
        steps = np.arange(1, coverage.shape[1] + 1)
        for row, line in zip(coverage, lines, strict=True):
            ax.plot(steps, 100 * row, **{**style, "linestyle": line, "label": None})
        ax.plot([], [], **style)  # for the legend
    for level, line in zip(levels, lines, strict=True):
        label = f"nominal {level:.0%}"
        ax.axhline(100 * level, color=NOMINAL_COLOR, linestyle=line, linewidth=0.9, label=label)
    ax.set_ylim(0, 100)
    title = "Coverage of highest-density regions"
    finish_steps(ax, "truth inside the region (%)", title)
    ax.legend(fontsize=8, ncols=2)
