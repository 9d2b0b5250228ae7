"""Figures: arrays -> Axes. Reads no file, knows no model; NumPy and Matplotlib only."""

from socialmd.plots.density import plot_density as plot_density
from socialmd.plots.forecast import animate_forecast as animate_forecast
from socialmd.plots.forecast import plot_forecast as plot_forecast
from socialmd.plots.forecast import plot_trajectories as plot_trajectories
from socialmd.plots.grids import plot_stacked_grids as plot_stacked_grids
from socialmd.plots.interaction import draw_learned_interaction as draw_learned_interaction
from socialmd.plots.learning_curves import plot_learning_curves as plot_learning_curves
from socialmd.plots.learning_curves import plot_losses as plot_losses
from socialmd.plots.molecule_slices import plot_flattened_slice as plot_flattened_slice
from socialmd.plots.molecule_slices import plot_radial_counts as plot_radial_counts
from socialmd.plots.molecule_slices import plot_radial_means as plot_radial_means
from socialmd.plots.molecule_slices import plot_slice_edge_on as plot_slice_edge_on
from socialmd.plots.molecule_slices import plot_slice_in_space as plot_slice_in_space
from socialmd.plots.poses import plot_poses as plot_poses
from socialmd.plots.search_results import plot_importances as plot_importances
from socialmd.plots.search_results import plot_loss_surface as plot_loss_surface
from socialmd.plots.search_results import plot_search_progress as plot_search_progress
from socialmd.plots.step_curves import plot_coverage as plot_coverage
from socialmd.plots.step_curves import plot_errors as plot_errors
from socialmd.plots.strands import plot_strands as plot_strands
from socialmd.plots.style import new_figure as new_figure

__all__ = [
    "animate_forecast",
    "draw_learned_interaction",
    "new_figure",
    "plot_coverage",
    "plot_density",
    "plot_errors",
    "plot_flattened_slice",
    "plot_forecast",
    "plot_importances",
    "plot_learning_curves",
    "plot_loss_surface",
    "plot_losses",
    "plot_poses",
    "plot_radial_counts",
    "plot_radial_means",
    "plot_search_progress",
    "plot_slice_edge_on",
    "plot_slice_in_space",
    "plot_stacked_grids",
    "plot_strands",
    "plot_trajectories",
]
