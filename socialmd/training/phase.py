"""Choices of a phase of a training, of model and of samples; on any backend of Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from socialmd.config import DataConfig, ExperimentConfig, PhaseConfig, TrainingConfig
from socialmd.data.masked_inputs import unpack
from socialmd.models.forecast_model import ForecastModel
from socialmd.training.compile_model import compile_model
from socialmd.training.history import epochs_without_improvement
from socialmd.training.training_backup import build_state

__all__ = [
    "begin_phase",
    "check_phases",
    "choose_feedback",
    "end_phase",
    "is_improving",
    "phase_samples",
]


def check_phases(model: ForecastModel, config: TrainingConfig) -> None:
    """Refuse phases that this model cannot go through, before the first of them.

    Layers that are to be frozen do not exist, the model cannot be compiled, or it does not learn
    from what is fed back.
    """
    known = {layer.name for layer in model._flatten_layers(include_self=False)}
    densities = model.densities
    for number, phase in enumerate(config.schedule):
        compile_model(model, config, phase)
        choose_feedback(model, phase)
        model.end_training()
        if missing := set(phase.frozen) - known:
            raise ValueError(
                f"training.phases.{number}.frozen: expected some of {', '.join(sorted(known))}, "
                f"found {missing.pop()!r}"
            )
    model.densities = densities


def phase_samples(phase: PhaseConfig, data: DataConfig) -> DataConfig:
    """How trajectories become samples in a phase: its windows are shorter than T + T'."""
    if phase.window is None:
        return data
    given = min(data.input_steps, phase.window - 1)
    return data.model_copy(update={"input_steps": given, "target_steps": phase.window - given})


def begin_phase(
    model: ForecastModel,
    phase: PhaseConfig,
    config: TrainingConfig,
    inputs: Any,
    targets: Any,
    steps_per_epoch: int,
) -> None:
    """Everything that a phase chooses of the model, and the variables that training adds to it.

    The model is built and adapted; `inputs` and `targets` are a batch of the phase's samples, or
    what the data set says of one.
    """
    choose_feedback(model, phase, None if phase.feedback == "truth" else targets.shape[1])
    for layer in model._flatten_layers(include_self=False):
        if layer.name in phase.frozen:
            layer.trainable = False
    if phase.substeps:
        model.cell.substeps = phase.substeps
    compile_model(model, config, phase, steps_per_epoch)
    frames = unpack(inputs).frames
    outputs = model.compute_output_spec(keras.KerasTensor((1, *frames.shape[1:])))
    build_state(model, ops.zeros((1, *targets.shape[1:])), ops.zeros(outputs.shape))


def choose_feedback(model: ForecastModel, phase: PhaseConfig, steps: int | None = None) -> None:
    """What the model learns from in a phase; `steps` ahead in closed loop, T' if none are given."""
    futures = phase.num_samples if phase.loss == "energy_score" else None
    model.begin_training(phase.feedback or model.feedback, steps, futures)


def end_phase(model: ForecastModel, config: ExperimentConfig) -> None:
    """The model as it was made, but trained."""
    for layer in model._flatten_layers(include_self=False):
        layer.trainable = True
    if hasattr(config.model, "substeps"):
        model.cell.substeps = config.model.substeps
    model.end_training()


def is_improving(history: dict[str, list[float]], phase: PhaseConfig) -> bool:
    """Whether early stopping lets the phase of these epochs go on."""
    return epochs_without_improvement(history) < phase.patience  # type: ignore[operator]
