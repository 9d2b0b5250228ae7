"""Errors and predicted sigma where particles come close to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from socialmd.evaluation import (
    AroundCloseApproaches,
    ClosestApproach,
    NotPossibleError,
    around_close_approaches,
    baseline_names,
    closest_approach,
    error_by_closest_approach,
)
from socialmd.plots import style
from socialmd.reporting import FigureFolder, ForecastEvaluation, Forecasts, Section, Table, fill
from socialmd.reporting.measure import Measure, by_name, register_measure

__all__ = [
    "CLOSE",
    "CloseEncounters",
    "draw_around",
    "plot_around_close_approaches",
    "plot_error_by_closest_approach",
    "sigma_and_error_around",
]

CLOSE = 0.3  # of all particles of all windows, those with the closest approach
AROUND = 1 / 6  # of T', before and after a close approach

# === Words ===
HEADING = "Close approaches"
CAPTION_OF_TABLE = """
By which factor predicted sigma and actual error grow from {{ width }} steps before a close approach
to {{ width }} steps after it, and over the same steps for particles that stay away from all others
(control). Medians.
"""
CAPTION = """
{% if around %}Left: final{% else %}Final{% endif %} error by the closest approach of a particle
within its window.
{%- if around %} Right: predicted sigma (red) and error (black) around close approaches, medians and
quartiles; dashed, particles that stay away, at the same steps ahead. Growth beyond that of the
control is due to the approach.{% endif %}
"""


@register_measure
class CloseEncounters(Measure):
    """Errors by closest approach, and what happens before and after close approaches.

    Numbers: `"closest_approach"`, an `ErrorByClosestApproach` by forecast, and
    `"around_close_approaches"`, by model, of `"sigma"` and `"error"` an `AroundCloseApproaches`.
    """

    name = "close approaches"
    place = 70
    absent: ClassVar = {"closest_approach": {}, "around_close_approaches": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any]:
        forecasts = evaluation.forecasts
        if forecasts.windows.mask is not None:
            reason = "expected systems of equally many particles, found different numbers"
            raise NotPossibleError(reason)
        truth = forecasts.windows.truth
        approach = closest_approach(truth, forecasts.windows.true_boxes)
        groups = {
            name: error_by_closest_approach(truth, positions, approach=approach)
            for name, positions in forecasts.positions.items()
        }
        around = evaluation.attempt(
            f"before and after {self.name}",
            lambda: {
                name: sigma_and_error_around(forecasts, name, approach) for name in forecasts.models
            },
        )
        return {"closest_approach": groups, "around_close_approaches": around or {}}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        around = evaluation.numbers["around_close_approaches"]
        if not evaluation.numbers["closest_approach"]:
            return ()
        alt = "Errors by closest approach"
        alt += ", sigma and error around close approaches" if around else ""
        caption = fill(CAPTION, around=bool(around))
        picture = figures.picture(_draw(evaluation), "close_approaches", caption, alt)
        tables = [_tabulate(around)] if around else []
        return [Section(HEADING, tables=tables, pictures=[picture])]


def sigma_and_error_around(
    forecasts: Forecasts, name: str, approach: ClosestApproach | None = None
) -> dict[str, AroundCloseApproaches]:
    """Predicted `"sigma"` and `"error"` of a model before and after close approaches.

    Those are the closest approaches of the 30 % of all particles, in all windows, that come closest
    to another one; a sixth of T' is looked at on each side. Both are per coordinate, in units of
    length. The closest approaches are found if they are not given.
    """
    truth = forecasts.windows.truth
    approach = approach or closest_approach(truth, forecasts.windows.true_boxes)
    threshold = float(np.quantile(approach.distances, CLOSE))
    half_width = max(1, round(AROUND * truth.shape[1]))
    errors = np.sqrt(np.square(forecasts.positions[name] - truth).mean(axis=-1))  # [W, T', N]
    tiny = np.finfo(np.float32).tiny  # an exact hit has no ratio to what follows
    distribution = forecasts.models[name].distribution(forecasts.parameters[name])
    variance = keras.ops.convert_to_numpy(distribution.variance())  # [W, T', N, D]
    values = {"sigma": np.sqrt(variance.mean(axis=-1)), "error": np.maximum(errors, tiny)}
    return {
        quantity: around_close_approaches(series, truth, threshold, half_width, approach)
        for quantity, series in values.items()
    }


def draw_around(ax: Axes, quantities: Mapping[str, AroundCloseApproaches], title: str) -> None:
    """What `sigma_and_error_around` gives."""
    for quantity, name, color in (
        ("sigma", "predicted sigma", style.FORECAST_COLOR),
        ("error", "actual error", style.TRUTH_LINE_COLOR),
    ):
        plot_around_close_approaches(ax, quantities[quantity], name, color)
    labels = "steps from the closest approach", "per coordinate (length units)"
    style.finish_curves(ax, *labels, title)


def plot_error_by_closest_approach(
    ax: Axes, distances: ArrayLike, errors: Mapping[str, ArrayLike]
) -> None:
    """Errors, [bins] by forecast, of particles by how close they came to another one, [bins]."""
    styles = style.curve_styles(errors, baseline_names())
    for name, values in errors.items():
        ax.plot(distances, values, marker="o", markersize=4, **styles[name])
    ax.set(xscale="log", yscale="log")
    distance = "closest approach in the truth (length units)"
    error = "median final displacement error (length units)"
    style.finish_curves(ax, distance, error, "Error against closest approach")


def plot_around_close_approaches(
    ax: Axes, around: AroundCloseApproaches, name: str, color: str
) -> None:
    """Median of a quantity in a band of its quartiles, and the control's median, dashed."""
    steps = around.offsets
    ax.fill_between(steps, around.lower, around.upper, color=color, alpha=0.15, linewidth=0)
    median, control = (around.median, "close approaches"), (around.control, "control")
    for (curve, label), width, line in ((median, 2.2, "-"), (control, 1.5, "--")):
        look: dict[str, Any] = {"color": color, "linewidth": width, "linestyle": line}
        ax.plot(steps, curve, label=f"{name}: {label}", **look)
    ax.axvline(0, color=style.TRUTH_LINE_COLOR, linewidth=0.8, alpha=0.6)
    ax.set_yscale("log")
    style.label_plainly(ax.yaxis)


def _tabulate(around: Mapping[str, Mapping[str, AroundCloseApproaches]]) -> Table:
    width = next(iter(around.values()))["sigma"].offsets[-1]
    return Table(
        fill(CAPTION_OF_TABLE, width=width),
        ["model", "sigma", "sigma, control", "error", "error, control", "approaches"],
        [
            [name, s.ratio, s.control_ratio, e.ratio, e.control_ratio, s.count]
            for name, (s, e) in ((n, (q["sigma"], q["error"])) for n, q in around.items())
        ],
        digits=2,
    )


def _draw(evaluation: ForecastEvaluation) -> Figure:
    groups = evaluation.numbers["closest_approach"]
    around = evaluation.numbers["around_close_approaches"]
    figure, axes = style.new_row(1 + len(around))
    distances = next(iter(groups.values())).distances
    plot_error_by_closest_approach(axes[0], distances, by_name(groups, "median_fde"))
    for ax, (name, quantities) in zip(axes[1:], around.items(), strict=True):
        draw_around(ax, quantities, f"{name}: before and after")
    return figure
