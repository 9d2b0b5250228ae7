"""Optimizer, loss and metric of the thesis."""

from __future__ import annotations

import keras

from socialmd.config import TrainingConfig
from socialmd.models import NegativeLogLikelihood, PositionError, SocialLSTM

__all__ = ["compile_model"]


def compile_model(model: SocialLSTM, config: TrainingConfig) -> None:
    """Compile with Nadam, negative log-likelihood and mean absolute error (thesis section 4.5).

    Args:
        model: the model; compiled in place.
        config: learning rate, moments and clipping.

    Example:
        >>> compile_model(model, load_config("models/thesis.toml").training)
    """
    optimizer = keras.optimizers.Nadam(
        config.learning_rate,
        beta_1=config.beta_1,
        beta_2=config.beta_2,
        epsilon=config.epsilon,
        global_clipnorm=config.gradient_clip_norm,
    )
    name = model.distribution_name
    model.compile(optimizer, loss=NegativeLogLikelihood(name), metrics=[PositionError(name)])
