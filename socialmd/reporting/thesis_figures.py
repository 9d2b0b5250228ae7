"""Figures 8 and 29 to 34 of the thesis: a grid and forecasts that are chosen by rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from socialmd.config import ModelConfig
from socialmd.data import Windows
from socialmd.evaluation import NotPossibleError, baseline_names, closest_pairs
from socialmd.layers import StackedStatePooling
from socialmd.layers.grid import default_cells, find_neighbours
from socialmd.plots import new_figure, plot_errors, plot_stacked_grids
from socialmd.plots.forecast import add_legend
from socialmd.plots.style import FORECAST_COLOR, PAST_COLOR, TRUTH_COLOR
from socialmd.reporting import Drawing, Forecasts
from socialmd.reporting.measures.close_encounters import (
    CLOSE,
    draw_around,
    sigma_and_error_around,
)
from socialmd.reporting.measures.forecast_gallery import draw_forecast, window_at

__all__ = ["draw_around_close_approaches", "draw_close_approaches", "draw_pooling", "draw_window"]

SIDE = 4.6  # inches, of one grid
FORECAST = (
    "Forecast (red) over the truth (white) on the predicted density of all steps together, whose "
    "colours follow its fourth root; grey, what was given."
)
LABELLED_DENSITIES = 10.0 ** np.arange(-2, 5)
BRIGHTEST = 0.999  # of all pixels; the first steps are so certain that they would outshine the rest


def draw_pooling(config: ModelConfig, windows: Windows) -> Drawing:
    """The grids of one particle, chosen at the last frames that are given; a panel for each.

    Raises:
        NotPossibleError: the model has no grids, or no particle has a neighbour on the smallest.
    """
    sizes, circles = config.grid_sizes, config.distance_filter
    cells = config.grid_cells or default_cells(2)
    if not sizes:
        raise NotPossibleError("the model has no grids")
    frames = windows.inputs[:, -1, :, :2]  # [W, N, 2]
    mask = windows.is_real
    _, neighbours = find_neighbours(frames, [min(sizes)], circles, mask)
    near = np.asarray(neighbours).sum(axis=(2, 3)) * mask  # [W, N]
    if not near.any():
        raise NotPossibleError("no particle has a neighbour on its smallest grid")
    window, particle = np.unravel_index(near.argmax(), near.shape)
    # Real particles come first: leaving the padded ones away renumbers none.
    frame = frames[window][mask[window]]
    ones = np.ones((1, len(frame), 1), "float32")
    layers = [StackedStatePooling([side], cells, circles) for side in sizes]
    counts = [np.asarray(layer(frame[None], ones))[0, particle, ..., 0] for layer in layers]

    rows, columns = -(-len(sizes) // 2), min(len(sizes), 2)
    size = (SIDE * columns + 0.8, SIDE * rows + 0.9)
    figure = Figure(size, layout="constrained", dpi=150)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in axes[len(sizes) :]:
        empty.set_axis_off()
    offsets = np.delete(frame - frame[particle], particle, axis=0)
    image = plot_stacked_grids(axes[: len(sizes)], offsets, counts, sizes, circles)
    ticks = np.arange(1, np.max(counts) + 1)
    figure.colorbar(image, ax=axes, ticks=ticks, label="neighbours in a cell", shrink=0.5)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return Drawing(
        figure,
        f"particle with the most neighbours on its smallest grid, in {len(frames)} frames",
        f"Stacked state pooling on {len(sizes)} grids of {cells} x {cells} "
        "cells: the states of the neighbours on each are summed by cell, and the grids are added. "
        f"Particle {particle} of test simulation {windows.simulations[window]}.",
    )


def draw_window(
    forecasts: Forecasts, rule: str, quantile: float, with_errors: bool = True
) -> Drawing:
    """The forecast of a window at a quantile, named by the rule, of the mean absolute error.

    Beside it stand the errors of all forecasts there, of one model and of baselines.
    """
    (name,), window = forecasts.models, window_at(forecasts, quantile)
    truth, simulations = forecasts.windows.truth, forecasts.windows.simulations
    figure, axes = new_figure(13 if with_errors else 7.8, 6.2, columns=1 + with_errors)
    ax, *others = np.atleast_1d(axes)
    title = f"{name}, test simulation {simulations[window]}"
    draw_forecast(ax, forecasts, name, window, title, legend=False)
    add_legend(figure, ("given", "truth", "forecast"))
    _add_color_bar(figure, [ax])
    errors = {
        each: np.abs(forecasts.in_window(positions - truth, window)).mean(axis=(1, 2))
        for each, positions in forecasts.positions.items()
    }
    for ax in others:
        plot_errors(ax, errors, title="Errors in this window", baselines=baseline_names())
    return Drawing(
        figure,
        f"window at the {rule} of the error: MAE {errors[name].mean():.3f} length units, "
        f"{len(truth)} windows",
        FORECAST + " Right: error of all forecasts by step." * with_errors,
    )


def draw_close_approaches(forecasts: Forecasts, count: int = 3) -> Drawing:
    """Zoomed in on the closest approaches, each of another simulation, a panel for each.

    Raises:
        NotPossibleError: there is none.
    """
    (name,), windows = forecasts.models, forecasts.windows
    chosen = closest_pairs(windows, count)
    if not chosen:
        raise NotPossibleError("no particle is closest to another one in the middle of a window")
    figure, axes = new_figure(5.2 * len(chosen) + 0.8, 6, columns=len(chosen))
    axes = list(np.atleast_1d(axes))
    for ax, (window, step, pair, distance, extent) in zip(axes, chosen, strict=True):
        simulation = windows.simulations[window]
        title = f"Simulation {simulation}, step {step + 1}: {distance:.2g} length units"
        draw_forecast(ax, forecasts, name, window, title, extent, legend=False)
        for positions, color, size in (
            (windows.truth[window], TRUTH_COLOR, 70),
            (forecasts.positions[name][window], FORECAST_COLOR, 40),
        ):
            paths = positions[:, list(pair)]  # [T', 2, 2]
            ax.plot(*np.moveaxis(paths, -1, 0), color=color, marker=".", linewidth=0)
            ax.scatter(*paths[step].T, s=size, c=color, edgecolors=PAST_COLOR, zorder=4)
    _add_color_bar(figure, axes)
    add_legend(figure, ("given", "truth", "forecast"))
    return Drawing(
        figure,
        f"closest approaches in the middle of {len(windows.truth)} windows, each of another test "
        "simulation",
        FORECAST + " The two particles have a dot at each step, and a large one at that of their "
        "closest approach, whose distance is given.",
    )


def draw_around_close_approaches(forecasts: Forecasts) -> Drawing:
    """Predicted sigma and error before and after close approaches.

    Raises:
        NotPossibleError: the windows hold no such approach.
    """
    (name,) = forecasts.models
    try:
        around = sigma_and_error_around(forecasts, name)
    except ValueError as error:  # few data may hold no such event
        raise NotPossibleError(str(error)) from None
    figure, ax = new_figure(7, 5.4)
    counts = f"{around['sigma'].count} approaches, {around['sigma'].control_count} controls"
    draw_around(ax, around, f"{name}: {counts}")
    return Drawing(
        figure,
        f"the {CLOSE:.0%} of all particles that come closest to another one",
        "Predicted standard deviation (red) and actual error (black) before and after close "
        "approaches, medians in a band of quartiles. Dashed: particles that stay away from all "
        "others, at the same steps ahead.",
    )


def _add_color_bar(figure: Figure, axes: Sequence[Axes]) -> None:
    """One scale for the densities of these axes, which are drawn as fourth roots."""
    images = [image for ax in axes for image in ax.images]
    brightest = max(np.quantile(np.asarray(image.get_array()), BRIGHTEST) for image in images)
    for image in images:
        image.set_clim(0.0, brightest)
    figure.colorbar(
        images[0],
        ax=axes,
        ticks=LABELLED_DENSITIES**0.25,
        format=lambda root, _: f"{root**4:.3g}",
        extend="max",
        label="predicted density (particles per unit of area)",
    )
