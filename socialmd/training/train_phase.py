"""One phase of a training: from the best weights of the phase before, or from its own backup."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import keras
import tensorflow as tf

from socialmd.config import ExperimentConfig, PhaseConfig
from socialmd.data import Trajectories, make_dataset
from socialmd.models import ForecastModel
from socialmd.training.device import on_device
from socialmd.training.history import of_phase, read_history
from socialmd.training.phase import (
    begin_phase,
    choose_feedback,
    end_phase,
    is_improving,
    phase_samples,
)
from socialmd.training.phase_callbacks import Files, NumberedCallbacks, phase_callbacks
from socialmd.training.tensorboard_log import TensorBoardLog
from socialmd.training.training_backup import TrainingBackup, last_backup
from socialmd.training.training_folder import load_without_optimizer

__all__ = ["Splits", "train_phase"]


class Splits(NamedTuple):
    """What a model is trained on, and what says how well it learns."""

    train: Trajectories
    validation: Trajectories


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

    The model is built and adapted; phases before had `steps_before` training steps. Returns those
    of this phase, or nothing if it was paused.
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
    if is_later or epoch >= last or not is_improving(own, phase):
        choose_feedback(model, phase)  # what it has made of the model's densities is still true
        model.end_training()
        return len(own["epoch"]) * len(train)
    with on_device(config.training.device, config.training.replicas):
        if step == 0 and not own.get("epoch"):
            backup = None  # if there is one, its optimizer is that of the phase before
            if number:
                load_without_optimizer(model, files.best)
        inputs, targets = train.element_spec
        begin_phase(model, phase, config.training, inputs, targets, len(train))
        log.begin_phase(epochs_before, steps_before)
        log.keep(epoch, steps)
        pause = last if stop_after is None else min(stop_after, last)
        while epoch < pause and is_improving(own, phase):
            # Keras wants all epochs of one fit to be of one length: the rest of an interrupted one
            # gets a fit of its own.
            end = epoch + 1 if step else pause
            saving = TrainingBackup(files.backup, config.training.backup_every, backup)
            own_callbacks = phase_callbacks(
                number, config.training, files, own, bool(history), saving
            )
            numbered_callbacks = NumberedCallbacks(
                [log, *own_callbacks, *callbacks],
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
    end_phase(model, config)
    is_complete = epoch >= last or not is_improving(own, phase)
    return len(own["epoch"]) * len(train) if is_complete else None


def _datasets(
    phase: PhaseConfig, config: ExperimentConfig, splits: Splits, epoch: int
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    make = partial(
        make_dataset,
        config=phase_samples(phase, config.data),
        batch_size=config.training.batch_size,
        seed=config.training.seed,
        teacher_forcing=phase.feedback == "truth",
    )
    train = make(splits.train, shuffle=True, initial_epoch=epoch)
    return train, make(splits.validation)
