"""Callbacks of a phase of a training that log, save and stop it; on any backend of Keras."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import keras

from socialmd.config import TrainingConfig
from socialmd.training.history import epochs_without_improvement
from socialmd.training.training_backup import TrainingBackup
from socialmd.training.training_folder import save_atomically

__all__ = [
    "BestWeights",
    "EpochLog",
    "Files",
    "NumberedCallbacks",
    "ResumableEarlyStopping",
    "StopOnNonFinite",
    "phase_callbacks",
]


class Files(NamedTuple):
    """Where a training keeps what it needs to go on."""

    history: Path
    best: Path
    backup: Path


def phase_callbacks(
    number: int,
    config: TrainingConfig,
    files: Files,
    own: dict[str, list[float]],
    is_appended: bool,
    backup: TrainingBackup,
) -> list[Any]:
    """Callbacks of phase `number`, whose epochs so far are its `own`.

    The log is appended to if there were any epochs, of earlier phases too. The backup comes last:
    what a complete epoch's backup takes for done has been logged.
    """
    phases = config.schedule
    return [
        StopOnNonFinite(),
        BestWeights(files.best, own),
        EpochLog(files.history, is_appended, number if len(phases) > 1 else None),
        ResumableEarlyStopping(own, phases[number].patience),  # type: ignore[arg-type]
        backup,
    ]


class StopOnNonFinite(keras.callbacks.Callback):
    """Stops with an error at the first batch, of training or validation, whose loss is not finite.

    Batches that the optimizer has left out because their gradient was not finite are told after
    each epoch (see `ClippedNadam`).
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.left_out = self._count_left_out()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        before, self.left_out = self.left_out, self._count_left_out()
        if (count := self.left_out - before) > 0:
            print(f"epoch {epoch}: left out {count} batches whose gradient was not finite")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._check("training", batch, logs)

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._check("validation", batch, logs)

    def _count_left_out(self) -> int:
        count = getattr(self.model.optimizer, "num_left_out", 0)
        return int(keras.ops.convert_to_numpy(count))

    def _check(self, split: str, batch: int, logs: dict[str, Any] | None) -> None:
        loss = (logs or {}).get("loss", 0.0)  # mean over the epoch so far
        if not math.isfinite(loss):
            raise RuntimeError(
                f"epoch {self.epoch}, {split} batch {batch}: expected a finite loss, found {loss}; "
                "a smaller learning_rate or a gradient_clip_norm may help"
            )


class BestWeights(keras.callbacks.Callback):
    """Saves the weights whenever the validation loss is smaller than ever, in `history` too."""

    def __init__(self, path: Path, history: dict[str, list[float]]) -> None:
        super().__init__()
        self.path = path
        self.smallest = min(history.get("val_loss", []), default=math.inf)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {})["val_loss"]
        if loss < self.smallest:
            self.smallest = loss
            save_atomically(self.model.save_weights, self.path)


class EpochLog(keras.callbacks.CSVLogger):
    """`keras.callbacks.CSVLogger`, each line of which survives a power cut.

    The smallest loss is known from nowhere else. The number of the phase, if there are several, is
    in the log and in what the callbacks after this one are told.
    """

    def __init__(self, path: Path, is_appended: bool, phase: int | None = None) -> None:
        super().__init__(str(path), append=is_appended)
        self.phase = {} if phase is None else {"phase": phase}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None:
            logs.update(self.phase)
        super().on_epoch_end(epoch, logs)
        os.fsync(self.csv_file.fileno())


class ResumableEarlyStopping(keras.callbacks.EarlyStopping):
    """`keras.callbacks.EarlyStopping` on the validation loss, continued from the training's log.

    Keras' own starts to count anew when training does.
    """

    def __init__(self, history: dict[str, list[float]], patience: int) -> None:
        super().__init__(monitor="val_loss", mode="min", patience=patience)
        self.history = history

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if self.history.get("val_loss"):
            self.best = min(self.history["val_loss"])
            self.wait = epochs_without_improvement(self.history)


class NumberedCallbacks(keras.callbacks.CallbackList):
    """Callbacks that are told which number a training batch has in the whole epoch.

    `model.fit` counts from zero whatever it is given; when it is given the rest of an epoch,
    progress bar, messages and backups should count from where it was interrupted.
    """

    def __init__(
        self, callbacks: list[keras.callbacks.Callback], first_batch: int, **arguments: Any
    ) -> None:
        super().__init__(callbacks, **arguments)
        self.first_batch = first_batch

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_begin(self.first_batch + batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(self.first_batch + batch, logs)
