"""Figures: arrays -> Axes. Reads no file, knows no model; NumPy and Matplotlib only."""

from socialmd.plots.animation import animate_forecast as animate_forecast
from socialmd.plots.comparison import plot_learning_curves as plot_learning_curves
from socialmd.plots.errors import plot_errors as plot_errors
from socialmd.plots.forecast import plot_forecast as plot_forecast
from socialmd.plots.losses import plot_losses as plot_losses
from socialmd.plots.style import new_figure as new_figure
from socialmd.plots.trajectories import plot_trajectories as plot_trajectories

__all__ = [
    "animate_forecast",
    "new_figure",
    "plot_errors",
    "plot_forecast",
    "plot_learning_curves",
    "plot_losses",
    "plot_trajectories",
]
