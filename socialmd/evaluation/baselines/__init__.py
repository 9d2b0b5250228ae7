"""Forecasts that a trained model has to beat, and one that knows the law of motion."""

from socialmd.evaluation.baselines.linear_autoregression import (
    LinearAutoregression as LinearAutoregression,
)
from socialmd.evaluation.baselines.plain_baselines import constant_position as constant_position
from socialmd.evaluation.baselines.plain_baselines import constant_velocity as constant_velocity
from socialmd.evaluation.baselines.plain_baselines import known_law as known_law

__all__ = ["LinearAutoregression", "constant_position", "constant_velocity", "known_law"]
