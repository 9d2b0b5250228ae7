"""Numbers that say how good a forecast is, of arrays of truth and forecast; baselines."""

from socialmd.evaluation.baselines import Baseline as Baseline
from socialmd.evaluation.baselines import ConstantPosition as ConstantPosition
from socialmd.evaluation.baselines import ConstantVelocity as ConstantVelocity
from socialmd.evaluation.baselines import KnownData as KnownData
from socialmd.evaluation.baselines import KnownLaw as KnownLaw
from socialmd.evaluation.baselines import LangevinDynamics as LangevinDynamics
from socialmd.evaluation.baselines import LinearAutoregression as LinearAutoregression
from socialmd.evaluation.baselines import baseline_names as baseline_names
from socialmd.evaluation.baselines import make_baselines as make_baselines
from socialmd.evaluation.baselines import register_baseline as register_baseline
from socialmd.evaluation.calibration import Calibration as Calibration
from socialmd.evaluation.checks import NotPossibleError as NotPossibleError
from socialmd.evaluation.close_approaches import AroundCloseApproaches as AroundCloseApproaches
from socialmd.evaluation.close_approaches import ErrorByClosestApproach as ErrorByClosestApproach
from socialmd.evaluation.close_approaches import around_close_approaches as around_close_approaches
from socialmd.evaluation.close_approaches import (
    error_by_closest_approach as error_by_closest_approach,
)
from socialmd.evaluation.conservation import Conservation as Conservation
from socialmd.evaluation.conservation import velocities as velocities
from socialmd.evaluation.forecast_metrics import ForecastMetrics as ForecastMetrics
from socialmd.evaluation.forecaster import Forecaster as Forecaster
from socialmd.evaluation.input_dependence import InputDependence as InputDependence
from socialmd.evaluation.learned_interaction import LearnedInteraction as LearnedInteraction
from socialmd.evaluation.nearest_distances import ClosePair as ClosePair
from socialmd.evaluation.nearest_distances import ClosestApproach as ClosestApproach
from socialmd.evaluation.nearest_distances import closest_approach as closest_approach
from socialmd.evaluation.nearest_distances import closest_pairs as closest_pairs
from socialmd.evaluation.nearest_distances import nearest_distances as nearest_distances
from socialmd.evaluation.orientation_metrics import OrientationMetrics as OrientationMetrics
from socialmd.evaluation.orientation_metrics import angles_between as angles_between
from socialmd.evaluation.position_density import position_density as position_density
from socialmd.evaluation.predictive_density import PredictiveDensity as PredictiveDensity
from socialmd.evaluation.sample_metrics import SampleMetrics as SampleMetrics
from socialmd.evaluation.verdict import Verdict as Verdict
from socialmd.evaluation.verdict import comparison as comparison

__all__ = [
    "AroundCloseApproaches",
    "Baseline",
    "Calibration",
    "ClosePair",
    "ClosestApproach",
    "Conservation",
    "ConstantPosition",
    "ConstantVelocity",
    "ErrorByClosestApproach",
    "ForecastMetrics",
    "Forecaster",
    "InputDependence",
    "KnownData",
    "KnownLaw",
    "LangevinDynamics",
    "LearnedInteraction",
    "LinearAutoregression",
    "NotPossibleError",
    "OrientationMetrics",
    "PredictiveDensity",
    "SampleMetrics",
    "Verdict",
    "angles_between",
    "around_close_approaches",
    "baseline_names",
    "closest_approach",
    "closest_pairs",
    "comparison",
    "error_by_closest_approach",
    "make_baselines",
    "nearest_distances",
    "position_density",
    "register_baseline",
    "velocities",
]
