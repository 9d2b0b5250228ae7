"""Optimizer, loss and metric of the thesis."""

from __future__ import annotations

import warnings

import keras

from socialmd.config import TrainingConfig
from socialmd.models import ForecastModel, NegativeLogLikelihood, PositionError
from socialmd.training.mirrored_nadam import MirroredNadam

__all__ = ["compile_model"]


def compile_model(model: ForecastModel, config: TrainingConfig) -> None:
    """Compile with Nadam, negative log-likelihood and mean absolute error (thesis section 4.5).

    Args:
        model: the model; compiled in place.
        config: learning rate, moments, clipping, and whether XLA compiles the training step. For
            a `mixed_float16` model Keras scales the loss, whose gradients half precision loses.

    Raises:
        ValueError: XLA is asked for and cannot compile the model.

    Example:
        >>> compile_model(model, load_config("models/thesis.toml").training)
    """
    optimizer_class = keras.optimizers.Nadam if config.replicas == 1 else MirroredNadam
    optimizer = optimizer_class(
        config.learning_rate,
        beta_1=config.beta_1,
        beta_2=config.beta_2,
        epsilon=config.epsilon,
        global_clipnorm=config.gradient_clip_norm,
    )
    name = model.distribution_name
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Model doesn't support `jit_compile=True`")
        model.compile(
            optimizer,
            loss=NegativeLogLikelihood(name),
            metrics=[PositionError(name)],
            jit_compile=config.jit_compile,
        )
    if config.jit_compile and not model.jit_compile:
        raise ValueError(
            "training.jit_compile: expected false, found true; XLA cannot compile this model on "
            f"{keras.backend.backend()}: it has no product of a sparse matrix, which pooling is"
        )
