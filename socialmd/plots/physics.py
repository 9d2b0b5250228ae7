"""Whether forecasts look like physics: conserved quantities and distances between particles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from socialmd.plots.style import curve_styles, finish_curves

__all__ = ["plot_conservation", "plot_nearest_distances"]

NUM_POINTS = 300  # of a cumulative distribution, evenly spread over the logarithms


def plot_conservation(
    ax: Axes,
    drifts: Mapping[str, ArrayLike],
    label: str,
    title: str = "Conservation against steps ahead",
    baselines: Sequence[str] = (),
    floor: float | None = 1e-6,
) -> None:
    """One curve per forecast, and one for the truth, whose drift is what velocities cannot resolve.

    Args:
        ax: where to draw.
        drifts: name of the forecast, or `"truth"`, -> drift at each step ahead, [T'].
        label: what to write at the vertical axis, with units.
        title: of the axes.
        baselines: names of simple forecasts, drawn thin and grey; each always in the same way.
        floor: smaller drifts are drawn here, because the axis is logarithmic and some forecasts
            conserve exactly; `None` for a linear axis.

    Raises:
        ValueError: a number is negative or not finite.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> drifts = {"truth": yardstick.energy_drift, "model": conservation.energy_drift}
        >>> plot_conservation(ax, drifts, "energy drift / kinetic energy")
    """
    styles = curve_styles(drifts, baselines)
    lowest = np.inf
    for name, values in drifts.items():
        curve = np.asarray(values, float)  # [T']
        if not ((curve >= 0) & np.isfinite(curve)).all():
            raise ValueError(f"{name}: expected drifts >= 0, found {curve.min()} to {curve.max()}")
        ax.plot(np.arange(1, len(curve) + 1), np.maximum(curve, floor or 0.0), **styles[name])
        lowest = min(lowest, curve.min())
    if floor is not None:
        ax.set_yscale("log")
        if lowest < floor:
            ax.axhline(
                floor, color="black", linewidth=0.8, linestyle=":", label=f"{floor:g} or less"
            )
    finish_curves(ax, "steps ahead", label, title)


def plot_nearest_distances(
    ax: Axes,
    distances: Mapping[str, ArrayLike],
    title: str = "Distance to the nearest neighbour",
    baselines: Sequence[str] = (),
) -> None:
    """Cumulative distribution of distances to the nearest neighbour, both axes logarithmic.

    The curve says which fraction of all particles, at all steps, has a neighbour closer than that.
    A forecast above the truth lets particles come too close, one below it keeps them apart.

    Args:
        ax: where to draw.
        distances: name of the forecast, or `"truth"`, -> distances of any shape, in units of
            length.
        title: of the axes.
        baselines: names of simple forecasts, drawn thin and grey; each always in the same way.

    Raises:
        ValueError: a distance is negative or not finite, or none is positive.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> named = {"truth": truth, "model": positions}
        >>> plot_nearest_distances(ax, {name: nearest_distances(x) for name, x in named.items()})
    """
    styles = curve_styles(distances, baselines)
    for name, values in distances.items():
        ordered = np.sort(np.asarray(values, float), axis=None)
        if not (np.isfinite(ordered).all() and (ordered >= 0).all() and (ordered > 0).any()):
            raise ValueError(f"{name}: expected distances >= 0 and not all zero, found other ones")
        limits = ordered[ordered > 0][0], ordered[-1]
        points = np.geomspace(*limits, NUM_POINTS)
        points[0], points[-1] = limits  # not rounded
        fractions = np.searchsorted(ordered, points, side="right") / len(ordered)
        ax.plot(points, fractions, **styles[name])
    ax.set_xscale("log")
    ax.set_yscale("log")
    finish_curves(ax, "distance (length units)", "fraction of particles that are closer", title)
