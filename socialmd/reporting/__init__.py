"""Trained models and data -> an evaluation report: forecasts, numbers, figures, one page."""

from socialmd.reporting.figure_folder import Drawing as Drawing
from socialmd.reporting.figure_folder import FigureFolder as FigureFolder
from socialmd.reporting.forecast_evaluation import ForecastEvaluation as ForecastEvaluation
from socialmd.reporting.forecasts import Forecasts as Forecasts
from socialmd.reporting.forecasts import forecast_windows as forecast_windows
from socialmd.reporting.html_report import Picture as Picture
from socialmd.reporting.html_report import Report as Report
from socialmd.reporting.html_report import Section as Section
from socialmd.reporting.html_report import fill as fill
from socialmd.reporting.html_table import Table as Table
from socialmd.reporting.load_models import compare_windows as compare_windows
from socialmd.reporting.load_models import load_models as load_models
from socialmd.reporting.measure import Measure as Measure
from socialmd.reporting.measure import register_measure as register_measure
from socialmd.reporting.text_tables import overall_table as overall_table
from socialmd.reporting.text_tables import step_table as step_table

# isort: split
from socialmd.reporting import measures as measures  # which import the names above

__all__ = [
    "Drawing",
    "FigureFolder",
    "ForecastEvaluation",
    "Forecasts",
    "Measure",
    "Picture",
    "Report",
    "Section",
    "Table",
    "compare_windows",
    "fill",
    "forecast_windows",
    "load_models",
    "measures",
    "overall_table",
    "register_measure",
    "step_table",
]
