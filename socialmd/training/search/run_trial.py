"""One trial of a search: a training in a process of its own, and what came of it."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
from tensorboard.plugins.hparams import api as hparams

from socialmd.config import ExperimentConfig
from socialmd.files import write_text
from socialmd.training.event_file import EventFile, scalars
from socialmd.training.fit import TENSORBOARD, fit
from socialmd.training.history import HISTORY_FILE, of_phase, read_history
from socialmd.training.search.memory_limit import limit_memory
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
    """What a trial consists of."""

    config: ExperimentConfig
    data: Path
    folder: Path  # for the training; an unfinished one there is continued
    values: Mapping[str, Any]  # what was varied, by name
    minutes: float | None = None  # of training at most
    memory_gib: float | None = None  # that it may need; what is available if absent
    epochs: int | None = None  # after which to pause, if before the last one


def run_trial(task: TrialTask) -> None:
    """Train, and note the result for TensorBoard's HParams dashboard.

    What it prints goes to `log.txt` in its folder, and if it fails, why goes to `failure.txt`. The
    process ends when it needs more memory than it may.
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
    file = EventFile(task.folder / TENSORBOARD / "search")
    file.write(0, hparams.hparams_pb(dict(task.values), trial_id=task.folder.name))
    file.write(epoch, scalars({f"search/{name}": losses[name] for name in ("val_loss", "val_mae")}))
    file.close()


class TimeBudget(keras.callbacks.Callback):
    """Ends a training so many seconds after its first step, having validated what it has reached.

    The rest of the epoch is left out. Time before an interruption does not count.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.start: float | None = None

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.start = self.start or time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.start is not None and time.monotonic() - self.start > self.seconds:
            self.model.stop_training = True


def best_epoch(folder: Path) -> tuple[int, dict[str, float]]:
    """Number and losses of a training's best epoch; of the last phase, whose losses compare."""
    history = read_history(folder / HISTORY_FILE)
    if not history:
        raise ValueError(f"{folder}: no epoch has ended")
    return best_of(history)


def best_of(history: dict[str, list[float]]) -> tuple[int, dict[str, float]]:
    """The same, of the log of a training."""
    last = of_phase(history, int(history.get("phase", [0.0])[-1]))
    best = last["val_loss"].index(min(last["val_loss"]))
    losses = {name: values[best] for name, values in last.items()}
    return int(losses["epoch"]), losses


def write_failure(folder: Path, reason: str) -> None:
    """Note why a trial has failed."""
    write_text(folder / FAILURE, f"{reason}\n")
