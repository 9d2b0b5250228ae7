"""The style of all figures: colours, and figures without pyplot's global state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike

__all__ = [
    "DENSITY_COLORS",
    "FORECAST_COLOR",
    "NOMINAL_COLOR",
    "PAST_COLOR",
    "REFERENCE_COLORS",
    "TRUTH_COLOR",
    "TRUTH_LINE_COLOR",
    "curve_styles",
    "draw_paths",
    "finish_curves",
    "finish_steps",
    "label_plainly",
    "label_plane",
    "new_figure",
    "new_row",
    "number_particles",
    "plot_steps",
    "shade_error",
]

# Truth is white and the forecast red over a dark density, as in figure 29 of the thesis.
TRUTH_COLOR = "white"
TRUTH_LINE_COLOR = "#101820"  # on white ground
PAST_COLOR = "#9fb4c7"
FORECAST_COLOR = "#ff4b3e"
REFERENCE_COLORS = ("#5b6b7a", "#2a7f9e", "#e0a030", "#3c8d5a", "#8a6bbf")  # of simple forecasts
NOMINAL_COLOR = REFERENCE_COLORS[0]  # of what a perfect forecast would have
# Greys tell baselines from trained models; line styles tell them from each other.
BASELINE_STYLES = (
    ("#5b6b7a", "-"),
    ("#5b6b7a", "--"),
    ("#9aa5ae", "-"),
    ("#9aa5ae", "--"),
    ("#5b6b7a", ":"),
)
DENSITY_COLORS = LinearSegmentedColormap.from_list(
    "density", ["#101820", "#12324a", "#1f6f8b", "#63b7af", "#e9f5db"]
)


def new_figure(
    width: float, height: float, columns: int = 1, rows: int = 1, of_planes: bool = False
) -> tuple[Figure, Any]:
    """A figure and its axes, side by side; the caller saves it.

    Args:
        width, height: in inches.
        columns, rows: of axes.
        of_planes: whether all axes will have equal scales in x and y, so that they cannot fill
            whatever room there is.

    Returns:
        The figure, and its Axes (one) or an array of them (several).

    Example:
        >>> figure, axes = new_figure(10, 5, columns=2)
        >>> figure.savefig("figure.png")
    """
    layout: Literal["compressed", "constrained"] = "compressed" if of_planes else "constrained"
    figure = Figure(figsize=(width, height), layout=layout, dpi=150)
    return figure, figure.subplots(rows, columns)


def new_row(columns: int = 2) -> tuple[Figure, Sequence[Axes]]:
    """The same for axes of one size, side by side in a report."""
    figure, axes = new_figure(5.5 * columns, 4.4, columns)
    return figure, list(np.atleast_1d(axes))


def curve_styles(names: Iterable[str], baselines: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """How to draw the curves of several forecasts on white ground.

    Arguments of `Axes.plot` by name, in the order given. `"truth"` is drawn as the truth, baselines
    thin and grey in the style of their place among them, whichever other forecasts stand beside
    them; the first of all others has the model's colour.
    """
    models = cycle((FORECAST_COLOR, *REFERENCE_COLORS[1:], REFERENCE_COLORS[0]))
    styles: dict[str, dict[str, Any]] = {}
    for name in names:
        if name == "truth":
            styles[name] = {"color": TRUTH_LINE_COLOR, "linewidth": 2.0}
        elif name in baselines:
            color, line = BASELINE_STYLES[list(baselines).index(name) % len(BASELINE_STYLES)]
            styles[name] = {"color": color, "linestyle": line, "linewidth": 1.2}
        else:
            color = next(models)
            styles[name] = {"color": color, "linewidth": 2.4 if color == FORECAST_COLOR else 1.8}
        styles[name]["label"] = name
    return styles


def plot_steps(ax: Axes, values: ArrayLike, **style: Any) -> None:
    """A curve [T'] over steps ahead."""
    ax.plot(np.arange(1, np.size(values) + 1), values, **style)


def draw_paths(
    ax: Axes, positions: ArrayLike, color: str, width: float = 1.2, fade: bool = False
) -> None:
    """One line per particle, [frames, N, 2]; with `fade`, transparent at its start."""
    paths = np.swapaxes(np.asarray(positions, float), 0, 1)  # [N, frames, 2]
    segments = np.stack([paths[:, :-1], paths[:, 1:]], axis=2)  # [N, frames - 1, 2, 2]
    count = segments.shape[1]
    colors = np.tile(to_rgba(color), (count, 1))
    if fade:
        colors[:, 3] = np.linspace(0.15, 1.0, count)
    colors = np.tile(colors, (len(paths), 1))
    lines = list(segments.reshape(-1, 2, 2))
    ax.add_collection(LineCollection(lines, colors=colors, linewidths=width, capstyle="round"))


def label_plane(ax: Axes, unit: str = "length units", plane: str = "xy") -> None:
    """Equal axes in a plane, labelled with its two coordinates."""
    ax.set(aspect="equal", xlabel=f"{plane[0]} ({unit})", ylabel=f"{plane[1]} ({unit})")


def number_particles(ax: Axes, positions: ArrayLike, color: str) -> None:
    """Write each particle's number, counted from 0, beside it, [N, 2], if it is within the axes."""
    for number, (x, y) in enumerate(np.asarray(positions, float)):
        ax.annotate(
            str(number),
            (x, y),
            xytext=(2, 2),
            textcoords="offset points",
            fontsize=6,
            color=color,
            annotation_clip=True,
            clip_on=True,
            zorder=5,
        )


def shade_error(ax: Axes, x: ArrayLike, mean: ArrayLike, error: ArrayLike, color: str) -> None:
    """A band of twice the standard error about a curve, [points] each."""
    width = 2 * np.asarray(error)
    ax.fill_between(x, mean - width, mean + width, color=color, alpha=0.2)


def finish_curves(ax: Axes, xlabel: str, ylabel: str, title: str) -> None:
    """Labels, grid and legend of axes with curves."""
    ax.grid(alpha=0.25)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.legend(fontsize=8)


def finish_steps(ax: Axes, ylabel: str, title: str) -> None:
    """The same where the horizontal axis is steps ahead."""
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    finish_curves(ax, "steps ahead", ylabel, title)


def label_plainly(axis: Axis, subs: Sequence[float] = (1.0, 2.0, 5.0)) -> None:
    """Plain numbers at a logarithmic axis, also of less than a decade."""
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())
