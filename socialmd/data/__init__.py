"""Data sets, from trajectories on disk to batches: load, check, subsample, window, rotate."""

import importlib
from typing import TYPE_CHECKING, Any

from socialmd.data.dataset_description import DatasetDescription as DatasetDescription
from socialmd.data.dataset_description import describe_dataset as describe_dataset
from socialmd.data.feature_layout import FeatureBlock as FeatureBlock
from socialmd.data.feature_layout import FeatureLayout as FeatureLayout
from socialmd.data.forecast_task import ForecastTask as ForecastTask
from socialmd.data.forecast_task import read_forecast_task as read_forecast_task
from socialmd.data.load_trajectories import Trajectories as Trajectories
from socialmd.data.load_trajectories import load_trajectories as load_trajectories
from socialmd.data.masked_inputs import real_particles as real_particles
from socialmd.data.windows import Windows as Windows
from socialmd.data.windows import first_frames as first_frames
from socialmd.data.windows import read_windows as read_windows

if TYPE_CHECKING:
    from socialmd.data.input_pipeline import make_dataset as make_dataset

__all__ = [
    "DatasetDescription",
    "FeatureBlock",
    "FeatureLayout",
    "ForecastTask",
    "Trajectories",
    "Windows",
    "describe_dataset",
    "first_frames",
    "load_trajectories",
    "make_dataset",
    "read_forecast_task",
    "read_windows",
    "real_particles",
]


def __getattr__(name: str) -> Any:
    """What needs Keras is imported when it is first used."""
    if name == "make_dataset":
        return importlib.import_module("socialmd.data.input_pipeline").make_dataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
