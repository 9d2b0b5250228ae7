"""Train what a configuration describes; the same call continues an interrupted training."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from socialmd.config import ExperimentConfig
from socialmd.data import make_dataset, read_windows
from socialmd.dataset_folder import read_description, write_atomically
from socialmd.models import ForecastModel, build_model, load_model
from socialmd.models.check_inputs import unpack
from socialmd.models.load_model import MODEL_FILE
from socialmd.training.best_weights import BestWeights
from socialmd.training.compile_model import compile_model
from socialmd.training.device import on_device
from socialmd.training.experiment_texts import experiment_texts
from socialmd.training.history import epochs_without_improvement, keep_epochs, read_history
from socialmd.training.numbered_callbacks import NumberedCallbacks
from socialmd.training.output_folder import check_room, check_same_experiment, mark_folder
from socialmd.training.resumable_early_stopping import ResumableEarlyStopping
from socialmd.training.stop_on_non_finite import StopOnNonFinite
from socialmd.training.tensorboard_log import TensorBoardLog
from socialmd.training.training_backup import TrainingBackup, build_state, last_backup
from socialmd.training.weights import save_atomically

__all__ = ["fit"]

HISTORY, BEST, BACKUP, TENSORBOARD = "history.csv", "best.weights.h5", "backup", "tensorboard"


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
        RuntimeError: the loss became infinite or not a number; the message names the batch.

    Example:
        >>> model = fit(load_config("models/thesis.toml"), "data/monopoles", "runs/thesis")
    """
    if stop_after is not None and stop_after < 1:
        raise ValueError(f"stop_after: expected at least 1, found {stop_after}")
    data, output = Path(data), Path(output)
    check_same_experiment(output, config, data)
    if (output / MODEL_FILE).is_file() and last_backup(output / BACKUP)[2] is None:
        print(f"{output / MODEL_FILE} is complete; nothing to do.")
        return load_model(output)[0]
    if (output / MODEL_FILE).is_file() and not (output / BEST).is_file():
        _extract_best(output)
    # Made outside of the scope: it counts its epochs in a variable, of which several devices would
    # each get one.
    train = make_dataset(
        data / "train",
        config.data,
        config.training.batch_size,
        shuffle=True,
        seed=config.training.seed,
        initial_epoch=last_backup(output / BACKUP)[0],
    )
    with on_device(config.training.device, config.training.replicas):
        keras.utils.set_random_seed(config.training.seed)
        model = build_model(config, read_description(data).spatial_dims)
        compile_model(model, config.training)
        is_complete = _train(model, config, data, train, output, callbacks, verbose, stop_after)
        model.load_weights(output / BEST)
        as_stored = config.data.model_copy(update={"num_rotations": 0})
        model.recalibrate(make_dataset(data / "validation", as_stored, config.training.batch_size))
    save_atomically(model.save, output / MODEL_FILE)
    if is_complete:
        shutil.rmtree(output / BACKUP, ignore_errors=True)
    return model


def _train(
    model: ForecastModel,
    config: ExperimentConfig,
    data: Path,
    train: tf.data.Dataset,
    output: Path,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int,
    stop_after: int | None,
) -> bool:
    """Everything from reading the data to the last epoch; says whether it is complete then."""
    epoch, step, backup = last_backup(output / BACKUP)
    epochs, batch_size = config.training.epochs, config.training.batch_size
    seed = config.training.seed
    as_stored = config.data.model_copy(update={"num_rotations": 0})
    scales = make_dataset(data / "train", as_stored, batch_size)
    validation = make_dataset(data / "validation", config.data, batch_size, seed=seed)
    windows = read_windows(data, "validation", config.data, batch_size)
    _check_grids(config, scales)
    # Of the whole data set: systems of fewer particles are padded to the largest.
    inputs, _ = unpack(train.element_spec[0])
    model.build(inputs.shape)
    check_room(output, model.count_params())
    mark_folder(output, config, data)
    model.adapt(scales)
    targets = tf.zeros([1, *train.element_spec[1].shape[1:]])
    build_state(model, targets, model(tf.zeros([1, *inputs.shape[1:]])))
    keep_epochs(output / HISTORY, epoch)
    log = TensorBoardLog(output / TENSORBOARD, windows, experiment_texts(output))
    log.keep(epoch, epoch * len(train) + step)
    pause = epochs if stop_after is None else min(stop_after, epochs)
    while epoch < pause and _is_improving(output, config):
        # Keras wants all epochs of one fit to be of one length: the rest of an interrupted one gets
        # a fit of its own.
        last = epoch + 1 if step else pause
        numbered_callbacks = NumberedCallbacks(
            [log, *_callbacks(config, output, backup), *callbacks],
            first_batch=step,
            add_history=True,
            add_progbar=verbose != 0,
            model=model,
            verbose=verbose,
            epochs=epochs,
            steps=len(train),
        )
        model.fit(
            train.skip(step),
            validation_data=validation,
            epochs=last,
            initial_epoch=epoch,
            callbacks=numbered_callbacks,
        )
        epoch, step, backup = last, 0, None
    return epoch >= epochs or not _is_improving(output, config)


def _extract_best(output: Path) -> None:
    """Best weights of a paused training, out of its model: they are shipped only once."""
    with zipfile.ZipFile(output / MODEL_FILE) as archive:
        weights = archive.read("model.weights.h5")
    write_atomically(output / BEST, lambda file: file.write(weights))


def _check_grids(config: ExperimentConfig, dataset: tf.data.Dataset) -> None:
    """Refuse grids much wider than the data: nearly all of their cells would stay empty."""
    inputs, _ = unpack(next(iter(dataset))[0])
    extent = float(np.ptp(inputs.numpy()[..., :2], axis=(0, 1, 2)).max())
    widest = max(getattr(config.model, "grid_sizes", ()), default=0.0)
    if widest > 4 * extent:
        raise ValueError(
            f"model.grid_sizes: expected at most four times the extent of the data, {extent:.4g}, "
            f"found {widest}"
        )


def _is_improving(output: Path, config: ExperimentConfig) -> bool:
    return epochs_without_improvement(read_history(output / HISTORY)) < config.training.patience


def _callbacks(
    config: ExperimentConfig, output: Path, backup: Path | None
) -> list[keras.callbacks.Callback]:
    history = read_history(output / HISTORY)
    return [
        StopOnNonFinite(),
        BestWeights(output / BEST, history),
        keras.callbacks.CSVLogger(str(output / HISTORY), append=bool(history)),
        ResumableEarlyStopping(history, config.training.patience),
        # Last: what a complete epoch's backup takes for done has been logged.
        TrainingBackup(output / BACKUP, config.training.backup_every, backup),
    ]
