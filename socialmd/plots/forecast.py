"""Paths of particles: simulated, forecast over the truth, and moving."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from socialmd.plots.style import (
    DENSITY_COLORS,
    FORECAST_COLOR,
    PAST_COLOR,
    TRUTH_COLOR,
    draw_paths,
    label_plane,
    new_figure,
    number_particles,
)

__all__ = ["add_legend", "animate_forecast", "plot_forecast", "plot_trajectories"]


def plot_trajectories(ax: Axes, positions: ArrayLike, title: str = "Trajectories") -> None:
    """Each particle's path in a colour of its own, fading in with time; a dot where it ends.

    Args:
        ax, title: axes, and what is written above them.
        positions: [frames, N, 2], in units of length.

    Example:
        >>> figure, ax = new_figure(6, 6)
        >>> plot_trajectories(ax, frames[:, :, :2])
    """
    positions = np.asarray(positions, float)
    hues = matplotlib.colormaps["turbo"](np.linspace(0.05, 0.95, positions.shape[1]))
    for particle, hue in enumerate(hues):
        draw_paths(ax, positions[:, particle : particle + 1], to_hex(hue), fade=True)
    x, y = positions[-1].T
    ax.scatter(x, y, c=hues, s=18, zorder=3, edgecolors="black", linewidths=0.4)
    ax.autoscale_view()
    label_plane(ax)
    ax.set_title(title)


def plot_forecast(
    ax: Axes,
    past: ArrayLike,
    truth: ArrayLike | None,
    forecast: ArrayLike,
    density: ArrayLike | None = None,
    extent: tuple[float, float, float, float] | None = None,
    title: str = "Forecast",
    legend: bool = True,
    plane: str = "xy",
) -> None:
    """Forecast in red over the truth in white, on the predicted density as a colour gradient.

    Each particle's number stands where truth and forecast end: figure 29 of the thesis.

    Args:
        ax, title: axes, and what is written above them.
        past: positions that the model was given, [T, N, 2], in units of length.
        truth: positions that followed, [T', N, 2], if they are known.
        forecast: predicted mean positions, [T', N, 2].
        density: predicted density of particles, averaged over the steps, [rows along y, columns
            along x], per unit of area; the colours follow its fourth root, because densities span
            orders of magnitude.
        extent: x_min, x_max, y_min, y_max of the density and of what is shown.
        legend: whether to say which line is which.
        plane: names of the two coordinates.

    Example:
        >>> figure, ax = new_figure(5, 5)
        >>> plot_forecast(ax, inputs[0, ..., :2], targets[0], positions[0])
    """
    past = np.asarray(past, float)
    ax.set_facecolor(DENSITY_COLORS(0.0))
    if density is not None:
        look: dict[str, Any] = {"cmap": DENSITY_COLORS, "interpolation": "bilinear"}
        ax.imshow(np.asarray(density) ** 0.25, origin="lower", extent=extent, **look)
    draw_paths(ax, past, PAST_COLOR, width=1.0)
    ends = []
    for positions, color, width in ((truth, TRUTH_COLOR, 1.6), (forecast, FORECAST_COLOR, 1.1)):
        if positions is not None:
            path = np.concatenate([past[-1:], np.asarray(positions, float)])
            draw_paths(ax, path, color, width)
            ends.append((path[-1], color))
    x, y = past[-1].T
    ax.scatter(x, y, color=PAST_COLOR, s=9, zorder=3)
    for positions, color in reversed(ends):
        number_particles(ax, positions, color)
    label_plane(ax, plane=plane)
    if extent is None:
        ax.autoscale_view()
    else:
        ax.set(xlim=extent[:2], ylim=extent[2:])
    ax.set_title(title)
    if legend:
        add_legend(ax, ("given", "forecast") if truth is None else ("given", "truth", "forecast"))


def add_legend(where: Axes | Figure, names: Sequence[str]) -> None:
    """Say which colour is which on the dark ground: some of "given", "truth" and "forecast".

    A figure gets one legend for all of its axes, below them.
    """
    below = isinstance(where, Figure)
    colors = {"given": PAST_COLOR, "truth": TRUTH_COLOR, "forecast": FORECAST_COLOR}
    where.legend(
        handles=[Line2D([], [], color=colors[name], label=name, linewidth=2) for name in names],
        loc="outside lower center" if below else "upper right",
        ncols=len(names) if below else 1,
        fontsize=8,
        facecolor=DENSITY_COLORS(0.0),
        framealpha=1.0 if below else None,
        labelcolor="white",
    )


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
        past, truth, forecast, extent, title: as for `plot_forecast`.
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
