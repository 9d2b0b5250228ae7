"""Models, their losses and metric, and the forecasts that they have to beat."""

from socialmd.models.baselines import constant_position as constant_position
from socialmd.models.baselines import constant_velocity as constant_velocity
from socialmd.models.baselines import known_law as known_law
from socialmd.models.build_model import build_model as build_model
from socialmd.models.energy_score import EnergyScore as EnergyScore
from socialmd.models.export_saved_model import export_saved_model as export_saved_model
from socialmd.models.forecast_model import ForecastModel as ForecastModel
from socialmd.models.interaction_lstm import InteractionLSTM as InteractionLSTM
from socialmd.models.linear_autoregression import LinearAutoregression as LinearAutoregression
from socialmd.models.load_model import load as load
from socialmd.models.load_model import load_model as load_model
from socialmd.models.negative_log_likelihood import NegativeLogLikelihood as NegativeLogLikelihood
from socialmd.models.position_error import PositionError as PositionError
from socialmd.models.sequence_lstm import SequenceLSTM as SequenceLSTM
from socialmd.models.social_lstm import SocialLSTM as SocialLSTM
from socialmd.models.student_t_error import StudentTError as StudentTError

__all__ = [
    "EnergyScore",
    "ForecastModel",
    "InteractionLSTM",
    "LinearAutoregression",
    "NegativeLogLikelihood",
    "PositionError",
    "SequenceLSTM",
    "SocialLSTM",
    "StudentTError",
    "build_model",
    "constant_position",
    "constant_velocity",
    "export_saved_model",
    "known_law",
    "load",
    "load_model",
]
