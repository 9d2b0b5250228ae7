"""A forecast that moves."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from socialmd.plots.forecast import add_legend, plot_forecast
from socialmd.plots.style import FORECAST_COLOR, TRUTH_COLOR, label_plane, new_figure

__all__ = ["animate_forecast"]


def animate_forecast(
    path: str | Path,
    past: ArrayLike,
    truth: ArrayLike,
    forecast: ArrayLike,
    extent: tuple[float, float, float, float],
    title: str = "Forecast",
    frames_per_second: int = 8,
    unit: str = "length units",
) -> None:
    """Write a GIF in which truth and forecast advance together, with the last steps as tails.

    Args:
        path: the file to write.
        past: positions that the model was given, [T, N, 2], in units of length.
        truth: positions that followed, [T', N, 2].
        forecast: predicted mean positions, [T', N, 2].
        extent: x_min, x_max, y_min, y_max of what is shown.
        title: of the picture.
        frames_per_second: speed.
        unit: of the positions.

    Example:
        >>> past, truth = inputs[0, ..., :2], targets[0]
        >>> animate_forecast("forecast.gif", past, truth, positions[0], extent=(-4, 4, -4, 4))
    """
    past = np.asarray(past, float)
    paths = [np.concatenate([past[-1:], np.asarray(part, float)]) for part in (truth, forecast)]
    figure, ax = new_figure(4.8, 4.8)
    figure.set_dpi(80)
    plot_forecast(ax, past, truth, paths[1], extent=extent, legend=False)
    for still in [*ax.collections, *ax.texts]:  # the axes stay, the still lines and numbers go
        still.remove()
    add_legend(ax, ("truth", "forecast"))
    label_plane(ax, unit)
    colors = (TRUTH_COLOR, FORECAST_COLOR)
    dots = [ax.scatter([], [], s=s, color=c) for s, c in zip((26, 10), colors, strict=True)]
    tails: list[list[Line2D]] = [
        [ax.plot([], [], color=color, linewidth=1)[0] for _ in range(past.shape[1])]
        for color in colors
    ]

    def draw(step: int) -> list[Line2D]:
        for path, dot, lines in zip(paths, dots, tails, strict=True):
            dot.set_offsets(path[step])
            for particle, line in enumerate(lines):
                line.set_data(*path[max(0, step - 6) : step + 1, particle].T)
        ax.set_title(f"{title}: step {step} of {len(paths[0]) - 1}")
        return [line for lines in tails for line in lines]

    steps = [0] * 3 + list(range(len(paths[0]))) + [len(paths[0]) - 1] * 6
    temporary = Path(path).with_name(f".{Path(path).name}")  # appears when it is complete
    writer = PillowWriter(fps=frames_per_second)
    try:
        FuncAnimation(figure, draw, frames=steps).save(temporary, writer=writer)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
