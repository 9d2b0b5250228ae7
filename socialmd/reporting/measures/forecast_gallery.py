"""Forecasts that are picked by rule, not by eye: pictures of them, and one that moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from socialmd.evaluation import baseline_names, closest_pairs, position_density
from socialmd.plots import animate_forecast, new_figure, plot_errors, plot_forecast
from socialmd.reporting import FigureFolder, ForecastEvaluation, Forecasts, Picture, Section, fill
from socialmd.reporting.html_report import SUMMARY
from socialmd.reporting.measure import Measure, by_name, register_measure
from socialmd.types import Array, FloatArray

__all__ = ["ForecastGallery", "draw_forecast", "window_at"]

# Name -> quantile of the first model's mean absolute error over the windows.
RULES = {"best": 0.0, "median": 0.5, "worst decile": 0.9, "worst": 1.0}
NUM_CLOSE = 2  # closest approaches, each of another simulation
SIDE = 5.4  # inches
PIXELS = 120  # of a density, along each side

PLANES = {2: ("xy",), 3: ("xy", "xz", "yz")}  # that positions are projected onto

Extent = tuple[float, ...]  # x_min, x_max, y_min, y_max, and so on

# === Words ===
HEADING = "Gallery"
INTRODUCTION = """
Truth in white, forecast in red, the past that was given in grey
{%- if in_plane %}, on the predicted density of all steps together; its colours follow the fourth
root{% else %}, projected onto three planes{% endif %}. Each particle has its number where truth
and forecast end.
"""
OVERVIEW = """
Left and middle: forecast (red) over the truth (white){% if in_plane %} on the predicted density
(colour){% else %}, of three coordinates x and y{% endif %}; grey is what the model was given, and
particles have their numbers where both end. Chosen by rule: windows of median error and of the
worst decile, and errors of all forecasts by step.
"""
BY_ERROR = "window of {{ rule }} error of {{ model }}"
BY_DISTANCE = """
closest approach{% if number > 1 %}, number {{ number }},{% endif %} of all windows: a pair at
{{ "%.4f" % distance }} length units
"""
MOVING = """
window of median error of {{ model }}, step by step{% if not in_plane %}, x and y{% endif %}
"""
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


def window_at(forecasts: Forecasts, quantile: float) -> int:
    """The window at a quantile of the first model's mean absolute error; 0.5 is the median."""
    by_error = np.argsort(_first_errors(forecasts))
    return int(by_error[int(quantile * (len(by_error) - 1))])


def draw_forecast(
    ax: Axes,
    forecasts: Forecasts,
    name: str,
    window: int,
    title: str,
    extent: Extent | None = None,
    legend: bool = True,
    plane: str = "xy",
) -> None:
    """One model's forecast of one window over the truth, on the predicted density.

    Of three dimensions, two are drawn, without a density; everything, if there is no extent.
    """
    paths, columns = _paths(forecasts, name, window), ["xyz".index(axis) for axis in plane]
    extent = extent or _extent_of(paths[0], paths[1], forecasts.windows.boxes is not None)
    left, right, bottom, top = (extent[2 * column + side] for column in columns for side in (0, 1))
    sides, density = (left, right, bottom, top), None
    if forecasts.spatial_dims == 2:
        parameters = forecasts.in_window(forecasts.parameters[name], window)
        density = position_density(forecasts.models[name].distribution(parameters), sides, PIXELS)
    past, truth, positions = (path[..., columns] for path in paths)
    plot_forecast(ax, past, truth, positions, density, sides, title, legend, plane)


def _first_errors(forecasts: Forecasts) -> FloatArray:
    """Mean absolute error of the first model in each window, [W]."""
    name = next(iter(forecasts.models))
    errors = np.abs(forecasts.positions[name] - forecasts.windows.truth).mean(axis=(1, 3))  # [W, N]
    return np.asarray(np.average(errors, axis=1, weights=forecasts.windows.mask))


def _paths(forecasts: Forecasts, name: str, window: int) -> list[Array]:
    """Past, truth and forecast of one window, [steps, N, D] each."""
    windows, dims = forecasts.windows, forecasts.spatial_dims
    arrays = (windows.inputs, windows.truth, forecasts.positions[name])
    return [forecasts.in_window(array, window)[..., :dims] for array in arrays]


def _extent_of(past: Array, truth: Array, in_box: bool = False) -> Extent:
    """Sides of a square or cube in which all positions lie, [..., D], about the origin.

    Or about their middle if they are in a periodic box, whose origin means nothing.
    """
    both = np.concatenate([past, truth]).reshape(-1, truth.shape[-1])
    middle = (both.max(axis=0) + both.min(axis=0)) / 2 if in_box else np.zeros(both.shape[-1])
    half = 1.05 * float(np.abs(both - middle).max())
    return tuple(float(x + side) for x in middle for side in (-half, half))


def _draw_overview(evaluation: ForecastEvaluation) -> Figure:
    """Two forecasts of the first model, and the errors of all forecasts by step."""
    forecasts = evaluation.forecasts
    figure, axes = new_figure(16, 5.2, columns=3)
    errors = _first_errors(forecasts)
    for ax, rule in zip(axes, ("median", "worst decile"), strict=False):
        window = window_at(forecasts, RULES[rule])
        title = f"Forecast of {rule} error (MAE {errors[window]:.3f})"
        draw_forecast(ax, forecasts, next(iter(forecasts.models)), window, title)
    by_step = by_name(evaluation.numbers["forecasts"], "mae_per_step")
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
    past, truth, positions = (path[..., :2] for path in _paths(forecasts, first, median))
    path, unit = figures.path / "forecast.gif", figures.name_units("length units")
    left, right, bottom, top = _extent_of(past, truth, forecasts.windows.boxes is not None)
    animate_forecast(path, past, truth, positions, (left, right, bottom, top), first, unit=unit)
    yield path, fill(MOVING, model=first, in_plane=forecasts.spatial_dims == 2)


def _draw_side_by_side(forecasts: Forecasts, window: int, extent: Extent | None = None) -> Figure:
    """A column for each model, a row for each plane."""
    names, planes = list(forecasts.models), PLANES[forecasts.spatial_dims]
    size = SIDE * len(names), SIDE * len(planes)
    figure, axes = new_figure(*size, len(names), len(planes), of_planes=True)
    for row, plane in zip(np.reshape(axes, (len(planes), len(names))), planes, strict=True):
        for ax, name in zip(row, names, strict=True):
            errors = forecasts.in_window(
                forecasts.positions[name] - forecasts.windows.truth, window
            )
            title = f"{name} (MAE {np.abs(errors).mean():.3f})"
            draw_forecast(ax, forecasts, name, window, title, extent, plane=plane)
    return figure
