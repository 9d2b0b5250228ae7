"""Which way particles point: errors of forecast orientations, and whether their densities hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from socialmd.evaluation import OrientationMetrics, angles_between, baseline_names
from socialmd.models.recalibration import scale_sigma
from socialmd.plots import plot_coverage, plot_errors, plot_poses
from socialmd.plots.forecast import add_legend
from socialmd.plots.style import new_row
from socialmd.reporting import FigureFolder, ForecastEvaluation, Forecasts, Section, Table, fill
from socialmd.reporting.measure import Measure, by_name, register_measure

__all__ = ["Orientations"]

LEVEL = 0.8  # of the cones of which the summary tells
SHOWN = (0.0, 0.5, 1.0)  # of the steps, in the picture of poses

# === Words ===
HEADING = "Which way particles point"
ABOUT = """
Orientations are forecast to {{ "%.1f" % found.median_angle }} degrees in half of all cases, the
mean error is {{ "%.1f" % found.mean_angle }} degrees, and {{ "%.0f" % (100 * level) }} % cones
contain the truth in {{ "%.0f" % (100 * observed) }} % of cases.
"""
SENTENCE = """
Orientations of {{ name }}: mean error {{ "%.2f" % found.mean_angle }} degrees, median
{{ "%.3f" % found.median_angle }}.
"""
CAPTION_OF_TABLE = """
Angle between forecast and true orientation in degrees, over all steps and at the last one; negative
log-likelihood of the true orientation, in nats per particle and step; and how often it lies within
cones of 50, 80 and 95 % about the mean one. Knowing nothing, the mean angle is 90 degrees.
"""
CAPTION = """
Mean angle between forecast and true orientation (left), and how often the true one lies within
cones of 50, 80 and 95 % about the mean (right).
"""
CAPTION_OF_POSES = """
Particles of one window as sticks that point as they do, {{ planes }}: truth and forecast of
{{ name }} at the first step, halfway, and at the last. The window is that of median error.
"""


@register_measure
class Orientations(Measure):
    """Errors and calibration of forecast orientations.

    Numbers: `"orientations"`, by forecast an `OrientationMetrics`, of densities as trained; and
    `"recalibrated_orientations"`, the same of models, recalibrated.
    """

    name = "orientations"
    place = 45
    units: ClassVar = {
        "orientations": "degrees; nats per particle and step; fractions",
        "recalibrated_orientations": "likewise",
    }
    absent: ClassVar = {"orientations": {}, "recalibrated_orientations": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        forecasts = evaluation.forecasts.of_particles()
        truth = forecasts.windows.orientations
        if truth is None:
            return None
        models = forecasts.models.keys() & forecasts.orientations.keys()
        densities = {
            name: forecasts.models[name].orientation_density(forecasts.parameters[name])
            for name in models
        }
        recalibrated = {
            name: forecasts.models[name].orientation_density(
                scale_sigma(forecasts.models[name], forecasts.parameters[name])
            )
            for name in models
        }
        measure = partial(
            OrientationMetrics.from_arrays, truth, simulations=forecasts.windows.simulations
        )
        return {
            "orientations": {
                name: measure(each, density=densities.get(name))
                for name, each in forecasts.orientations.items()
            },
            "recalibrated_orientations": {
                name: measure(forecasts.orientations[name], density=each)
                for name, each in recalibrated.items()
            },
        }

    def about(self, evaluation: ForecastEvaluation, model: str) -> str:
        found = evaluation.numbers["orientations"].get(model)
        if found is None:
            return ""
        observed = found.overall_coverage[found.levels.index(LEVEL)]
        return fill(ABOUT, found=found, level=LEVEL, observed=observed)

    def sentences(self, evaluation: ForecastEvaluation) -> Sequence[str]:
        found = evaluation.numbers["orientations"]
        return [fill(SENTENCE, name=name, found=each) for name, each in found.items()]

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        found: dict[str, OrientationMetrics] = evaluation.numbers["orientations"]
        if not found:
            return ()
        table = _tabulate(found, evaluation.numbers["recalibrated_orientations"])
        alt = "Errors of orientations and coverage of cones against steps ahead"
        pictures = [figures.picture(_draw(found), "orientations", fill(CAPTION), alt)]
        name = next((each for each in evaluation.forecasts.models if each in found), None)
        if name is not None:
            planes = "x and y of three coordinates" if evaluation.forecasts.spatial_dims > 2 else ""
            caption = fill(CAPTION_OF_POSES, name=name, planes=planes or "in the plane")
            figure = _draw_poses(evaluation.forecasts, name)
            pictures.append(figures.picture(figure, "poses", caption, "Particles as sticks"))
        return [Section(HEADING, tables=[table], pictures=pictures)]


def _tabulate(
    found: Mapping[str, OrientationMetrics], recalibrated: Mapping[str, OrientationMetrics]
) -> Table:
    rows = [*found.items(), *((f"{name}, recalibrated", r) for name, r in recalibrated.items())]
    levels = next(iter(found.values())).levels
    unknown: list[float | None] = [None] * len(levels)
    names = [f"{100 * level:.0f}\N{NO-BREAK SPACE}%" for level in levels]
    return Table(
        fill(CAPTION_OF_TABLE),
        ["forecast", "mean", "median", "last step", "NLL", *names],
        [
            [
                name,
                each.mean_angle,
                each.median_angle,
                each.mean_angle_per_step[-1],
                each.nll,
                *(each.overall_coverage or unknown),
            ]
            for name, each in rows
        ],
        best={"mean": "lowest", "median": "lowest", "last step": "lowest", "NLL": "lowest"},
        digits=3,
    )


def _draw(found: Mapping[str, OrientationMetrics]) -> Figure:
    figure, (left, right) = new_row()
    errors, label = by_name(found, "mean_angle_per_step"), "mean angle (degrees)"
    plot_errors(left, errors, label, "Error of orientations", baseline_names())
    known = {name: each for name, each in found.items() if each.coverage is not None}
    plot_coverage(right, by_name(known, "coverage"), next(iter(found.values())).levels)
    right.set_title("Coverage of cones")
    return figure


def _draw_poses(forecasts: Forecasts, name: str) -> Figure:
    windows = forecasts.windows
    turned = np.asarray(windows.orientations)
    angles = angles_between(turned, forecasts.orientations[name]).mean(axis=(1, 2))
    window = int(np.argsort(angles)[len(angles) // 2])
    steps = [round(part * (windows.truth.shape[1] - 1)) for part in SHOWN]
    figure, axes = new_row(len(steps))
    pairs = (
        (windows.truth, turned),
        (forecasts.positions[name], forecasts.orientations[name]),
    )
    true, predicted = (
        [forecasts.in_window(each, window)[steps][..., :2] for each in pair] for pair in pairs
    )
    ax: Axes
    for number, (ax, step) in enumerate(zip(axes, steps, strict=True)):
        plot_poses(
            ax,
            (true[0][number], true[1][number]),
            (predicted[0][number], predicted[1][number]),
            title=f"{step + 1} step{'s' * (step > 0)} ahead",
        )
    add_legend(figure, ("truth", "forecast"))
    return figure
