"""Train what a configuration describes; the same call continues an interrupted training."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from socialmd.config import ExperimentConfig, load_config, save_config
from socialmd.data import make_dataset
from socialmd.models import SocialLSTM, build_model, load_model
from socialmd.training.compile_model import compile_model
from socialmd.training.forecast_images import ForecastImages
from socialmd.training.history import (
    completed_epochs,
    epochs_without_improvement,
    keep_epochs,
    read_history,
)
from socialmd.training.resumable_early_stopping import ResumableEarlyStopping

__all__ = ["fit"]

CONFIG, MODEL, HISTORY = "config.toml", "model.keras", "history.csv"
BEST, BACKUP, TENSORBOARD = "best.weights.h5", "backup", "tensorboard"


def fit(
    config: ExperimentConfig,
    data: str | Path,
    output: str | Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 1,
) -> SocialLSTM:
    """Train a model on a data set with `model.fit` (thesis section 4.5).

    In the output folder arise `config.toml` (the resolved configuration), `history.csv` (losses of
    each epoch), `tensorboard/`, `best.weights.h5` (of the epoch with the smallest validation loss)
    and at the end `model.keras` with those weights. Called again after an interruption, training
    continues after the last completed epoch; called again after the end, it does nothing.

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
    output = Path(output)
    _check_folder(output, config)
    if (output / MODEL).is_file():
        print(f"{output / MODEL} is complete; nothing to do.")
        return load_model(output)[0]
    keras.utils.set_random_seed(config.training.seed)
    epoch = completed_epochs(output / BACKUP)
    keep_epochs(output / HISTORY, epoch)
    train, validation = (
        make_dataset(
            Path(data) / split,
            config.data,
            config.training.batch_size,
            shuffle=split == "train",
            seed=config.training.seed,
            initial_epoch=epoch if split == "train" else 0,
        )
        for split in ("train", "validation")
    )
    save_config(config, output / CONFIG)  # also shows that the folder can be written
    model = build_model(config)
    model.build(train.element_spec[0].shape)
    model.adapt(make_dataset(Path(data) / "train", config.data, 256))
    compile_model(model, config.training)
    if epochs_without_improvement(read_history(output / HISTORY)) < config.training.patience:
        model.fit(
            train,
            validation_data=validation,
            epochs=config.training.epochs,
            callbacks=[*_callbacks(config, output, validation), *callbacks],
            verbose=verbose,
        )
    model.load_weights(output / BEST)
    _save(model, output / MODEL)
    shutil.rmtree(output / BACKUP, ignore_errors=True)
    return model


def _check_folder(output: Path, config: ExperimentConfig) -> None:
    """Refuse to mix two experiments."""
    if (output / CONFIG).is_file() and load_config(output / CONFIG) != config:
        raise ValueError(
            f"{output}: holds the training of another configuration ({CONFIG}); "
            "choose another folder or remove it"
        )


def _callbacks(
    config: ExperimentConfig, output: Path, validation: tf.data.Dataset
) -> list[keras.callbacks.Callback]:
    history = read_history(output / HISTORY)
    best = min(history["val_loss"]) if history.get("val_loss") else None
    inputs, targets = next(iter(validation.unbatch().shard(7, 0).batch(2)))
    return [
        keras.callbacks.TerminateOnNaN(raise_error=True),
        keras.callbacks.ModelCheckpoint(
            str(output / BEST),
            monitor="val_loss",
            mode="min",
            save_best_only=True,
            save_weights_only=True,
            initial_value_threshold=best,
        ),
        keras.callbacks.CSVLogger(str(output / HISTORY), append=bool(history)),
        ResumableEarlyStopping(history, config.training.patience),
        keras.callbacks.TensorBoard(str(output / TENSORBOARD), write_graph=False),
        ForecastImages(output / TENSORBOARD / "forecasts", inputs, targets),
        # Last: what is backed up has been logged.
        keras.callbacks.BackupAndRestore(
            str(output / BACKUP), double_checkpoint=True, delete_checkpoint=False
        ),
    ]


def _save(model: SocialLSTM, path: Path) -> None:
    temporary = path.with_name(f".{path.name}")
    model.save(temporary)
    os.replace(temporary, path)
