"""How good a forecast is: arrays of truth and forecast -> numbers -> tables."""

from socialmd.evaluation.density import position_density as position_density
from socialmd.evaluation.forecast_metrics import ForecastMetrics as ForecastMetrics
from socialmd.evaluation.report import comparison as comparison
from socialmd.evaluation.report import overall_table as overall_table
from socialmd.evaluation.report import step_table as step_table

__all__ = ["ForecastMetrics", "comparison", "overall_table", "position_density", "step_table"]
