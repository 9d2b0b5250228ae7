"""Optimizer, loss and metric of a phase of training; by default, those of the thesis."""

from __future__ import annotations

import warnings
from typing import Any

import keras
from keras import ops

from socialmd.config import PhaseConfig, TrainingConfig
from socialmd.losses import EnergyScore, NegativeLogLikelihood, StudentTError
from socialmd.metrics import OrientationError, PositionError
from socialmd.models import ForecastModel
from socialmd.models.keras_safeguards import float32_by_default
from socialmd.registration import register
from socialmd.replicas import replica_context

__all__ = ["ClippedNadam", "compile_model"]

FINAL = 0.01  # of the learning rate, where it decays


def compile_model(
    model: ForecastModel,
    config: TrainingConfig,
    phase: PhaseConfig | None = None,
    steps_per_epoch: int | None = None,
) -> None:
    """Compile with Nadam, negative log-likelihood and mean absolute error (thesis section 4.5).

    Args:
        model: the model; compiled in place.
        config: moments, clipping, and whether XLA compiles the training step. For a
            `mixed_float16` model Keras scales the loss, whose gradients half precision loses.
        phase: learning rate and loss; the first of the configuration's if none is given.
        steps_per_epoch: by which a decaying learning rate is told when to end.

    Raises:
        ValueError: XLA is asked for and cannot compile the model, or the loss needs scales that the
            model does not have.

    Example:
        >>> compile_model(model, load_config("thesis").training)
    """
    phase = config.schedule[0] if phase is None else phase
    is_plain = config.replicas == 1 and config.gradient_clip_norm is None
    optimizer_class = keras.optimizers.Nadam if is_plain else ClippedNadam
    with float32_by_default(), warnings.catch_warnings():
        optimizer = optimizer_class(
            _learning_rate(phase, steps_per_epoch),
            beta_1=config.beta_1,
            beta_2=config.beta_2,
            epsilon=config.epsilon,
            global_clipnorm=config.gradient_clip_norm,
        )
        warnings.filterwarnings("ignore", "Model doesn't support `jit_compile=True`")
        model.compile(
            optimizer,
            loss=_loss(model, phase),
            metrics=_metrics(model),
            # JAX compiles a step as a whole or not at all.
            jit_compile=config.jit_compile or keras.backend.backend() == "jax",
        )
    if config.jit_compile and not model.jit_compile:
        raise ValueError(
            "training.jit_compile: expected false, found true; XLA compiles neither for this "
            "processor nor where TensorFlow's operations are to be deterministic"
        )


def _learning_rate(
    phase: PhaseConfig, steps_per_epoch: int | None
) -> float | keras.optimizers.schedules.LearningRateSchedule | None:
    if phase.decay == "none" or steps_per_epoch is None or phase.epochs is None:
        return phase.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        phase.learning_rate, decay_steps=phase.epochs * steps_per_epoch, alpha=FINAL
    )


def _metrics(model: ForecastModel) -> list[keras.metrics.Metric]:
    errors = [PositionError, OrientationError] if model.orientation else [PositionError]
    return [error(model.distribution_name) for error in errors]


def _loss(model: ForecastModel, phase: PhaseConfig) -> keras.losses.Loss:
    if phase.loss == "negative_log_likelihood":
        return NegativeLogLikelihood(model.distribution_name)
    turn = model.typical_turn() if model.orientation else None
    if phase.loss == "energy_score":
        radian = None if turn is None else model.typical_change() / turn
        return EnergyScore(phase.exponents, phase.fairness, radian)
    scale = phase.error_scale * model.typical_change()
    scales = scale if turn is None else (scale, phase.error_scale * turn)
    return StudentTError(scales, model.distribution_name)


@register
class ClippedNadam(keras.optimizers.Nadam):
    """Nadam that clips the gradient of the whole batch, and leaves out one that is not finite.

    Keras clips on each device the gradient of that device's part of the batch and then adds up what
    is left. Here they are added up first.

    Through a close encounter, a gradient may overflow float32 where the loss does not; no clipping
    brings it back. Such a batch counts as one of gradient zero; `num_left_out` counts them.
    """

    def build(self, variables: list[Any]) -> None:
        if not self.built:
            self.num_left_out = self.add_variable(
                (), dtype="int32", name="num_left_out", aggregation="only_first_replica"
            )
        super().build(variables)

    def apply(self, grads: Any, trainable_variables: Any | None = None) -> None:
        context = replica_context()
        if context is not None:
            grads = list(context.all_reduce("SUM", list(grads)))
        known = [grad for grad in grads if grad is not None]
        finite = ops.all(ops.stack([ops.all(ops.isfinite(grad)) for grad in known]))
        grads = [None if grad is None else ops.where(finite, grad, 0.0) for grad in grads]
        if context is not None:
            # Keras will add up once more: the sum comes from the first device, zeros from others.
            share = ops.cast(context.replica_id_in_sync_group == 0, "float32")
            grads = [share * total for total in grads]
        if self.built:
            self.num_left_out.assign_add(ops.cast(ops.logical_not(finite), "int32"))
        super().apply(grads, trainable_variables)
