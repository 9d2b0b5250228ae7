"""One trial of a search: a training in a process of its own, and what came of it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from socialmd.config import ExperimentConfig
from socialmd.files import write_text
from socialmd.training.fit import HISTORY, TENSORBOARD, fit
from socialmd.training.history import of_phase, read_history
from socialmd.training.search.memory_limit import limit_memory
from socialmd.training.search.time_budget import TimeBudget
from socialmd.training.training_cost import TrainingCost

__all__ = [
    "FAILURE",
    "LOG",
    "MEASUREMENTS",
    "TrialTask",
    "best_epoch",
    "run_trial",
    "train_trial",
    "write_failure",
]

FAILURE, LOG, MEASUREMENTS = "failure.txt", "log.txt", "measurements.json"


class TrialTask(NamedTuple):
    """What a trial consists of.

    Args:
        config: the experiment with the trial's values.
        data: folder of the data set.
        folder: for the training; an unfinished one there is continued.
        values: what was varied, by name.
        minutes: of training at most, if there is a limit.
        memory_gib: GiB that it may need; what is available if absent.
        epochs: after which to pause, if before the last one.
    """

    config: ExperimentConfig
    data: Path
    folder: Path
    values: Mapping[str, Any]
    minutes: float | None = None
    memory_gib: float | None = None
    epochs: int | None = None


def run_trial(task: TrialTask) -> None:
    """Train, and note the result for TensorBoard's HParams dashboard.

    What it prints goes to `log.txt` in its folder, and if it fails, why goes to `failure.txt`. The
    process ends when it needs more memory than it may.

    Raises:
        Exception: whatever the training raises.
    """
    task.folder.mkdir(parents=True, exist_ok=True)
    log = os.open(task.folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    # In place: whoever claims the folder meanwhile may take a temporary file for left over.
    limit_memory(task.memory_gib, (task.folder / FAILURE).write_text)
    try:
        train_trial(task)
    except Exception as error:
        write_failure(task.folder, f"{type(error).__name__}: {error}")
        traceback.print_exc()
        raise


def train_trial(task: TrialTask) -> None:
    """As `run_trial`, but prints where it is called and leaves no reason of a failure."""
    callbacks: list[keras.callbacks.Callback] = [TrainingCost(task.folder / MEASUREMENTS)]
    if task.minutes is not None:
        callbacks.append(TimeBudget(60 * task.minutes))
    fit(task.config, task.data, task.folder, callbacks, verbose=0, stop_after=task.epochs)
    epoch, losses = best_epoch(task.folder)
    folder = task.folder / TENSORBOARD / "search"
    with tf.summary.create_file_writer(str(folder)).as_default():
        hparams.hparams(dict(task.values), trial_id=task.folder.name)
        for name in ("val_loss", "val_mae"):
            tf.summary.scalar(f"search/{name}", losses[name], step=epoch)


def best_epoch(folder: Path) -> tuple[int, dict[str, float]]:
    """The epoch with the smallest validation loss; of the last phase, whose losses compare.

    Args:
        folder: of a training.

    Returns:
        Its number, from 0, and its losses.

    Raises:
        ValueError: no epoch has ended.
    """
    history = read_history(folder / HISTORY)
    if not history:
        raise ValueError(f"{folder}: no epoch has ended")
    last = of_phase(history, int(history.get("phase", [0.0])[-1]))
    best = last["val_loss"].index(min(last["val_loss"]))
    losses = {name: values[best] for name, values in last.items()}
    return int(losses["epoch"]), losses


def write_failure(folder: Path, reason: str) -> None:
    """Note why a trial has failed."""
    write_text(folder / FAILURE, f"{reason}\n")
