"""Particles on strands: how long these are in forecasts, and what the hybrid model looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import wasserstein_distance

from socialmd.data.feature_layout import ANCHOR
from socialmd.evaluation import baseline_names
from socialmd.periodic_box import PeriodicBox
from socialmd.plots import plot_strands
from socialmd.plots.forecast import add_legend
from socialmd.plots.style import curve_styles, finish_curves, new_row
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.tracks import tracks, wide_if_true
from socialmd.types import Array

__all__ = ["StrandLengths"]

NUM_BINS = 30
LAST = 0.2  # of the steps, over which lengths are told

# === Words ===
HEADING = "On strands"
CAPTION_OF_TABLE = """
Length of strands, from anchor to particle, over the last fifth of the steps, in units of length:
mean, standard deviation, and how far their distribution is from the truth's (earth mover's
distance).
"""
CAPTION = """
After the thesis' figure 35: particles on strands, whose anchors are known, at the last step of
one window (left; truth white, forecast of {{ name }} red, core and
anchors grey{{ planes }}), and the distribution of strand lengths over the last fifth of the steps
(right).
"""


@register_measure
class StrandLengths(Measure):
    """Lengths of strands in forecasts, of data with anchors.

    Numbers: `"strands"`, by forecast, of the truth and of a sampled future too: `"mean"`,
    `"deviation"` and `"distance_from_truth"` of lengths, `"bin_edges"` and `"density"`.
    """

    name = "strands"
    place = 46
    units: ClassVar = {"strands": "units of length"}
    absent: ClassVar = {"strands": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        columns = evaluation.forecasts.description.layout.given.columns(name=ANCHOR, kind="vector")
        if not columns:
            return None
        lengths = {}
        for name, (positions, windows, boxes) in tracks(evaluation).items():
            first = min(round((1 - LAST) * positions.shape[1]), positions.shape[1] - 1)
            offsets = positions[:, first:] - windows.inputs[:, -1:, :, columns]
            if boxes is not None:
                offsets = PeriodicBox.of(boxes[:, first:]).displacement(offsets)
            found = np.linalg.norm(offsets, axis=-1)
            lengths[name] = found.swapaxes(1, 2)[windows.is_real].ravel()
        true = lengths["truth"]
        edges = np.linspace(0.0, 1.3 * true.max(), NUM_BINS + 1)
        return {
            "strands": {
                name: {
                    "mean": float(each.mean()),
                    "deviation": float(each.std()),
                    "distance_from_truth": float(wasserstein_distance(each, true)),
                    "bin_edges": edges.tolist(),
                    "density": _density(each, edges).tolist(),
                }
                for name, each in lengths.items()
            }
        }

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        found: dict[str, dict[str, Any]] = evaluation.numbers["strands"]
        if not found:
            return ()
        rows = [
            [name, each["mean"], each["deviation"], each["distance_from_truth"]]
            for name, each in found.items()
        ]
        table = Table(
            fill(CAPTION_OF_TABLE),
            ["forecast", "mean", "deviation", "distance from truth"],
            rows,
            digits=3,
        )
        name = next(iter(evaluation.forecasts.models))
        planes = ", x and y of three coordinates" if evaluation.forecasts.spatial_dims > 2 else ""
        caption = fill(CAPTION, name=name, planes=planes)
        figure = _draw(evaluation, found, name)
        picture = figures.picture(figure, "strands", caption, "Particles on strands from a core")
        return [Section(HEADING, tables=[table], pictures=[picture])]


def _density(lengths: Array, edges: Array) -> Array:
    counts, _ = np.histogram(lengths, edges)
    return np.asarray(counts / (max(1, len(lengths)) * np.diff(edges)))


def _draw(
    evaluation: ForecastEvaluation, found: Mapping[str, Mapping[str, Any]], name: str
) -> Figure:
    forecasts = evaluation.forecasts
    windows = forecasts.windows
    columns = forecasts.description.layout.given.columns(name=ANCHOR, kind="vector")
    window = len(windows.truth) // 2
    anchors, truth, forecast = (
        forecasts.in_window(each, window)[-1, :, :2]
        for each in (windows.inputs[..., columns], windows.truth, forecasts.positions[name])
    )
    figure, (left, right) = new_row()
    plot_strands(left, anchors, truth, forecast, title="After the last step")
    add_legend(left, ("truth", "forecast"))
    styles = curve_styles(found, baseline_names())
    for label, each in found.items():
        edges = np.array(each["bin_edges"])
        middles = (edges[1:] + edges[:-1]) / 2
        right.plot(middles, each["density"], **{**styles[label], **wide_if_true(label)})
    unit = "length of a strand (length units)"
    finish_curves(right, unit, "probability density", "Distribution of strand lengths")
    return figure
