"""Forecasts that are picked by rule, not by eye: pictures of them, and one that moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from socialmd.evaluation import baseline_names, closest_pairs
from socialmd.plots import animate_forecast, new_figure, plot_errors
from socialmd.reporting.figure_folder import FigureFolder
from socialmd.reporting.forecast_evaluation import ForecastEvaluation
from socialmd.reporting.forecast_picture import draw_forecast, extent_of, first_errors, window_at
from socialmd.reporting.forecasts import Forecasts
from socialmd.reporting.html_report import SUMMARY, Picture, Section
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.prose import fill

__all__ = ["ForecastGallery"]

# Name -> quantile of the first model's mean absolute error over the windows.
RULES = {"best": 0.0, "median": 0.5, "worst decile": 0.9, "worst": 1.0}
NUM_CLOSE = 2  # closest approaches, each of another simulation
SIDE = 5.4  # inches

# === Words ===
HEADING = "Gallery"
INTRODUCTION = """
Truth in white, forecast in red, the past that was given in grey
{%- if in_plane %}, on the predicted density of all steps together; its colours follow the fourth
root{% else %}; of three coordinates, x and y{% endif %}. Each particle has its number where truth
and forecast end.
"""
OVERVIEW = """
Left and middle: forecast (red) over the truth (white){% if in_plane %} on the predicted density
(colour){% endif %}; grey is what the model was given, and particles have their numbers where both
end. Chosen by rule: windows of median error and of the worst decile, and errors of all forecasts by
step.
"""
BY_ERROR = "window of {{ rule }} error of {{ model }}"
BY_DISTANCE = """
closest approach{% if number > 1 %}, number {{ number }},{% endif %} of all windows: a pair at
{{ "%.4f" % distance }} length units
"""
MOVING = "window of median error of {{ model }}, step by step"
CHOSEN = "Chosen by rule: {{ rule }}."


@register_measure
class ForecastGallery(Measure):
    """Pictures of forecasts in windows that the first model's errors choose; no numbers."""

    name = "gallery"
    place = 40

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any]:
        return {}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        in_plane = evaluation.forecasts.spatial_dims == 2
        caption, alt = fill(OVERVIEW, in_plane=in_plane), "Two forecasts and error curves"
        overview = figures.picture(_draw_overview(evaluation), "forecast", caption, alt)
        pictures = [
            Picture(path, fill(CHOSEN, rule=rule), rule, wide=path.suffix == ".png")
            for path, rule in _save_pictures(evaluation.forecasts, figures)
        ]
        return (
            Section(SUMMARY, pictures=[overview]),
            Section(HEADING, [fill(INTRODUCTION, in_plane=in_plane)], pictures=pictures),
        )


def _draw_overview(evaluation: ForecastEvaluation) -> Figure:
    """Two forecasts of the first model, and the errors of all forecasts by step."""
    forecasts = evaluation.forecasts
    figure, axes = new_figure(16, 5.2, columns=3)
    errors = first_errors(forecasts)
    for ax, rule in zip(axes, ("median", "worst decile"), strict=False):
        window = window_at(forecasts, RULES[rule])
        title = f"Forecast of {rule} error (MAE {errors[window]:.3f})"
        draw_forecast(ax, forecasts, next(iter(forecasts.models)), window, title)
    by_step = {name: each.mae_per_step for name, each in evaluation.numbers["forecasts"].items()}
    plot_errors(axes[2], by_step, baselines=baseline_names())
    return figure


def _save_pictures(forecasts: Forecasts, figures: FigureFolder) -> Iterator[tuple[Path, str]]:
    """The same windows by every model side by side, and the median one as an animation: rules."""
    first = next(iter(forecasts.models))
    for rule, quantile in RULES.items():
        figure = _draw_side_by_side(forecasts, window_at(forecasts, quantile))
        path = figures.save(figure, f"gallery_{rule.replace(' ', '_')}")
        yield path, fill(BY_ERROR, rule=rule, model=first)
    for number, close in enumerate(closest_pairs(forecasts.windows, NUM_CLOSE), start=1):
        figure = _draw_side_by_side(forecasts, close.window, close.extent)
        path = figures.save(figure, f"gallery_close_approach_{number}")
        yield path, fill(BY_DISTANCE, number=number, distance=close.distance)
    median = window_at(forecasts, RULES["median"])
    past, truth, positions = (
        forecasts.in_window(array, median)[..., :2]
        for array in (
            forecasts.windows.inputs,
            forecasts.windows.truth,
            forecasts.positions[first],
        )
    )
    path, unit = figures.path / "forecast.gif", figures.name_units("length units")
    animate_forecast(path, past, truth, positions, extent_of(past, truth), first, unit=unit)
    yield path, fill(MOVING, model=first)


def _draw_side_by_side(
    forecasts: Forecasts, window: int, extent: tuple[float, float, float, float] | None = None
) -> Figure:
    names = list(forecasts.models)
    figure, axes = new_figure(SIDE * len(names), SIDE, columns=len(names), of_planes=True)
    for ax, name in zip(np.atleast_1d(axes), names, strict=True):
        errors = forecasts.in_window(forecasts.positions[name] - forecasts.windows.truth, window)
        title = f"{name} (MAE {np.abs(errors).mean():.3f})"
        draw_forecast(ax, forecasts, name, window, title, extent)
    return figure
