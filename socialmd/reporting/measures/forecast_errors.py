"""Errors of forecasts, and whether models beat the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
from matplotlib.figure import Figure

from socialmd.evaluation import ForecastMetrics, KnownLaw, Verdict, baseline_names, comparison
from socialmd.plots import plot_errors
from socialmd.plots.style import new_row
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.html_report import SUMMARY
from socialmd.reporting.measure import Measure, by_name, register_measure
from socialmd.reporting.text_tables import COLUMNS, overall_table, step_table

__all__ = ["BY_STEP", "ForecastErrors"]

QUARTILES = (0.25, 0.75)
PART_OF_EXTENT = 0.1  # an error that is small

# === Words ===
BY_STEP = "Error against steps ahead"
ABOUT = """
{{ verdict }} Half of all coordinates are forecast to a tenth of the system's extent
({{ "%.2g" % small }}) for {{ steps }} steps.
"""
CAPTION_OF_TABLE = """
Errors of all {{ windows }} windows over {{ steps }} steps. MAE and median: absolute error per
coordinate; ADE, FDE: distance to the truth, mean over steps and at the last step; all in units of
length. NLL: nats per particle and step. Last column: simulations with a lower MAE than
{{ best }}, of {{ simulations }}.
"""
INTRODUCTION = """
A few large errors dominate means; medians tell more about the typical particle. Baselines learn
nothing or nearly nothing{% if knows_law %}, except for the known law, which knows everything but
the velocities{% endif %}.
"""
CAPTION = """
Mean (left) and median (right) absolute error per coordinate. Bands: quartiles over simulations.
"""


@register_measure
class ForecastErrors(Measure):
    """Errors of all forecasts, and of trained models whether they beat the best baseline.

    Numbers: `"forecasts"`, a `ForecastMetrics` by forecast, and `"verdict"`, a `Verdict` by model.
    """

    name = "errors"
    place = 10
    is_required = True
    units: ClassVar = {
        "mae, median_error": "units of length, per coordinate",
        "ade, fde, energy_score, crps": "units of length",
        "nll": "nats per particle and step",
        "*_per_step": "one number for each step of the forecast, the first step first",
        "*_per_simulation": "one number for each simulation, in the order of the file names",
        "mae_per_simulation_and_step": "likewise, one for each step",
        "verdict": "error: mean over simulations; interval: of the difference between the two",
    }

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any]:
        forecasts = evaluation.forecasts.of_particles()
        windows = forecasts.windows
        log_probabilities = {
            name: keras.ops.convert_to_numpy(
                model.distribution(forecasts.parameters[name]).log_prob(windows.truth)
            )
            for name, model in forecasts.models.items()
        }
        errors = {
            name: ForecastMetrics.from_arrays(
                windows.truth, positions, log_probabilities.get(name), windows.simulations
            )
            for name, positions in forecasts.positions.items()
        }
        rivals = [name for name, baseline in forecasts.baselines.items() if baseline.is_rival]
        verdict = {name: Verdict.from_metrics(errors, name, rivals) for name in forecasts.models}
        return {"forecasts": errors, "verdict": verdict}

    def text_tables(self, evaluation: ForecastEvaluation) -> Sequence[str]:
        errors = evaluation.numbers["forecasts"]
        return overall_table(errors), step_table(errors)

    def sentences(self, evaluation: ForecastEvaluation) -> Sequence[str]:
        first, *others = evaluation.forecasts.models
        errors, verdict = evaluation.numbers["forecasts"], evaluation.numbers["verdict"]
        comparisons = [comparison(errors, name, first) for name in others]
        return [*(each.sentence for each in verdict.values()), *comparisons]

    def about(self, evaluation: ForecastEvaluation, model: str) -> str:
        forecasts, numbers = evaluation.forecasts, evaluation.numbers
        truth = forecasts.windows.truth
        extents = [np.std(forecasts.in_window(truth, w), axis=(0, 1)) for w in range(len(truth))]
        small = PART_OF_EXTENT * np.mean(extents)
        within = np.less(numbers["forecasts"][model].median_error_per_step, small)
        steps = len(within) if within.all() else int(within.argmin())
        sentence = numbers["verdict"][model].sentence
        return fill(ABOUT, verdict=sentence, small=small, steps=steps)

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        knows_law = KnownLaw.name in evaluation.forecasts.positions
        alt = "Error curves of all forecasts"
        picture = figures.picture(_draw(evaluation), "errors", fill(CAPTION), alt)
        return (
            Section(SUMMARY, tables=[_tabulate(evaluation)]),
            Section(BY_STEP, [fill(INTRODUCTION, knows_law=knows_law)], pictures=[picture]),
        )


def _tabulate(evaluation: ForecastEvaluation) -> Table:
    errors = evaluation.numbers["forecasts"]
    best = next(iter(evaluation.numbers["verdict"].values())).overall.rival
    reference = errors[best].mae_per_simulation
    rows = [
        [
            name,
            *(getattr(row, key) for key in COLUMNS.values()),
            None if name == best else int(np.less(row.mae_per_simulation, reference).sum()),
        ]
        for name, row in errors.items()
    ]
    windows, steps = evaluation.forecasts.windows.truth.shape[:2]
    count = len(reference)
    return Table(
        fill(CAPTION_OF_TABLE, windows=windows, steps=steps, best=best, simulations=count),
        ["forecast", *COLUMNS, f"wins of {count}"],
        *evaluation.apart(rows),
        dict.fromkeys(COLUMNS, "lowest"),
    )


def _draw(evaluation: ForecastEvaluation) -> Figure:
    """Mean and median error; the band is that of the quartiles over simulations."""
    errors, baselines = evaluation.numbers["forecasts"], baseline_names()
    figure, (left, right) = new_row()
    spread = {
        name: np.quantile(errors[name].mae_per_simulation_and_step, QUARTILES, axis=0)
        for name in evaluation.forecasts.models
    }
    plot_errors(left, by_name(errors, "mae_per_step"), baselines=baselines, spread=spread)
    medians = by_name(errors, "median_error_per_step")
    label = "median absolute error (length units)"
    plot_errors(right, medians, label, "Median error against steps ahead", baselines)
    return figure
