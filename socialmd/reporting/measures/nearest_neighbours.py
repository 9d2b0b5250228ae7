"""Distances of particles to their nearest neighbours, in the truth and in forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from socialmd.evaluation import baseline_names, nearest_distances
from socialmd.plots.style import curve_styles, finish_curves, new_row
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, fill
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.measures.conserved_quantities import HEADING
from socialmd.reporting.tracks import SAMPLED, tracks
from socialmd.types import Array

__all__ = ["NearestNeighbours", "plot_nearest_distances"]

NUM_POINTS = 300  # of a cumulative distribution, evenly spread over the logarithms

# === Words ===
CAPTION = """
Cumulative distribution of distances to the nearest neighbour within the training horizon and, where
a law is known, ten times beyond it (right). Above the truth, or above the known law: particles come
too close to each other.
"""


@register_measure
class NearestNeighbours(Measure):
    """Distances to the nearest neighbour, where all systems have equally many particles.

    Numbers, for pictures: `"nearest_distances"`, of the forecasts and, if there are any, of the
    long ones of `ConservedQuantities`: by name, [W, T', N].
    """

    name = "nearest distances"
    place = 61
    for_pictures = ("nearest_distances",)

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        windows = evaluation.forecasts.windows
        if windows.truth.shape[2] < 2 or windows.mask is not None:
            return None
        near = {
            name: nearest_distances(each.positions, each.boxes)
            for name, each in tracks(evaluation).items()
            if not name.endswith(SAMPLED)
        }
        long = evaluation.numbers["long_positions"] if windows.boxes is None else {}
        far = {name: nearest_distances(each) for name, each in long.items()}
        return {"nearest_distances": [_told(part) for part in (near, far) if part]}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        figure = _draw(evaluation.numbers["nearest_distances"])
        alt = "Cumulative distributions of nearest distances"
        picture = figures.picture(figure, "nearest_distances", fill(CAPTION), alt)
        return [Section(HEADING, pictures=[picture])]


def plot_nearest_distances(ax: Axes, distances: Mapping[str, ArrayLike], title: str) -> None:
    """Which fraction of distances, of any shape by forecast, not all zero, is smaller than each."""
    styles = curve_styles(distances, baseline_names())
    for name, values in distances.items():
        ordered = np.sort(np.asarray(values, float), axis=None)
        limits = ordered[ordered > 0][0], ordered[-1]
        points = np.geomspace(*limits, NUM_POINTS)
        points[0], points[-1] = limits  # not rounded
        fractions = np.searchsorted(ordered, points, side="right") / len(ordered)
        ax.plot(points, fractions, **styles[name])
    ax.set(xscale="log", yscale="log")
    finish_curves(ax, "distance (length units)", "fraction of particles that are closer", title)


def _told(distances: Mapping[str, Array]) -> dict[str, Array]:
    """Without forecasts that put all particles into one place, which a logarithm does not know."""
    return {name: each for name, each in distances.items() if each.any()}


def _draw(parts: Sequence[Mapping[str, Array]]) -> Figure:
    """Within the training horizon and, if there are such forecasts, far beyond it."""
    figure, axes = new_row(len(parts))
    for ax, distances in zip(axes, parts, strict=True):
        steps = next(iter(distances.values())).shape[1]
        plot_nearest_distances(ax, distances, f"Nearest neighbours, steps 1 to {steps}")
    return figure
