"""The acceleration that particles give each other: learned, and the true law beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from socialmd.plots.style import (
    FORECAST_COLOR,
    TRUTH_LINE_COLOR,
    finish_curves,
    label_plainly,
    label_plane,
    new_figure,
)

__all__ = ["draw_learned_interaction"]

FloatArray = NDArray[np.float64]

DISTANCE = "distance (length units)"
PUSH = "acceleration away from the neighbour\n(length units per step squared)"
WEAKEST = 0.05  # of all accelerations; below this quantile the scale is linear
DECADES = 6  # of the scale at most


def draw_learned_interaction(
    pairs: Sequence[str],
    distances: ArrayLike,
    seen: tuple[float, float],
    curves: ArrayLike,
    errors: ArrayLike | None = None,
    maps: ArrayLike | None = None,
    half: float = 1.0,
) -> Figure:
    """Accelerations over distance, repulsion upwards and attraction downwards, and more of them.

    A row of curves beside the errors, and one of maps if there are any, red where the neighbour
    repels, blue where it attracts.

    Args:
        pairs, distances, seen, curves, errors, maps, half: as `LearnedInteraction` of
            `socialmd.evaluation` has them: names [P], [R], a pair of distances, beyond which the
            ground is shaded, [1 or 2, P, R], [3, R], [1 or 2, G, G], and half the maps' side.

    Raises:
        ValueError: distances, curves and names are not equally many.

    Example:
        >>> interaction = LearnedInteraction.from_frames(model.pair_acceleration, frames)
        >>> draw_learned_interaction(**interaction._asdict()).savefig("interaction.png")
    """
    values, places = np.asarray(curves, float), np.asarray(distances, float)
    if values.ndim != 3 or values.shape[1:] != (len(pairs), len(places)):
        raise ValueError(
            f"curves: expected [1 or 2, {len(pairs)}, {len(places)}], found shape {values.shape}"
        )
    rows, columns = (1 if maps is None else 2), len(values)
    figure, axes = new_figure(6.2 * columns, 5.0 * rows, columns, rows)
    panels = np.reshape(axes, (rows, columns))
    _plot_curves(panels[0, 0], places, values, pairs)
    _finish_distances(panels[0, 0], places, seen)
    finish_curves(panels[0, 0], DISTANCE, PUSH, "Acceleration of one particle by another")
    if errors is not None:
        _plot_errors(panels[0, 1], places, np.asarray(errors, float))
        _finish_distances(panels[0, 1], places, seen)
        label = "|learned - true| / |true|"
        finish_curves(panels[0, 1], DISTANCE, label, "Relative error over pairs")
    elif columns > 1:
        panels[0, 1].set_axis_off()
    if maps is not None:
        image = _plot_maps(list(panels[1]), np.asarray(maps, float), half, pairs[0])
        figure.colorbar(image, ax=list(panels[1]), label=PUSH)
    return figure


def _plot_curves(ax: Axes, distances: FloatArray, values: FloatArray, pairs: Sequence[str]) -> None:
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


def _plot_errors(ax: Axes, distances: FloatArray, quartiles: FloatArray) -> None:
    lower, median, upper = quartiles
    color = FORECAST_COLOR
    ax.plot(distances, median, color=color, linewidth=2.4, label="median")
    ax.fill_between(distances, lower, upper, color=color, alpha=0.2, lw=0, label="quartiles")
    ax.set_yscale("log")
    label_plainly(ax.yaxis)


def _plot_maps(axes: Sequence[Axes], values: FloatArray, half: float, title: str) -> AxesImage:
    """On one colour scale; the last image, for a colour bar."""
    largest = float(np.abs(values).max()) or 1.0
    norm = SymLogNorm(_linear_below(values), vmin=-largest, vmax=largest)
    extent = (-half, half, -half, half)
    for ax, each, name in zip(axes, values, ("learned", "true law"), strict=False):
        image = ax.imshow(each, origin="lower", extent=extent, cmap="RdBu_r", norm=norm)
        label_plane(ax)
        ax.set_title(f"{name}\n{title}")
    return image


def _linear_below(values: FloatArray) -> float:
    """Power of ten below which a scale is linear; accelerations of zero do not count."""
    sizes = np.abs(values[values != 0])
    if not sizes.size:
        return 1.0
    smallest = max(np.quantile(sizes, WEAKEST), sizes.max() / 10**DECADES)
    return float(10 ** np.floor(np.log10(smallest)))


def _finish_distances(ax: Axes, distances: FloatArray, seen: tuple[float, float]) -> None:
    """A logarithmic axis, shaded where there are hardly any data."""
    ends = float(np.min(distances)), float(np.max(distances))
    ax.set_xscale("log")
    label_plainly(ax.xaxis)
    ax.axvspan(ends[0], seen[0], color="0.5", alpha=0.15, lw=0, label="hardly any data")
    ax.axvspan(seen[1], ends[1], color="0.5", alpha=0.15, lw=0)
    if ends[0] < ends[1]:
        ax.set_xlim(*ends)
