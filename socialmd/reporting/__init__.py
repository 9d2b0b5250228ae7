"""Trained models and data -> an evaluation report: forecasts, numbers, figures, one page."""

from socialmd.reporting.diagnosis import Diagnosis as Diagnosis
from socialmd.reporting.diagnosis import diagnose as diagnose
from socialmd.reporting.diagnosis import draw_configurations as draw_configurations
from socialmd.reporting.diagnosis import draw_dependence as draw_dependence
from socialmd.reporting.figures import draw_figures as draw_figures
from socialmd.reporting.figures import save_png_and_pdf as save_png_and_pdf
from socialmd.reporting.forecasts import BASELINES as BASELINES
from socialmd.reporting.forecasts import Forecasts as Forecasts
from socialmd.reporting.forecasts import forecast_windows as forecast_windows
from socialmd.reporting.gallery import draw_gallery as draw_gallery
from socialmd.reporting.gallery import draw_overview as draw_overview
from socialmd.reporting.html_report import Figure as Figure
from socialmd.reporting.html_report import Report as Report
from socialmd.reporting.html_report import Section as Section
from socialmd.reporting.html_table import Table as Table
from socialmd.reporting.load_models import compare_windows as compare_windows
from socialmd.reporting.load_models import load_models as load_models
from socialmd.reporting.measurements import Measurements as Measurements
from socialmd.reporting.measurements import measure as measure
from socialmd.reporting.page import compose_report as compose_report
from socialmd.reporting.text_tables import overall_table as overall_table
from socialmd.reporting.text_tables import step_table as step_table

__all__ = [
    "BASELINES",
    "Diagnosis",
    "Figure",
    "Forecasts",
    "Measurements",
    "Report",
    "Section",
    "Table",
    "compare_windows",
    "compose_report",
    "diagnose",
    "draw_configurations",
    "draw_dependence",
    "draw_figures",
    "draw_gallery",
    "draw_overview",
    "forecast_windows",
    "load_models",
    "measure",
    "overall_table",
    "save_png_and_pdf",
    "step_table",
]
