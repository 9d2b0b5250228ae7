"""Figures: arrays -> Axes. Reads no file, knows no model; NumPy and Matplotlib only."""

from socialmd.plots.animation import animate_forecast as animate_forecast
from socialmd.plots.calibration import plot_coverage as plot_coverage
from socialmd.plots.calibration import plot_pit as plot_pit
from socialmd.plots.calibration import plot_spread as plot_spread
from socialmd.plots.calibration import plot_spread_skill as plot_spread_skill
from socialmd.plots.close_approaches import (
    plot_around_close_approaches as plot_around_close_approaches,
)
from socialmd.plots.close_approaches import (
    plot_error_by_closest_approach as plot_error_by_closest_approach,
)
from socialmd.plots.comparison import plot_learning_curves as plot_learning_curves
from socialmd.plots.configurations import plot_configuration as plot_configuration
from socialmd.plots.density import plot_density as plot_density
from socialmd.plots.errors import plot_errors as plot_errors
from socialmd.plots.forecast import plot_forecast as plot_forecast
from socialmd.plots.grids import plot_stacked_grids as plot_stacked_grids
from socialmd.plots.interaction import draw_learned_interaction as draw_learned_interaction
from socialmd.plots.interaction import plot_interaction_errors as plot_interaction_errors
from socialmd.plots.interaction import plot_interaction_map as plot_interaction_map
from socialmd.plots.interaction import plot_learned_interaction as plot_learned_interaction
from socialmd.plots.losses import plot_losses as plot_losses
from socialmd.plots.molecules import plot_flattened_slice as plot_flattened_slice
from socialmd.plots.molecules import plot_radial_counts as plot_radial_counts
from socialmd.plots.molecules import plot_radial_means as plot_radial_means
from socialmd.plots.molecules import plot_slice_edge_on as plot_slice_edge_on
from socialmd.plots.molecules import plot_slice_in_space as plot_slice_in_space
from socialmd.plots.physics import plot_conservation as plot_conservation
from socialmd.plots.physics import plot_nearest_distances as plot_nearest_distances
from socialmd.plots.search import plot_importances as plot_importances
from socialmd.plots.search import plot_loss_surface as plot_loss_surface
from socialmd.plots.search import plot_search_progress as plot_search_progress
from socialmd.plots.style import new_figure as new_figure
from socialmd.plots.trajectories import plot_trajectories as plot_trajectories

__all__ = [
    "animate_forecast",
    "draw_learned_interaction",
    "new_figure",
    "plot_around_close_approaches",
    "plot_configuration",
    "plot_conservation",
    "plot_coverage",
    "plot_density",
    "plot_error_by_closest_approach",
    "plot_errors",
    "plot_flattened_slice",
    "plot_forecast",
    "plot_importances",
    "plot_interaction_errors",
    "plot_interaction_map",
    "plot_learned_interaction",
    "plot_learning_curves",
    "plot_loss_surface",
    "plot_losses",
    "plot_nearest_distances",
    "plot_pit",
    "plot_radial_counts",
    "plot_radial_means",
    "plot_search_progress",
    "plot_slice_edge_on",
    "plot_slice_in_space",
    "plot_spread",
    "plot_spread_skill",
    "plot_stacked_grids",
    "plot_trajectories",
]
