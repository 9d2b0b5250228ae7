"""One phase of a training: from the best weights of the phase before, or from its own backup."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from socialmd.config import DataConfig, ExperimentConfig, PhaseConfig, TrainingConfig
from socialmd.data import Trajectories, make_dataset
from socialmd.data.masked_inputs import unpack
from socialmd.models import ForecastModel
from socialmd.training.best_weights import BestWeights
from socialmd.training.compile_model import compile_model
from socialmd.training.device import on_device
from socialmd.training.epoch_log import EpochLog
from socialmd.training.history import epochs_without_improvement, of_phase, read_history
from socialmd.training.numbered_callbacks import NumberedCallbacks
from socialmd.training.phase_number import PhaseNumber
from socialmd.training.resumable_early_stopping import ResumableEarlyStopping
from socialmd.training.stop_on_non_finite import StopOnNonFinite
from socialmd.training.tensorboard_log import TensorBoardLog
from socialmd.training.training_backup import TrainingBackup, build_state, last_backup
from socialmd.training.weights import load_without_optimizer

__all__ = ["Files", "Splits", "check_phases", "train_phase"]


class Splits(NamedTuple):
    """What a model is trained on, and what says how well it learns."""

    train: Trajectories
    validation: Trajectories


class Files(NamedTuple):
    """Where a training keeps what it needs to go on."""

    history: Path
    best: Path
    backup: Path


def check_phases(model: ForecastModel, config: TrainingConfig) -> None:
    """Refuse phases that this model cannot go through, before the first of them.

    Raises:
        ValueError: layers that are to be frozen do not exist, the model cannot be compiled, or it
            does not learn from what is fed back.
    """
    known = {layer.name for layer in model._flatten_layers(include_self=False)}
    densities = model.densities
    for number, phase in enumerate(config.schedule):
        compile_model(model, config, phase)
        _begin(model, phase)
        model.end_training()
        if missing := set(phase.frozen) - known:
            raise ValueError(
                f"training.phases.{number}.frozen: expected some of {', '.join(sorted(known))}, "
                f"found {missing.pop()!r}"
            )
    model.densities = densities


def train_phase(
    model: ForecastModel,
    number: int,
    config: ExperimentConfig,
    splits: Splits,
    files: Files,
    log: TensorBoardLog,
    steps_before: int,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int,
    stop_after: int | None,
) -> int | None:
    """Train one phase, or what an interruption has left of it; nothing if it is complete.

    Args:
        model: built and adapted.
        number: of the phase, from 0.
        config: the experiment.
        splits: of the data set.
        files: of this training.
        log: of this training.
        steps_before: training steps of all phases before.
        callbacks, verbose, stop_after: as for `fit`.

    Returns:
        Training steps of the phase, or nothing if it was paused.
    """
    phase = config.training.schedule[number]
    history = read_history(files.history)
    own = of_phase(history, number)
    epochs_before = sum(of < number for of in history.get("phase", []))
    epoch, step, backup = last_backup(files.backup)
    # Made outside of the scope: it counts its epochs in a variable, of which several devices would
    # each get one.
    train, validation = _datasets(phase, config, splits, epoch)
    steps = steps_before + (epoch - epochs_before) * len(train) + step
    last = epochs_before + phase.epochs  # type: ignore[operator]
    is_later = any(of > number for of in history.get("phase", []))
    if is_later or epoch >= last or not _is_improving(own, phase):
        _begin(model, phase)  # what it has made of the model's densities is still true
        model.end_training()
        return len(own["epoch"]) * len(train)
    with on_device(config.training.device, config.training.replicas):
        if step == 0 and not own.get("epoch"):
            backup = None  # if there is one, its optimizer is that of the phase before
            if number:
                load_without_optimizer(model, files.best)
        _prepare(model, phase, config, train)
        log.begin_phase(epochs_before, steps_before)
        log.keep(epoch, steps)
        pause = last if stop_after is None else min(stop_after, last)
        while epoch < pause and _is_improving(own, phase):
            # Keras wants all epochs of one fit to be of one length: the rest of an interrupted one
            # gets a fit of its own.
            end = epoch + 1 if step else pause
            numbered_callbacks = NumberedCallbacks(
                [log, *_callbacks(number, config, files, own, bool(history), backup), *callbacks],
                first_batch=step,
                add_history=True,
                add_progbar=verbose != 0,
                model=model,
                verbose=verbose,
                epochs=last,
                steps=len(train),
            )
            model.fit(
                train.skip(step),
                validation_data=validation,
                epochs=end,
                initial_epoch=epoch,
                callbacks=numbered_callbacks,
            )
            epoch, step, backup = end, 0, None
            history = read_history(files.history)
            own = of_phase(history, number)
    _leave(model, config)
    is_complete = epoch >= last or not _is_improving(own, phase)
    return len(own["epoch"]) * len(train) if is_complete else None


def _datasets(
    phase: PhaseConfig, config: ExperimentConfig, splits: Splits, epoch: int
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    is_forced = phase.feedback == "truth"
    samples = _samples(phase, config.data)
    batch_size, seed = config.training.batch_size, config.training.seed
    train = make_dataset(
        splits.train,
        samples,
        batch_size,
        shuffle=True,
        seed=seed,
        initial_epoch=epoch,
        teacher_forcing=is_forced,
    )
    validation = make_dataset(
        splits.validation, samples, batch_size, seed=seed, teacher_forcing=is_forced
    )
    return train, validation


def _samples(phase: PhaseConfig, data: DataConfig) -> DataConfig:
    """How trajectories become samples in a phase: its windows are shorter than T + T'."""
    if phase.window is None:
        return data
    given = min(data.input_steps, phase.window - 1)
    return data.model_copy(update={"input_steps": given, "target_steps": phase.window - given})


def _prepare(
    model: ForecastModel,
    phase: PhaseConfig,
    config: ExperimentConfig,
    train: tf.data.Dataset,
) -> None:
    """Everything that a phase chooses of the model, and the variables that training adds to it."""
    steps = None if phase.feedback == "truth" else train.element_spec[1].shape[1]
    _begin(model, phase, steps)
    for layer in model._flatten_layers(include_self=False):
        if layer.name in phase.frozen:
            layer.trainable = False
    if phase.substeps:
        model.cell.substeps = phase.substeps
    compile_model(model, config.training, phase, len(train))
    inputs, _ = unpack(train.element_spec[0])
    targets = tf.zeros([1, *train.element_spec[1].shape[1:]])
    build_state(model, targets, model(tf.zeros([1, *inputs.shape[1:]])))


def _begin(model: ForecastModel, phase: PhaseConfig, steps: int | None = None) -> None:
    futures = phase.num_samples if phase.loss == "energy_score" else None
    model.begin_training(phase.feedback or model.feedback, steps, futures)


def _leave(model: ForecastModel, config: ExperimentConfig) -> None:
    """The model as it was made, but trained."""
    for layer in model._flatten_layers(include_self=False):
        layer.trainable = True
    if hasattr(config.model, "substeps"):
        model.cell.substeps = config.model.substeps
    model.end_training()


def _is_improving(history: dict[str, list[float]], phase: PhaseConfig) -> bool:
    return epochs_without_improvement(history) < phase.patience  # type: ignore[operator]


def _callbacks(
    number: int,
    config: ExperimentConfig,
    files: Files,
    own: dict[str, list[float]],
    is_appended: bool,
    backup: Path | None,
) -> list[Any]:
    phases = config.training.schedule
    return [
        *([PhaseNumber(number)] if len(phases) > 1 else []),
        StopOnNonFinite(),
        BestWeights(files.best, own),
        EpochLog(str(files.history), append=is_appended),
        ResumableEarlyStopping(own, phases[number].patience),  # type: ignore[arg-type]
        # Last: what a complete epoch's backup takes for done has been logged.
        TrainingBackup(files.backup, config.training.backup_every, backup),
    ]
