"""Train what a configuration describes; the same call continues an interrupted training."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from socialmd.config import ExperimentConfig, load_config, save_config
from socialmd.data import make_dataset
from socialmd.dataset_folder import DESCRIPTION_FILE, read_description, write_atomically
from socialmd.models import SocialLSTM, build_model, load_model
from socialmd.models.load_model import CONFIG_FILE, MODEL_FILE
from socialmd.training.best_weights import BestWeights
from socialmd.training.compile_model import compile_model
from socialmd.training.forecast_images import ForecastImages
from socialmd.training.history import epochs_without_improvement, keep_epochs, read_history
from socialmd.training.resumable_early_stopping import ResumableEarlyStopping
from socialmd.training.stop_on_non_finite import StopOnNonFinite
from socialmd.training.weights import last_backup, save_atomically
from socialmd.training.weights_backup import WeightsBackup

__all__ = ["fit"]

HISTORY, BEST, BACKUP, TENSORBOARD = "history.csv", "best.weights.h5", "backup", "tensorboard"


def fit(
    config: ExperimentConfig,
    data: str | Path,
    output: str | Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 1,
) -> SocialLSTM:
    """Train a model on a data set with `model.fit` (thesis section 4.5).

    In the output folder arise `config.toml` (the resolved configuration), `dataset.json` (the
    description of the data), `history.csv` (losses of each epoch), `tensorboard/`,
    `best.weights.h5` (of the epoch with the smallest validation loss) and at the end `model.keras`
    with those weights. Called again after an interruption, training continues after the last
    completed epoch; called again after the end, it does nothing.

    Args:
        config: the experiment.
        data: folder with `train/` and `validation/`.
        output: folder for the results.
        callbacks: more Keras callbacks.
        verbose: 1 for a progress bar, 2 for a line per epoch, 0 for silence.

    Returns:
        The model with the best weights.

    Raises:
        FileNotFoundError: the data set is not complete.
        ValueError: the data do not fit, or the output folder holds another experiment.
        OSError: the output folder cannot be written.
        RuntimeError: the loss became infinite or not a number; the message names the batch.

    Example:
        >>> model = fit(load_config("models/thesis.toml"), "data/monopoles", "runs/thesis")
    """
    data, output = Path(data), Path(output)
    _check_folder(output, config, data)
    if (output / MODEL_FILE).is_file():
        print(f"{output / MODEL_FILE} is complete; nothing to do.")
        return load_model(output)[0]
    keras.utils.set_random_seed(config.training.seed)
    epoch, backup = last_backup(output / BACKUP)
    batch_size, seed = config.training.batch_size, config.training.seed
    as_stored = config.data.model_copy(update={"num_rotations": 0})
    scales = make_dataset(data / "train", as_stored, batch_size)
    train = make_dataset(data / "train", config.data, batch_size, True, seed, initial_epoch=epoch)
    validation = make_dataset(data / "validation", config.data, batch_size, seed=seed)
    pictures = make_dataset(data / "validation", as_stored, batch_size)
    _check_grids(config, scales)
    _mark_folder(output, config, data)

    model = build_model(config)
    model.build(train.element_spec[0].shape)
    model.adapt(scales)
    compile_model(model, config.training)
    model.optimizer.build(model.trainable_variables)
    keep_epochs(output / HISTORY, epoch)
    if backup is not None:
        model.load_weights(backup)
    if epochs_without_improvement(read_history(output / HISTORY)) < config.training.patience:
        model.fit(
            train,
            validation_data=validation,
            epochs=config.training.epochs,
            initial_epoch=epoch,
            callbacks=[*_callbacks(config, output, pictures), *callbacks],
            verbose=verbose,
        )
    model.load_weights(output / BEST)
    save_atomically(model.save, output / MODEL_FILE)
    shutil.rmtree(output / BACKUP, ignore_errors=True)
    return model


def _check_folder(output: Path, config: ExperimentConfig, data: Path) -> None:
    """Refuse to mix two experiments."""
    if (output / CONFIG_FILE).is_file() and load_config(output / CONFIG_FILE) != config:
        raise ValueError(
            f"{output}: holds the training of another configuration ({CONFIG_FILE}); "
            "choose another folder or remove it"
        )
    if (output / DESCRIPTION_FILE).is_file() and read_description(output) != read_description(data):
        raise ValueError(
            f"{output}: holds a training on other data ({DESCRIPTION_FILE}) than {data}; "
            "choose another folder or remove it"
        )


def _check_grids(config: ExperimentConfig, dataset: tf.data.Dataset) -> None:
    """Refuse grids much wider than the data: nearly all of their cells would stay empty."""
    positions = next(iter(dataset))[0].numpy()[..., :2]
    extent = float(np.ptp(positions, axis=(0, 1, 2)).max())
    if max(config.model.grid_sizes) > 4 * extent:
        raise ValueError(
            f"model.grid_sizes: expected at most four times the extent of the data, {extent:.4g}, "
            f"found {max(config.model.grid_sizes)}"
        )


def _mark_folder(output: Path, config: ExperimentConfig, data: Path) -> None:
    """Say what is trained here, which also shows that the folder can be written."""
    save_config(config, output / CONFIG_FILE)
    description = (data / DESCRIPTION_FILE).read_bytes()
    write_atomically(output / DESCRIPTION_FILE, lambda file: file.write(description))


def _callbacks(
    config: ExperimentConfig, output: Path, pictures: tf.data.Dataset
) -> list[keras.callbacks.Callback]:
    history = read_history(output / HISTORY)
    inputs, targets = next(iter(pictures))
    return [
        StopOnNonFinite(),
        BestWeights(output / BEST, history),
        keras.callbacks.CSVLogger(str(output / HISTORY), append=bool(history)),
        ResumableEarlyStopping(history, config.training.patience),
        keras.callbacks.TensorBoard(str(output / TENSORBOARD), write_graph=False),
        ForecastImages(output / TENSORBOARD / "forecasts", inputs[::9], targets[::9]),
        WeightsBackup(output / BACKUP),  # last: what is backed up has been logged
    ]
