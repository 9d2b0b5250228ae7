"""Dependence of forecasts on what models are given, or sameness whatever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter
from numpy.typing import NDArray

from socialmd.data.windows import evenly_spread
from socialmd.evaluation import InputDependence, baseline_names
from socialmd.plots import new_figure, plot_errors
from socialmd.plots.style import FORECAST_COLOR, PAST_COLOR, TRUTH_LINE_COLOR, label_plane, new_row
from socialmd.reporting import FigureFolder, ForecastEvaluation, Forecasts, Section, Table, fill
from socialmd.reporting.measure import Measure, by_name, register_measure
from socialmd.types import Array

__all__ = ["DependenceOnInput", "plot_configuration"]

PANELS = 4  # windows drawn, evenly spread
SIDE = 3.6  # inches

# === Words ===
HEADING = "Does the forecast depend on its input?"
INTRODUCTION = """
Sequence models have been seen to converge into a single configuration regardless of what they are
given, or to oscillate between two. Forecasts of different pasts then vary less than what they
forecast.
"""
CAPTION_OF_TABLE = """
At the last step: variance over the windows by that of the truth, 0 for a single configuration;
root-mean-square distance to the mean true configuration, in units of length; length of the last
step by that of the truth, 0 if frozen. Over the last half of the forecast: length of two steps by
that of one, 0 for an oscillation between two configurations, 1.4 for independent steps, 2 for
straight lines.
"""
CAPTION = """
Variance over the windows by that of the truth (left), and root-mean-square distance to the mean
true configuration (right).
"""
CAPTION_OF_CONFIGURATIONS = """
The last forecast configuration of {{ count }} windows, evenly spread: grey, the last frame that was
given; rings, the truth; red, the forecast, with a line to what was meant
{%- if not in_plane %}; of three coordinates, x and y{% endif %}.
"""
SENTENCE = """
Forecasts of {{ name }} for different pasts vary {{ "%.2f" % ratio }} times as much as the truth at
the last step (variance).
"""


@register_measure
class DependenceOnInput(Measure):
    """How forecasts of different pasts differ, beside how different the truth is.

    Numbers: `"dependence"`, an `InputDependence` by forecast.
    """

    name = "dependence on the input"
    place = 80
    units: ClassVar = {"dependence": "without unit, distances in units of length"}
    absent: ClassVar = {"dependence": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any]:
        windows = evaluation.forecasts.windows
        found = {
            name: InputDependence.from_arrays(windows.truth, each, windows.mask)
            for name, each in evaluation.forecasts.positions.items()
        }
        return {"dependence": found}

    def sentences(self, evaluation: ForecastEvaluation) -> Sequence[str]:
        found = evaluation.numbers["dependence"]
        return [
            fill(SENTENCE, name=name, ratio=found[name].variance_ratio_per_step[-1])
            for name in evaluation.forecasts.models
        ]

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        found, forecasts = evaluation.numbers["dependence"], evaluation.forecasts
        chosen = evenly_spread(len(forecasts.windows.truth), PANELS)
        in_plane = forecasts.spatial_dims == 2
        caption = fill(CAPTION_OF_CONFIGURATIONS, count=len(chosen), in_plane=in_plane)
        drawn, alt = _draw_configurations(forecasts, chosen), "Last configurations"
        configurations = figures.picture(drawn, "configurations", caption, alt)
        alt = "Variance over windows and distance to the mean by step"
        pictures = [figures.picture(_draw(found), "dependence", fill(CAPTION), alt), configurations]
        table = _tabulate(found, evaluation)
        return [Section(HEADING, [fill(INTRODUCTION)], [table], pictures)]


def plot_configuration(
    ax: Axes, last: Array, truth: Array, forecast: Array, half: float, title: str
) -> None:
    """Where particles were, are and were said to be, [N, 2] each, as in figure 21 of the thesis."""
    for pair in zip(truth, forecast, strict=True):  # which one was meant
        ax.plot(*np.stack(pair).T, color=FORECAST_COLOR, alpha=0.25, linewidth=0.8, zorder=1)
    for positions, label, size, color in (
        (last, "last given", 14, PAST_COLOR),
        (truth, "truth", 26, TRUTH_LINE_COLOR),
        (forecast, "forecast", 14, FORECAST_COLOR),
    ):
        face = "none" if label == "truth" else color  # a ring, in which a good forecast lies
        x, y = positions.T
        ax.scatter(x, y, s=size, label=label, facecolors=face, edgecolors=color, zorder=2)
    ax.set(xlim=(-half, half), ylim=(-half, half), title=title)
    label_plane(ax)


def _tabulate(found: Mapping[str, InputDependence], evaluation: ForecastEvaluation) -> Table:
    rows = [
        [
            name,
            each.variance_ratio_per_step[-1],
            each.distance_to_mean_per_step[-1],
            next(iter(each.step_ratio_per_step[-1:]), None),
            each.two_step_ratio,
        ]
        for name, each in found.items()
    ]
    distance = next(iter(found.values())).true_distance_to_mean_per_step[-1]
    rows.append(["truth", 1.0, distance, 1.0, None])
    numbers = ["variance / truth", "distance to mean", "step / truth", "two steps / one"]
    return Table(fill(CAPTION_OF_TABLE), ["forecast", *numbers], *evaluation.apart(rows))


def _draw(found: Mapping[str, InputDependence]) -> Figure:
    figure, (left, right) = new_row()
    variances = by_name(found, "variance_ratio_per_step")
    variances["truth"] = [1.0] * len(next(iter(variances.values())))
    label, baselines = "variance over windows / that of the truth", baseline_names()
    plot_errors(left, variances, label, "Variance of the forecasts", baselines)
    left.yaxis.set_major_formatter(LogFormatter())  # 1.05, not 1.05 x 10^0
    left.yaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False))
    distances = by_name(found, "distance_to_mean_per_step")
    distances["truth"] = next(iter(found.values())).true_distance_to_mean_per_step
    label, title = "rms distance (length units)", "Distance to the mean configuration"
    plot_errors(right, distances, label, title, baselines)
    right.set_yscale("linear")
    return figure


def _draw_configurations(forecasts: Forecasts, chosen: NDArray[np.intp]) -> Figure:
    """A row for each model."""
    windows, names = forecasts.windows, list(forecasts.models)
    half = 1.1 * float(np.abs(windows.truth[chosen, -1, :, :2]).max())
    rows, columns = len(names), len(chosen)
    figure, panels = new_figure(SIDE * columns, SIDE * rows + 0.4, columns, rows, of_planes=True)
    axes = np.reshape(panels, (rows, columns))
    for row, name in zip(axes, names, strict=True):
        for ax, window in zip(row, chosen, strict=True):
            last, truth, forecast = (
                forecasts.in_window(array, window)[-1, :, :2]
                for array in (windows.inputs, windows.truth, forecasts.positions[name])
            )
            title = f"{name}, simulation {windows.simulations[window]}"
            plot_configuration(ax, last, truth, forecast, half, title)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
