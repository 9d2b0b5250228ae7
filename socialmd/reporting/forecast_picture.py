"""Pictures of single forecasts, in windows that are chosen by rule."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from socialmd.evaluation import position_density
from socialmd.plots import plot_forecast
from socialmd.reporting.forecasts import Forecasts
from socialmd.types import Array, FloatArray

__all__ = ["draw_forecast", "extent_of", "first_errors", "window_at"]

PIXELS = 120

Extent = tuple[float, float, float, float]


def first_errors(forecasts: Forecasts) -> FloatArray:
    """Mean absolute error of the first model in each window, [W]."""
    name = next(iter(forecasts.models))
    errors = np.abs(forecasts.positions[name] - forecasts.windows.truth).mean(axis=(1, 3))  # [W, N]
    return np.asarray(np.average(errors, axis=1, weights=forecasts.windows.mask))


def window_at(forecasts: Forecasts, quantile: float) -> int:
    """The window at a quantile of the first model's mean absolute error; 0.5 is the median."""
    by_error = np.argsort(first_errors(forecasts))
    return int(by_error[int(quantile * (len(by_error) - 1))])


def draw_forecast(
    ax: Axes,
    forecasts: Forecasts,
    name: str,
    window: int,
    title: str,
    extent: Extent | None = None,
    legend: bool = True,
) -> None:
    """One model's forecast of one window over the truth, on the predicted density.

    Of three dimensions, x and y are drawn, without a density.

    Args:
        ax: where to draw.
        forecasts: of models and baselines.
        name: of the model.
        window: which one.
        title: of the axes.
        extent: x_min, x_max, y_min, y_max of what is shown; everything if none is given.
        legend: whether to say which line is which.
    """
    past, truth, positions = (
        forecasts.in_window(array, window)[..., :2]
        for array in (
            forecasts.windows.inputs,
            forecasts.windows.truth,
            forecasts.positions[name],
        )
    )
    extent, density = extent or extent_of(past, truth), None
    if forecasts.spatial_dims == 2:
        parameters = forecasts.in_window(forecasts.parameters[name], window)
        density = position_density(forecasts.models[name].distribution(parameters), extent, PIXELS)
    plot_forecast(ax, past, truth, positions, density, extent, title, legend)


def extent_of(past: Array, truth: Array) -> Extent:
    """Sides of a square about the origin in which all positions lie, [..., 2]."""
    half = 1.05 * float(max(np.abs(past).max(), np.abs(truth).max()))
    return (-half, half, -half, half)
