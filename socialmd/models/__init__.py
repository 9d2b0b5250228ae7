"""Models of particles in motion: build, train, load, forecast, export."""

import importlib
from typing import TYPE_CHECKING, Any

from socialmd.models.build_model import build_model as build_model
from socialmd.models.conservation_filters import ConservationFilters as ConservationFilters
from socialmd.models.filtered_model import FilteredModel as FilteredModel
from socialmd.models.forecast_model import ForecastModel as ForecastModel
from socialmd.models.interaction_lstm import InteractionLSTM as InteractionLSTM
from socialmd.models.one_call import Forecast as Forecast
from socialmd.models.one_call import forecast as forecast
from socialmd.models.one_call import load as load
from socialmd.models.sequence_lstm import SequenceLSTM as SequenceLSTM
from socialmd.models.social_lstm import SocialLSTM as SocialLSTM

if TYPE_CHECKING:
    from socialmd.models.saved_model import export_saved_model as export_saved_model

__all__ = [
    "ConservationFilters",
    "FilteredModel",
    "Forecast",
    "ForecastModel",
    "InteractionLSTM",
    "SequenceLSTM",
    "SocialLSTM",
    "build_model",
    "export_saved_model",
    "forecast",
    "load",
]


def __getattr__(name: str) -> Any:
    """What needs TensorFlow is imported when it is first used."""
    if name == "export_saved_model":
        return importlib.import_module("socialmd.models.saved_model").export_saved_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
