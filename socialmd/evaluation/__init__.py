"""How good a forecast is: arrays of truth and forecast -> numbers -> tables."""

from socialmd.evaluation.around_close_approaches import (
    AroundCloseApproaches as AroundCloseApproaches,
)
from socialmd.evaluation.around_close_approaches import (
    around_close_approaches as around_close_approaches,
)
from socialmd.evaluation.baselines import LinearAutoregression as LinearAutoregression
from socialmd.evaluation.baselines import constant_position as constant_position
from socialmd.evaluation.baselines import constant_velocity as constant_velocity
from socialmd.evaluation.baselines import known_law as known_law
from socialmd.evaluation.calibration import Calibration as Calibration
from socialmd.evaluation.close_approaches import closest_approach as closest_approach
from socialmd.evaluation.close_approaches import nearest_distances as nearest_distances
from socialmd.evaluation.conservation import Conservation as Conservation
from socialmd.evaluation.conservation import velocities as velocities
from socialmd.evaluation.density import position_density as position_density
from socialmd.evaluation.error_by_closest_approach import (
    ErrorByClosestApproach as ErrorByClosestApproach,
)
from socialmd.evaluation.error_by_closest_approach import (
    error_by_closest_approach as error_by_closest_approach,
)
from socialmd.evaluation.forecast_metrics import ForecastMetrics as ForecastMetrics
from socialmd.evaluation.input_dependence import InputDependence as InputDependence
from socialmd.evaluation.learned_interaction import LearnedInteraction as LearnedInteraction
from socialmd.evaluation.predictive_density import PredictiveDensity as PredictiveDensity
from socialmd.evaluation.sample_metrics import SampleMetrics as SampleMetrics
from socialmd.evaluation.verdict import Verdict as Verdict
from socialmd.evaluation.verdict import comparison as comparison

__all__ = [
    "AroundCloseApproaches",
    "Calibration",
    "Conservation",
    "ErrorByClosestApproach",
    "ForecastMetrics",
    "InputDependence",
    "LearnedInteraction",
    "LinearAutoregression",
    "PredictiveDensity",
    "SampleMetrics",
    "Verdict",
    "around_close_approaches",
    "closest_approach",
    "comparison",
    "constant_position",
    "constant_velocity",
    "error_by_closest_approach",
    "known_law",
    "nearest_distances",
    "position_density",
    "velocities",
]
