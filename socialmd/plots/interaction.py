"""The acceleration that particles give each other: learned, and the true law beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from socialmd.plots.style import (
    FORECAST_COLOR,
    TRUTH_LINE_COLOR,
    finish_curves,
    label_plane,
    new_figure,
)

__all__ = [
    "draw_learned_interaction",
    "plot_interaction_errors",
    "plot_interaction_map",
    "plot_learned_interaction",
]

DISTANCE = "distance (length units)"
PUSH = "acceleration away from the neighbour\n(length units per step squared)"
WEAKEST = 0.05  # of all accelerations; below this quantile the scale is linear
DECADES = 6  # of the scale at most


def plot_learned_interaction(
    ax: Axes,
    distances: ArrayLike,
    curves: ArrayLike,
    pairs: Sequence[str],
    seen: tuple[float, float],
    title: str = "Acceleration of one particle by another",
) -> None:
    """Accelerations over distance, repulsion upwards and attraction downwards.

    Args:
        ax: where to draw.
        distances: [R], in units of length.
        curves: component away from the neighbour, of what is learned and, where it is known, of
            the true law: [1 or 2, P, R], in units of length per step squared.
        pairs: names of the P pairs of particles.
        seen: distances beyond which data show hardly any pair; shaded.
        title: of the axes.

    Raises:
        ValueError: distances, curves and names are not equally many.

    Example:
        >>> figure, ax = new_figure(6, 5)
        >>> plot_learned_interaction(ax, [0.1, 1.0], [[[9.0, 0.9]]], ["some pair"], (0.2, 0.8))
    """
    values = np.asarray(curves, float)
    if values.ndim != 3 or values.shape[1:] != (len(pairs), len(np.asarray(distances))):
        raise ValueError(
            f"curves: expected [1 or 2, {len(pairs)}, {len(np.asarray(distances))}], found shape "
            f"{values.shape}"
        )
    learned, *law = values
    styles = ("-", (0, (1, 0.6)), (0, (5, 1, 1, 1)))
    for number, (name, curve) in enumerate(zip(pairs, learned, strict=True)):
        style = styles[number % len(styles)]
        ax.plot(distances, curve, color=FORECAST_COLOR, linewidth=2.6, linestyle=style, label=name)
    for curve in law[0] if law else ():
        ax.plot(distances, curve, color=TRUTH_LINE_COLOR, linewidth=1.2, linestyle="--")
    if law:
        ax.lines[-1].set_label("true law")
    ax.set_yscale("symlog", linthresh=_linear_below(values))
    ax.axhline(0, color=TRUTH_LINE_COLOR, linewidth=0.6)
    _finish_distances(ax, distances, seen)
    finish_curves(ax, DISTANCE, PUSH, title)


def plot_interaction_errors(
    ax: Axes,
    distances: ArrayLike,
    quartiles: ArrayLike,
    seen: tuple[float, float],
    title: str = "Relative error over pairs",
) -> None:
    """Relative error of the learned law over distance.

    Args:
        ax: where to draw.
        distances: [R], in units of length.
        quartiles: of |learned - law| / |law|, [3, R].
        seen: distances beyond which data show hardly any pair; shaded.
        title: of the axes.
    """
    lower, median, upper = np.asarray(quartiles, float)
    color = FORECAST_COLOR
    ax.plot(distances, median, color=color, linewidth=2.4, label="median")
    ax.fill_between(
        np.asarray(distances), lower, upper, color=color, alpha=0.2, lw=0, label="quartiles"
    )
    ax.set_yscale("log")
    _label_plainly(ax.yaxis)
    _finish_distances(ax, distances, seen)
    finish_curves(ax, DISTANCE, "|learned - true| / |true|", title)


def plot_interaction_map(
    axes: Sequence[Axes], maps: ArrayLike, half: float, title: str = ""
) -> AxesImage:
    """Accelerations of a particle in the middle over where its neighbour is, on one colour scale.

    Args:
        axes: one for each map.
        maps: component away from the neighbour, of what is learned and of the true law where it is
            known: [1 or 2, G, G], rows along y, in units of length per step squared.
        half: largest |x| and |y|, in units of length.
        title: of the pair.

    Returns:
        The last image, for a colour bar: red repels, blue attracts.
    """
    values = np.asarray(maps, float)
    largest = float(np.abs(values).max()) or 1.0
    norm = SymLogNorm(_linear_below(values), vmin=-largest, vmax=largest)
    extent = (-half, half, -half, half)
    for ax, each, name in zip(axes, values, ("learned", "true law"), strict=False):
        image = ax.imshow(each, origin="lower", extent=extent, cmap="RdBu_r", norm=norm)
        label_plane(ax)
        ax.set_title(f"{name}\n{title}" if title else name)
    return image


def draw_learned_interaction(
    pairs: Sequence[str],
    distances: ArrayLike,
    seen: tuple[float, float],
    curves: ArrayLike,
    errors: ArrayLike | None = None,
    maps: ArrayLike | None = None,
    half: float = 1.0,
) -> Figure:
    """All of that in one figure.

    Args:
        pairs, distances, seen, curves: see `plot_learned_interaction`.
        errors: see `plot_interaction_errors`.
        maps, half: see `plot_interaction_map`; of the first pair.

    Returns:
        The figure: a row of curves, and one of maps if there are any.

    Example:
        >>> interaction = LearnedInteraction.from_frames(model.pair_acceleration, frames)
        >>> draw_learned_interaction(**interaction._asdict()).savefig("interaction.png")
    """
    rows, columns = (1 if maps is None else 2), len(np.asarray(curves))
    figure, axes = new_figure(6.2 * columns, 5.0 * rows, columns, rows)
    panels = np.reshape(axes, (rows, columns))
    plot_learned_interaction(panels[0, 0], distances, curves, pairs, seen)
    if errors is not None:
        plot_interaction_errors(panels[0, 1], distances, errors, seen)
    elif columns > 1:
        panels[0, 1].set_axis_off()
    if maps is not None:
        image = plot_interaction_map(list(panels[1]), maps, half, pairs[0])
        figure.colorbar(image, ax=list(panels[1]), label=PUSH)
    return figure


def _linear_below(values: NDArray[np.float64]) -> float:
    """Power of ten below which a scale is linear; accelerations of zero do not count."""
    sizes = np.abs(values[values != 0])
    if not sizes.size:
        return 1.0
    smallest = max(np.quantile(sizes, WEAKEST), sizes.max() / 10**DECADES)
    return float(10 ** np.floor(np.log10(smallest)))


def _finish_distances(ax: Axes, distances: ArrayLike, seen: tuple[float, float]) -> None:
    """A logarithmic axis, shaded where there are hardly any data."""
    ends = float(np.min(distances)), float(np.max(distances))
    ax.set_xscale("log")
    _label_plainly(ax.xaxis)
    ax.axvspan(ends[0], seen[0], color="0.5", alpha=0.15, lw=0, label="hardly any data")
    ax.axvspan(seen[1], ends[1], color="0.5", alpha=0.15, lw=0)
    if ends[0] < ends[1]:
        ax.set_xlim(*ends)


def _label_plainly(axis: Axis) -> None:
    """Plain numbers at a logarithmic axis, also of less than a decade."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())
