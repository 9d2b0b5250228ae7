"""Many futures for one past: how far they are from the truth, and how far apart."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from socialmd.data import Windows
from socialmd.data.windows import evenly_spread
from socialmd.evaluation import Calibration, NotPossibleError, PredictiveDensity, SampleMetrics
from socialmd.models import ForecastModel
from socialmd.models.recalibration import scale_spread
from socialmd.plots import plot_coverage, style
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.measure import Measure, by_name, register_measure
from socialmd.types import Array

__all__ = ["SampledFutures", "plot_spread_skill"]

PROPER = {
    "energy score": "energy_score",
    "MAE of median": "mae_of_median",
    "ADE of mean": "ade_of_mean",
    "FDE of mean": "fde_of_mean",
}
COLUMNS = {**PROPER, "ADE": "ade", "FDE": "fde"}

# Of all particles at all steps in all windows: each has as many components as there are futures,
# times those of a density, and in space more would not fit into memory.
MOST_PLACES = 60_000

# === Words ===
HEADING = "Many futures for one past"
CAPTION_OF_TABLE = """
{{ count }} futures drawn for each of {{ windows }} windows, in units of length: energy score (a
proper score of the whole distribution), error of the median of all futures per coordinate and of
their mean, mean error of a future, and error of the best future of each particle, which rewards
spread and is no proper score; spread by error of the mean, the median over steps, which is one if
the truth could be one more future. Recalibrated: the same futures, moved about their mean by
factors from the validation split.
"""
CAPTION = """
How often the truth is among the futures, by its rank (left), and their standard deviation by the
error of their mean (right), which few large errors make. Models that hold no conditional densities
are left out, unless no model does.
"""


@register_measure
class SampledFutures(Measure):
    """Errors and calibration of sampled futures.

    Numbers: `"samples"`, a `SampleMetrics` by model, that of recalibrated futures as `"<model>,
    recalibrated"`; `"num_sampled_windows"`; and in `"calibration"` the kinds `"sampled"`, whose NLL
    is that of the mixture of their densities, and `"sampled, recalibrated"`, of models that know
    how. For other measures `"one_future"`, of each model that holds conditional densities the first
    future [W, T', N, D] and the windows it is of.
    """

    name = "sampled futures"
    place = 30
    absent: ClassVar = {"samples": {}, "num_sampled_windows": 0, "one_future": {}}
    for_pictures = ("one_future",)

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        forecasts = evaluation.forecasts
        if not evaluation.num_samples:
            return None
        evaluation.cautions.update(
            (name, reason)
            for name, model in forecasts.models.items()
            if (reason := model.reason_against_samples)
        )
        _, steps, particles, _ = forecasts.windows.truth.shape
        most = min(evaluation.max_sampled, max(1, MOST_PLACES // (steps * particles)))
        chosen = evenly_spread(len(forecasts.windows.truth), most)
        windows = forecasts.windows.at(chosen)
        samples: dict[str, SampleMetrics] = {}
        one_future = {}
        calibration = {name: dict(k) for name, k in evaluation.numbers["calibration"].items()}
        for name, model in forecasts.models.items():
            found = evaluation.attempt(
                f"{self.name} of {name}",
                partial(_measure_futures, model, windows, evaluation.num_samples, name),
            )
            if found is None:
                continue
            future, by_kind = found
            if model.reason_against_samples is None:
                one_future[name] = (future, windows)
            for suffix, (metrics, coverage) in by_kind.items():
                samples[name + suffix] = metrics
                calibration.setdefault(name, {})["sampled" + suffix] = coverage
        if not samples:
            reasons = [
                evaluation.left_out.pop(f"{self.name} of {each}") for each in forecasts.models
            ]
            raise NotPossibleError("; ".join(dict.fromkeys(reasons)))
        count = len(chosen)
        return {
            "samples": samples,
            "num_sampled_windows": count,
            "calibration": calibration,
            "one_future": one_future,
        }

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        samples: dict[str, SampleMetrics] = evaluation.numbers["samples"]
        alt = "Coverage and spread of sampled futures by step"
        picture = figures.picture(_draw(evaluation), "futures", fill(CAPTION), alt)
        table = _tabulate(samples, evaluation.numbers["num_sampled_windows"])
        return [Section(HEADING, tables=[table], pictures=[picture])]


def _measure_futures(
    model: ForecastModel, windows: Windows, num_samples: int, name: str
) -> tuple[Array, dict[str, tuple[SampleMetrics, Calibration]]]:
    """The first future of a model, and measures of all, as drawn and recalibrated."""
    futures = _draw_futures(model, windows, num_samples, name)
    drawn, parameters = (np.stack([windows.real(f) for f in each]) for each in futures)
    density = PredictiveDensity.from_samples(*model.components_in_float64(parameters))
    kinds = {"": drawn}
    if model.spread_factors is not None:
        kinds[", recalibrated"] = scale_spread(model, drawn)
    of = windows.of_particles()
    return futures[0][0], {
        suffix: (
            SampleMetrics.from_samples(each, of.truth),
            Calibration.from_density(density, of.truth, of.simulations, samples=each),
        )
        for suffix, each in kinds.items()
    }


def _draw_futures(
    model: ForecastModel, windows: Windows, num_samples: int, name: str
) -> tuple[Array, Array]:
    """Futures of places and the parameters that they are drawn from, [S, W, T', N, ...] each."""
    steps = windows.truth.shape[1]
    how: dict[str, Any] = {"seed": 0, "num_samples": num_samples, "progress": f"{name}, sampled"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the model holds marginal densities")  # is told
        drawn, parameters = model.rollout(windows.past, steps, "sample", **how)
    return drawn[..., : model.spatial_dims], parameters


def plot_spread_skill(ax: Axes, ratio_by_name: Mapping[str, ArrayLike]) -> None:
    """Spread of futures by error of their mean, [T'] by forecast; one if they are calibrated."""
    styles = style.curve_styles(ratio_by_name)
    for name, values in ratio_by_name.items():
        style.plot_steps(ax, values, **{**styles[name], "linewidth": 1.8})
    ax.axhline(1.0, color=style.NOMINAL_COLOR, linestyle="--", linewidth=1.0, label="calibrated")
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.75), max(high, 1.6))  # small deviations look small, and have ticks
    style.label_plainly(ax.yaxis, (1, 1.2, 1.5, 2, 3, 5, 8))
    label = "standard deviation of futures / error of their mean"
    style.finish_steps(ax, label, "Spread of sampled futures")


def _tabulate(samples: Mapping[str, SampleMetrics], windows: int) -> Table:
    count = next(iter(samples.values())).num_samples
    columns = {**COLUMNS, f"best ADE of {count}": "best_ade", f"best FDE of {count}": "best_fde"}
    rows = [
        [
            name,
            *(getattr(each, key) for key in columns.values()),
            statistics.median(each.spread_skill_per_step),
        ]
        for name, each in samples.items()
    ]
    return Table(
        fill(CAPTION_OF_TABLE, count=count, windows=windows),
        ["model", *columns, "spread / skill"],
        rows,
        best=dict.fromkeys(PROPER, "lowest"),
    )


def _draw(evaluation: ForecastEvaluation) -> Figure:
    """Of the models whose samples are trajectories; of all, if no model's are."""
    figure, (left, right) = style.new_row()
    calibration: dict[str, dict[str, Calibration]] = evaluation.numbers["calibration"]
    shown = [name for name in calibration if name not in evaluation.cautions] or list(calibration)
    coverage = {
        name + kind.removeprefix("sampled"): each.coverage
        for name in shown
        for kind, each in calibration[name].items()
        if kind.startswith("sampled")
    }
    plot_coverage(left, coverage, calibration[shown[0]]["sampled"].levels)
    ratios = by_name(evaluation.numbers["samples"], "spread_skill_per_step")
    plot_spread_skill(right, {name: ratios[name] for name in coverage})
    return figure
