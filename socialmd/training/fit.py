"""Training of what a configuration describes; the same call continues an interrupted one."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras

from socialmd.claim import claim, remove_leftovers
from socialmd.config import ExperimentConfig
from socialmd.data import Trajectories, load_trajectories, make_dataset
from socialmd.data.dataset_description import read_description
from socialmd.data.masked_inputs import unpack
from socialmd.data.windows import cut_windows
from socialmd.files import write_bytes
from socialmd.models import ForecastModel, build_model, load
from socialmd.models.trained_model import MODEL_FILE
from socialmd.simulation import pair_law
from socialmd.training.check_scales import check_scales
from socialmd.training.device import on_device
from socialmd.training.history import HISTORY_FILE, keep_epochs, of_phase, read_history
from socialmd.training.phase import (
    begin_phase,
    check_phases,
    choose_feedback,
    end_phase,
    is_improving,
    phase_samples,
)
from socialmd.training.phase_callbacks import Files, NumberedCallbacks, phase_callbacks
from socialmd.training.tensorboard_log import TensorBoardLog
from socialmd.training.training_backup import TrainingBackup, last_backup
from socialmd.training.training_folder import (
    check_room,
    check_same_experiment,
    experiment_texts,
    load_without_optimizer,
    mark_folder,
    save_atomically,
)

__all__ = ["fit"]

BEST, BACKUP, TENSORBOARD = "best.weights.h5", "backup", "tensorboard"


def fit(
    config: ExperimentConfig,
    data: str | Path,
    output: str | Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 1,
    stop_after: int | None = None,
) -> ForecastModel:
    """Train a model on a data set with `model.fit` (thesis section 4.5).

    In the output folder arise `config.toml` (the resolved configuration), `dataset.json` (the
    description of the data), `history.csv` (losses of each epoch), `tensorboard/`,
    `best.weights.h5` (of the epoch with the smallest validation loss) and at the end `model.keras`
    with those weights, recalibrated on the validation split. Called again after an interruption,
    training goes on from the last backup and ends as if it had not been interrupted; called again
    after the end, it does nothing. A pause leaves the backup beside the model, for a later call to
    go on from.

    Args:
        config: the experiment.
        data: folder with `train/` and `validation/`.
        output: folder for the results.
        callbacks: more Keras callbacks.
        verbose: 1 for a progress bar, 2 for a line per epoch, 0 for silence.
        stop_after: epochs, counted from the very first, after which to pause.

    Returns:
        The model with the best weights.

    Raises:
        FileNotFoundError: the data set is not complete.
        ValueError: the data do not fit, the output folder holds another experiment, the device
            or XLA are asked for in vain, or `stop_after` is less than 1.
        OSError: the output folder cannot be written, or its disk is too full for the results.
        FolderInUseError: another process is training there.
        RuntimeError: the loss became infinite or not a number; the message names the batch.

    Example:
        >>> model = fit(load_config("thesis"), "data/monopoles", "runs/thesis")
    """
    if stop_after is not None and stop_after < 1:
        raise ValueError(f"stop_after: expected at least 1, found {stop_after}")
    data, output = Path(data), Path(output)
    check_same_experiment(output, config, data)
    if _is_complete(output):
        print(f"{output / MODEL_FILE} is complete; nothing to do.")
        return load(output)
    with claim(output):
        remove_leftovers(output / BACKUP)
        if (output / MODEL_FILE).is_file() and not (output / BEST).is_file():
            _extract_best(output)
        with on_device(config.training.device, config.training.replicas):
            keras.utils.set_random_seed(config.training.seed)
            description = read_description(data)
            model = build_model(config, description.spatial_dims)
            spacing = description.frame_spacing * config.data.subsample
            model.learn_layout(description.layout, spacing)
        train, validation = (
            load_trajectories(data / split, config.data.minimum_frames)
            for split in ("train", "validation")
        )
        log = _begin(model, config, data, output, train, validation)
        files = Files(output / HISTORY_FILE, output / BEST, output / BACKUP)
        training = _Training(model, config, train, validation, files, log, callbacks, verbose)
        is_complete = training.train_phases(stop_after)
        with on_device(config.training.device, config.training.replicas):
            load_without_optimizer(model, output / BEST)
            model.recalibrate(_as_stored(validation, config))
        save_atomically(model.save, output / MODEL_FILE)
        if is_complete:
            shutil.rmtree(output / BACKUP, ignore_errors=True)
        return model


def _is_complete(output: Path) -> bool:
    return (output / MODEL_FILE).is_file() and last_backup(output / BACKUP)[2] is None


def _extract_best(output: Path) -> None:
    """Best weights of a paused training, out of its model: they are shipped only once."""
    with zipfile.ZipFile(output / MODEL_FILE) as archive:
        weights = archive.read("model.weights.h5")
    write_bytes(output / BEST, weights)


def _as_stored(split: Trajectories, config: ExperimentConfig) -> Any:
    """Batches of a split that is not rotated."""
    return make_dataset(split, config.data.without_rotations, config.training.batch_size)


def _begin(
    model: ForecastModel,
    config: ExperimentConfig,
    data: Path,
    output: Path,
    train: Trajectories,
    validation: Trajectories,
) -> TensorBoardLog:
    """Everything from the data to the first phase; the log that it will write to."""
    scales = _as_stored(train, config)
    check_scales(config, train)
    # Of the whole data set: systems of fewer particles are padded to the largest.
    inputs = unpack(scales.element_spec[0]).frames
    for split in (train, validation):
        if split.boxes is not None:
            model.check_box(split.boxes)
    with on_device(config.training.device, config.training.replicas):
        model.build(inputs.shape)
        model.adapt(scales)
        check_phases(model, config.training)
        check_room(output, model.count_params())
        mark_folder(output, config, data)
    keep_epochs(output / HISTORY_FILE, last_backup(output / BACKUP)[0])
    windows = cut_windows(validation, config.data, config.training.batch_size)
    law = pair_law(train.description, train.description.frame_spacing * config.data.subsample)
    return TensorBoardLog(output / TENSORBOARD, windows, experiment_texts(output), scales, law)


class _Training(NamedTuple):
    """What the phases of a training share; its model is built and adapted."""

    model: ForecastModel
    config: ExperimentConfig
    train: Trajectories
    validation: Trajectories
    files: Files
    log: TensorBoardLog
    callbacks: Sequence[keras.callbacks.Callback]
    verbose: int

    def train_phases(self, stop_after: int | None) -> bool:
        """One phase after the other; says whether all are complete, or paused."""
        steps_before = 0
        for number in range(len(self.config.training.schedule)):
            steps = self._train_phase(number, steps_before, stop_after)
            if steps is None:
                return False
            steps_before += steps
        return True

    def _train_phase(self, number: int, steps_before: int, stop_after: int | None) -> int | None:
        """From the best weights of the phase before, or from its own backup, to the phase's end.

        Returns its training steps, or nothing if it was paused.
        """
        model, config, files = self.model, self.config.training, self.files
        phase = config.schedule[number]
        history = read_history(files.history)
        own = of_phase(history, number)
        epochs_before = sum(of < number for of in history.get("phase", []))
        epoch, step, backup = last_backup(files.backup)
        # Made outside of the scope: it counts its epochs in a variable, of which several devices
        # would each get one.
        make = partial(
            make_dataset,
            config=phase_samples(phase, self.config.data),
            batch_size=config.batch_size,
            seed=config.seed,
            teacher_forcing=phase.feedback == "truth",
        )
        train = make(self.train, shuffle=True, initial_epoch=epoch)
        validation = make(self.validation)
        steps = steps_before + (epoch - epochs_before) * len(train) + step
        last = epochs_before + phase.epochs  # type: ignore[operator]
        is_later = any(of > number for of in history.get("phase", []))
        if is_later or epoch >= last or not is_improving(own, phase):
            choose_feedback(model, phase)  # what it has made of the model's densities is still true
            model.end_training()
            return len(own["epoch"]) * len(train)
        with on_device(config.device, config.replicas):
            if step == 0 and not own.get("epoch"):
                backup = None  # if there is one, its optimizer is that of the phase before
                if number:
                    load_without_optimizer(model, files.best)
            inputs, targets = train.element_spec
            begin_phase(model, phase, config, inputs, targets, len(train))
            self.log.begin_phase(epochs_before, steps_before)
            self.log.keep(epoch, steps)
            pause = last if stop_after is None else min(stop_after, last)
            while epoch < pause and is_improving(own, phase):
                # Keras wants all epochs of one fit to be of one length: the rest of an interrupted
                # one gets a fit of its own.
                end = epoch + 1 if step else pause
                saving = TrainingBackup(files.backup, config.backup_every, backup)
                own_callbacks = phase_callbacks(number, config, files, own, bool(history), saving)
                callbacks = NumberedCallbacks(
                    [self.log, *own_callbacks, *self.callbacks],
                    first_batch=step,
                    add_history=True,
                    add_progbar=self.verbose != 0,
                    model=model,
                    verbose=self.verbose,
                    epochs=last,
                    steps=len(train),
                )
                model.fit(
                    train.skip(step),
                    validation_data=validation,
                    epochs=end,
                    initial_epoch=epoch,
                    callbacks=callbacks,
                )
                epoch, step, backup = end, 0, None
                history = read_history(files.history)
                own = of_phase(history, number)
        end_phase(model, self.config)
        is_complete = epoch >= last or not is_improving(own, phase)
        return len(own["epoch"]) * len(train) if is_complete else None
