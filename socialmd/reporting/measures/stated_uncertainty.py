"""Trust in predicted densities: likelihood, calibration, spread beside error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from socialmd.evaluation import Calibration, PredictiveDensity
from socialmd.models.recalibration import scale_sigma
from socialmd.plots import plot_coverage, style
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.measure import Measure, by_name, register_measure
from socialmd.reporting.measures.forecast_errors import BY_STEP

__all__ = ["StatedUncertainty", "plot_pit", "plot_spread"]

KINDS = {"as trained": "-", "recalibrated": "--", "sampled": ":", "sampled, recalibrated": "-."}
LEVEL = 0.8  # of the regions of which the summary tells

# === Words ===
HEADING = "Can the stated uncertainty be trusted?"
ABOUT = """
Its {{ "%.0f" % (100 * level) }} % regions contain the truth in {{ "%.0f" % (100 * observed) }} % of
cases.
"""
COVERAGE = """
Truth within regions of {{ name }}, {{ kind }}:
{% for level in levels -%}
{{ "%.0f" % (100 * observed[loop.index0]) }}% in {{ "%.0f" % (100 * level) }}%
{{- "." if loop.last else ", " }}
{%- endfor %}
"""
INTRODUCTION = """
A forecast is calibrated if its regions of 50, 80 and 95 % contain the truth as often as they say,
at every step, and if the probability that it gives to smaller coordinates than the true one (PIT)
is uniform. Below the nominal coverage, or with a U-shaped histogram, it is too sure of itself;
above it, or with a hump, not sure enough.
"""
CAPTION_OF_TABLE = """
Fraction of true positions within the regions of highest predicted density that should contain 50,
80 and 95 %; the standard error is that of independent simulations. NLL in nats, CRPS in units of
length. As trained and recalibrated: what was predicted with the feedback of training. Sampled: by
the rank of the truth among futures drawn for {{ sampled }} of the windows, and recalibrated: moved
about their mean by factors from the validation split; CRPS of the futures themselves, NLL not told,
since few futures that part leave gaps between their densities.
"""
CAPTION_OF_SCORES = """
Negative log-likelihood (left) and continuous ranked probability score (right) of the predicted
densities: as trained, with sigma recalibrated on the validation split, and (CRPS) of sampled
futures, as drawn and recalibrated. Lower is better.
"""
ALT_OF_SCORES = "Scores of the densities by step"
CAPTION_OF_COVERAGE = "Coverage against steps ahead (left) and PIT histogram (right) as trained."
ALT_OF_COVERAGE = "Coverage curves and PIT histogram"
CAPTION_OF_SPREAD = """
Predicted standard deviation (dashed) and error (solid), root mean squares (left) and medians
(right), scaled so that they agree for a calibrated Gaussian.
"""
ALT_OF_SPREAD = "Predicted spread and error by step"


@register_measure
class StatedUncertainty(Measure):
    """Calibration of trained models, in the plane.

    Numbers: `"calibration"`, by model and kind of density, a `Calibration`: `"as trained"` and
    `"recalibrated"` here; `SampledFutures` adds its own.
    """

    name = "calibration"
    place = 20
    absent: ClassVar = {"calibration": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any]:
        forecasts = evaluation.forecasts.of_particles()
        windows, found = forecasts.windows, {}
        for name, model in forecasts.models.items():
            parameters = forecasts.parameters[name]
            kinds = {"as trained": parameters, "recalibrated": scale_sigma(model, parameters)}
            found[name] = {
                kind: Calibration.from_density(
                    PredictiveDensity(*model.components_in_float64(each)),
                    windows.truth,
                    windows.simulations,
                )
                for kind, each in kinds.items()
            }
        return {"calibration": found}

    def sentences(self, evaluation: ForecastEvaluation) -> Sequence[str]:
        return [
            fill(COVERAGE, name=name, kind=kind, levels=each.levels, observed=each.overall_coverage)
            for name, kinds in evaluation.numbers["calibration"].items()
            for kind, each in kinds.items()
        ]

    def about(self, evaluation: ForecastEvaluation, model: str) -> str:
        found = evaluation.numbers["calibration"][model]["as trained"]
        observed = found.overall_coverage[found.levels.index(LEVEL)]
        return fill(ABOUT, level=LEVEL, observed=observed)

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        found: dict[str, dict[str, Calibration]] = evaluation.numbers["calibration"]
        plain = {name: kinds["as trained"] for name, kinds in found.items()}
        scores, *pictures = (
            figures.picture(figure, name, fill(caption), alt)
            for figure, name, caption, alt in (
                (_draw_scores(found), "likelihood", CAPTION_OF_SCORES, ALT_OF_SCORES),
                (_draw_coverage(plain), "calibration", CAPTION_OF_COVERAGE, ALT_OF_COVERAGE),
                (_draw_spread(plain), "spread", CAPTION_OF_SPREAD, ALT_OF_SPREAD),
            )
        )
        table = _tabulate(found, evaluation.numbers["num_sampled_windows"])
        return (
            Section(BY_STEP, pictures=[scores]),
            Section(HEADING, [fill(INTRODUCTION)], [table], pictures),
        )


def plot_pit(ax: Axes, histograms: Mapping[str, ArrayLike]) -> None:
    """Histograms by forecast, fractions [bins] of [0, 1], relative to the uniform one (dashed)."""
    styles = style.curve_styles(histograms)
    for name, values in histograms.items():
        fractions = np.asarray(values, float)
        edges = np.linspace(0, 1, len(fractions) + 1)
        look = {**styles[name], "linewidth": 1.8}
        ax.stairs(fractions * len(fractions), edges, baseline=None, **look)
    ax.axhline(1.0, color=style.NOMINAL_COLOR, linestyle="--", linewidth=1.0, label="calibrated")
    ax.set_xlim(0, 1)
    ax.set_ylim(bottom=0)
    labels = (
        "F(truth), forecast probability of a smaller coordinate",
        "relative frequency (uniform = 1)",
    )
    style.finish_curves(ax, *labels, "Probability integral transform")


def plot_spread(
    ax: Axes, spread: Mapping[str, ArrayLike], error: Mapping[str, ArrayLike], title: str
) -> None:
    """Predicted sigma (dashed) beside the error that occurred (solid), [T'] by forecast."""
    styles = style.curve_styles(spread)
    for name in spread:
        for values, what, line in (
            (error[name], "error", "-"),
            (spread[name], "predicted sigma", "--"),
        ):
            look = {"linewidth": 1.8, "linestyle": line, "label": f"{name}, {what}"}
            style.plot_steps(ax, values, **{**styles[name], **look})
    ax.set_yscale("log")
    style.finish_steps(ax, "per coordinate (length units)", title)


def _tabulate(found: Mapping[str, Mapping[str, Calibration]], sampled: int) -> Table:
    levels = next(iter(found.values()))["as trained"].levels
    names = [f"{100 * level:.0f}\N{NO-BREAK SPACE}%" for level in levels]
    rows = [
        [
            f"{name}, {kind}",
            *each.overall_coverage,
            max(each.coverage_standard_error) if each.coverage_standard_error else None,
            None if kind.startswith("sampled") else each.nll,
            each.crps,
        ]
        for name, kinds in found.items()
        for kind, each in kinds.items()
    ]
    return Table(
        fill(CAPTION_OF_TABLE, sampled=sampled),
        ["density", *names, "standard error", "NLL", "CRPS"],
        rows,
        best=dict(zip(names, levels, strict=True)),
        digits=3,
    )


def _draw_scores(found: Mapping[str, Mapping[str, Calibration]]) -> Figure:
    """A colour for each model, a line style for each kind of density."""
    figure, axes = style.new_row()
    styles = style.curve_styles(found)
    for ax, key, label, title in (
        (axes[0], "nll_per_step", "NLL (nats per particle)", "Negative log-likelihood"),
        (axes[1], "crps_per_step", "CRPS (length units)", "Continuous ranked probability score"),
    ):
        for name, kinds in found.items():
            for kind, calibration in kinds.items():
                if key == "nll_per_step" and kind.startswith("sampled"):
                    continue  # of a mixture of few narrow densities: far out of the frame
                look = {**styles[name], "linestyle": KINDS[kind], "label": f"{name}, {kind}"}
                style.plot_steps(ax, getattr(calibration, key), **look)
        style.finish_curves(ax, "steps ahead", label, title)
    # Densities that exclude the truth have no upper limit; the frame is that of those as trained.
    plain = [kinds["as trained"].nll_per_step for kinds in found.values()]
    axes[0].set_ylim(np.min(plain) - 1.0, np.max(plain) + 3.0)
    axes[1].set_yscale("log")
    return figure


def _draw_coverage(found: Mapping[str, Calibration]) -> Figure:
    figure, (left, right) = style.new_row()
    plot_coverage(left, by_name(found, "coverage"), next(iter(found.values())).levels)
    plot_pit(right, by_name(found, "overall_pit_histogram"))
    return figure


def _draw_spread(found: Mapping[str, Calibration]) -> Figure:
    figure, axes = style.new_row()
    for ax, spread, error, title in (
        (axes[0], "sharpness_per_step", "rmse_per_step", "Root mean square"),
        (axes[1], "median_sharpness_per_step", "median_scaled_error_per_step", "Median"),
    ):
        plot_spread(ax, by_name(found, spread), by_name(found, error), title)
    return figure
