"""Forecasts picked by rule, not by eye: pictures of them, and one that moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from socialmd.evaluation import closest_approach, position_density
from socialmd.plots import animate_forecast, new_figure, plot_errors, plot_forecast
from socialmd.reporting.figures import save_png_and_pdf
from socialmd.reporting.forecasts import BASELINES, Forecasts
from socialmd.reporting.measurements import Measurements

__all__ = [
    "CloseApproach",
    "close_approaches",
    "draw_forecast",
    "draw_gallery",
    "draw_overview",
    "window_at",
]

# Name -> quantile of the first model's mean absolute error over the windows.
RULES = {"best": 0.0, "median": 0.5, "worst decile": 0.9, "worst": 1.0}
NUM_CLOSE = 2  # closest approaches, each of another simulation
AROUND_CLOSE = 6  # steps before and after that fit into the picture
SIDE = 5.4  # inches
PIXELS = 120

Extent = tuple[float, float, float, float]


class Picture(NamedTuple):
    """A picture with the rule that chose it."""

    path: Path
    rule: str


class CloseApproach(NamedTuple):
    """A pair of particles in one window, at one step, and what to show around the first of them."""

    window: int
    step: int
    pair: tuple[int, int]
    distance: float
    extent: Extent


def draw_overview(forecasts: Forecasts, measured: Measurements, folder: Path) -> Picture:
    """Two forecasts of the first model, chosen by rule, and the errors of all forecasts by step."""
    name = next(iter(forecasts.models))
    figure, axes = new_figure(16, 5.2, columns=3)
    for ax, rule in zip(axes, ("median", "worst decile"), strict=False):
        window = window_at(forecasts, RULES[rule])
        mae = _errors(forecasts)[window]
        title = f"Forecast of {rule} error (MAE {mae:.3f})"
        draw_forecast(ax, forecasts, name, window, title)
    plot_errors(
        axes[2],
        {each: metrics.mae_per_step for each, metrics in measured.errors.items()},
        baselines=BASELINES,
    )
    rule = "windows of median error and of the worst decile, and errors of all forecasts by step"
    name_units = forecasts.description.name_units
    return Picture(save_png_and_pdf(figure, folder, "forecast", name_units), rule)


def draw_gallery(forecasts: Forecasts, folder: Path) -> dict[str, Picture]:
    """The same windows by every model side by side, and the median one as an animation.

    Args:
        forecasts: of models and baselines.
        folder: for the pictures.

    Returns:
        The pictures by name.
    """
    pictures = {}
    name_units = forecasts.description.name_units
    for rule, quantile in RULES.items():
        window = window_at(forecasts, quantile)
        name = f"gallery_{rule.replace(' ', '_')}"
        figure = _side_by_side(forecasts, window, None)
        text = f"window of {rule} error of {next(iter(forecasts.models))}"
        pictures[name] = Picture(save_png_and_pdf(figure, folder, name, name_units), text)
    for number, approach in enumerate(close_approaches(forecasts), start=1):
        name = f"gallery_close_approach_{number}"
        figure = _side_by_side(forecasts, approach.window, approach.extent)
        ordinal = "closest approach" if number == 1 else f"closest approach, number {number},"
        text = f"{ordinal} of all windows: a pair at {approach.distance:.4f} length units"
        pictures[name] = Picture(save_png_and_pdf(figure, folder, name, name_units), text)
    median = window_at(forecasts, RULES["median"])
    first = next(iter(forecasts.models))
    past = forecasts.in_window(forecasts.windows.inputs, median)[..., :2]
    truth, positions = (
        forecasts.in_window(array, median)
        for array in (forecasts.windows.truth, forecasts.positions[first])
    )
    path = folder / "forecast.gif"
    unit = name_units("length units")
    animate_forecast(path, past, truth, positions, _extent(past, truth), first, unit=unit)
    pictures["animation"] = Picture(path, f"window of median error of {first}, step by step")
    return pictures


def _errors(forecasts: Forecasts) -> Any:
    """Mean absolute error of the first model on each window, [W]."""
    errors = np.abs(
        forecasts.positions[next(iter(forecasts.models))] - forecasts.windows.truth
    ).mean(axis=(1, 3))  # [W, N]
    mask = forecasts.windows.mask
    return np.average(errors, axis=1, weights=mask)


def window_at(forecasts: Forecasts, quantile: float) -> int:
    """The window at this quantile of the first model's mean absolute error; 0.5 is the median."""
    by_error = np.argsort(_errors(forecasts))
    return int(by_error[int(quantile * (len(by_error) - 1))])


def _side_by_side(forecasts: Forecasts, window: int, extent: Extent | None) -> Figure:
    names = list(forecasts.models)
    figure, axes = new_figure(SIDE * len(names), SIDE, columns=len(names), of_planes=True)
    for ax, name in zip(np.atleast_1d(axes), names, strict=True):
        errors = forecasts.in_window(forecasts.positions[name] - forecasts.windows.truth, window)
        title = f"{name} (MAE {np.abs(errors).mean():.3f})"
        draw_forecast(ax, forecasts, name, window, title, extent)
    return figure


def draw_forecast(
    ax: Any,
    forecasts: Forecasts,
    name: str,
    window: int,
    title: str,
    extent: Extent | None = None,
    legend: bool = True,
) -> None:
    """One model's forecast of one window over the truth, on the predicted density.

    Args:
        ax: where to draw.
        forecasts: of models and baselines.
        name: of the model.
        window: which one.
        title: of the axes.
        extent: x_min, x_max, y_min, y_max of what is shown; everything if none is given.
        legend: whether to say which line is which.
    """
    past = forecasts.in_window(forecasts.windows.inputs, window)[..., :2]
    truth, positions, parameters = (
        forecasts.in_window(array, window)
        for array in (
            forecasts.windows.truth,
            forecasts.positions[name],
            forecasts.parameters[name],
        )
    )
    extent = extent or _extent(past, truth)
    density = position_density(forecasts.models[name].distribution(parameters), extent, PIXELS)
    plot_forecast(ax, past, truth, positions, density, extent, title, legend)


def _extent(past: Any, truth: Any) -> Extent:
    half = 1.05 * float(max(np.abs(past).max(), np.abs(truth).max()))
    return (-half, half, -half, half)


def close_approaches(forecasts: Forecasts, count: int = NUM_CLOSE) -> list[CloseApproach]:
    """The closest approaches in the middle of a window, each of another simulation.

    Args:
        forecasts: of models and baselines.
        count: at most so many.

    Returns:
        The approaches, the closest one first.
    """
    windows = forecasts.windows
    if windows.truth.shape[2] < 2 or windows.mask is not None:
        return []  # padded particles would be close to everything in the centre
    distances, steps = closest_approach(windows.truth)  # [W, N]
    # In the middle of the window, so that there is a before and an after to be seen.
    last = windows.truth.shape[1] - 1
    margin = min(AROUND_CLOSE, last // 3)
    distances = np.where((steps >= margin) & (steps <= last - margin), distances, np.inf)
    chosen: list[CloseApproach] = []
    seen: set[int] = set()
    for flat in np.argsort(distances, axis=None, kind="stable"):
        window, particle = map(int, np.unravel_index(flat, distances.shape))
        simulation = int(windows.simulations[window])
        if not np.isfinite(distances[window, particle]) or len(chosen) == count:
            break
        if simulation in seen:
            continue
        seen.add(simulation)
        step, distance = int(steps[window, particle]), float(distances[window, particle])
        paths = windows.truth[window]  # [T', N, 2]
        x, y = map(float, paths[step, particle])
        gaps = np.linalg.norm(paths[step] - [x, y], axis=-1)
        gaps[particle] = np.inf
        around = paths[step - margin : step + margin + 1, particle]
        half = max(1.3 * float(np.abs(around - [x, y]).max()), 10 * distance)
        extent = (x - half, x + half, y - half, y + half)
        chosen.append(CloseApproach(window, step, (particle, int(gaps.argmin())), distance, extent))
    return chosen
