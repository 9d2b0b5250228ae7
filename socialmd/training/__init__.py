"""Training: optimizer, callbacks, and a fit that can be interrupted and continued."""

from socialmd.training.compile_model import compile_model as compile_model
from socialmd.training.fit import fit as fit
from socialmd.training.forecast_images import ForecastImages as ForecastImages
from socialmd.training.history import read_history as read_history

__all__ = ["ForecastImages", "compile_model", "fit", "read_history"]
