"""Train what a configuration describes; the same call continues an interrupted training."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras

from socialmd.claim import claim, remove_leftovers
from socialmd.config import ExperimentConfig
from socialmd.data import load_trajectories, make_dataset
from socialmd.data.dataset_description import read_description
from socialmd.data.masked_inputs import unpack
from socialmd.data.windows import cut_windows
from socialmd.files import write_atomically
from socialmd.models import ForecastModel, build_model, load
from socialmd.models.trained_model import MODEL_FILE
from socialmd.simulation import pair_law
from socialmd.training.check_scales import check_scales
from socialmd.training.device import on_device
from socialmd.training.history import keep_epochs
from socialmd.training.phase import check_phases
from socialmd.training.phase_callbacks import Files
from socialmd.training.tensorboard_log import TensorBoardLog
from socialmd.training.train_phase import Splits, train_phase
from socialmd.training.training_backup import last_backup
from socialmd.training.training_folder import (
    check_room,
    check_same_experiment,
    experiment_texts,
    load_without_optimizer,
    mark_folder,
    save_atomically,
)

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
        FolderInUseError: another process is training there.
        RuntimeError: the loss became infinite or not a number; the message names the batch.

    Example:
        >>> model = fit(load_config("models/thesis.toml"), "data/monopoles", "runs/thesis")
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
            model = build_model(config, read_description(data).spatial_dims)
        minimum_frames = config.data.minimum_frames
        train, validation = (
            load_trajectories(data / split, minimum_frames) for split in ("train", "validation")
        )
        splits = Splits(train, validation)
        is_complete = _train(model, config, data, splits, output, callbacks, verbose, stop_after)
        with on_device(config.training.device, config.training.replicas):
            load_without_optimizer(model, output / BEST)
            as_stored = config.data.model_copy(update={"num_rotations": 0})
            model.recalibrate(make_dataset(validation, as_stored, config.training.batch_size))
        save_atomically(model.save, output / MODEL_FILE)
        if is_complete:
            shutil.rmtree(output / BACKUP, ignore_errors=True)
        return model


def _is_complete(output: Path) -> bool:
    return (output / MODEL_FILE).is_file() and last_backup(output / BACKUP)[2] is None


def _train(
    model: ForecastModel,
    config: ExperimentConfig,
    data: Path,
    splits: Splits,
    output: Path,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int,
    stop_after: int | None,
) -> bool:
    """Everything from the data to the last epoch; says whether it is complete then."""
    as_stored = config.data.model_copy(update={"num_rotations": 0})
    scales = make_dataset(splits.train, as_stored, config.training.batch_size)
    check_scales(config, splits.train)
    # Of the whole data set: systems of fewer particles are padded to the largest.
    inputs, _ = unpack(scales.element_spec[0])
    with on_device(config.training.device, config.training.replicas):
        model.build(inputs.shape)
        model.adapt(scales)
        check_phases(model, config.training)
        check_room(output, model.count_params())
        mark_folder(output, config, data)
    keep_epochs(output / HISTORY, last_backup(output / BACKUP)[0])
    windows = cut_windows(splits.validation, config.data, config.training.batch_size)
    description = splits.train.description
    law = pair_law(description, description.frame_spacing * config.data.subsample)
    log = TensorBoardLog(output / TENSORBOARD, windows, experiment_texts(output), scales, law)
    files = Files(output / HISTORY, output / BEST, output / BACKUP)
    steps_before = 0
    for number in range(len(config.training.schedule)):
        steps = train_phase(
            model, number, config, splits, files, log, steps_before, callbacks, verbose, stop_after
        )
        if steps is None:
            return False
        steps_before += steps
    return True


def _extract_best(output: Path) -> None:
    """Best weights of a paused training, out of its model: they are shipped only once."""
    with zipfile.ZipFile(output / MODEL_FILE) as archive:
        weights = archive.read("model.weights.h5")
    write_atomically(output / BEST, lambda file: file.write(weights))
