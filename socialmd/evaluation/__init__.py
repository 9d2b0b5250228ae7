"""How good a forecast is: arrays of truth and forecast -> numbers -> tables."""

from socialmd.evaluation.around_close_approaches import (
    AroundCloseApproaches as AroundCloseApproaches,
)
from socialmd.evaluation.around_close_approaches import (
    around_close_approaches as around_close_approaches,
)
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
from socialmd.evaluation.html_report import Figure as Figure
from socialmd.evaluation.html_report import Report as Report
from socialmd.evaluation.html_report import Section as Section
from socialmd.evaluation.html_table import Table as Table
from socialmd.evaluation.input_dependence import InputDependence as InputDependence
from socialmd.evaluation.learned_interaction import LearnedInteraction as LearnedInteraction
from socialmd.evaluation.predictive_density import PredictiveDensity as PredictiveDensity
from socialmd.evaluation.report import overall_table as overall_table
from socialmd.evaluation.report import step_table as step_table
from socialmd.evaluation.sample_metrics import SampleMetrics as SampleMetrics
from socialmd.evaluation.verdict import Verdict as Verdict
from socialmd.evaluation.verdict import comparison as comparison

__all__ = [
    "AroundCloseApproaches",
    "Calibration",
    "Conservation",
    "ErrorByClosestApproach",
    "Figure",
    "ForecastMetrics",
    "InputDependence",
    "LearnedInteraction",
    "PredictiveDensity",
    "Report",
    "SampleMetrics",
    "Section",
    "Table",
    "Verdict",
    "around_close_approaches",
    "closest_approach",
    "comparison",
    "error_by_closest_approach",
    "nearest_distances",
    "overall_table",
    "position_density",
    "step_table",
    "velocities",
]
