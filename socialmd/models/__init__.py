"""Models: the social LSTM, its loss and metric, and the forecasts it has to beat."""

from socialmd.models.build_model import build_model as build_model
from socialmd.models.negative_log_likelihood import NegativeLogLikelihood as NegativeLogLikelihood
from socialmd.models.position_error import PositionError as PositionError
from socialmd.models.social_lstm import SocialLSTM as SocialLSTM

__all__ = ["NegativeLogLikelihood", "PositionError", "SocialLSTM", "build_model"]
