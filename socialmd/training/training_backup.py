"""Backups of a training, from which it goes on after an interruption as if there had been none.

A backup is one file: weights, optimizer and the sums of which the epoch's losses are means. Its
name says how many epochs are complete and how many steps of the next one are done. It appears by
being renamed, so a process killed at any moment leaves whole backups only. Disks and power cuts may
do worse: the one before stays, too.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from socialmd.files import write_atomically
from socialmd.models.keras_safeguards import build_optimizer

__all__ = ["TrainingBackup", "build_state", "last_backup"]

BACKUP_NAME = re.compile(r"epoch_(\d{5})_step_(\d{7})\.npz")


def last_backup(directory: Path) -> tuple[int, int, Path | None]:
    """Where to go on: complete epochs, steps done of the next one, and the last whole backup.

    Zeros and nothing if there is none; refuses a folder whose backups are all damaged.
    """
    found = sorted(
        (
            (int(match[1]), int(match[2]), path)
            for path in (directory.iterdir() if directory.is_dir() else ())
            if (match := BACKUP_NAME.fullmatch(path.name))
        ),
        reverse=True,
    )
    for each in found:
        if _is_whole(each[2]):
            return each
    if found:
        raise ValueError(
            f"{found[0][2]}: expected a backup, found a damaged file (a power cut or a full disk "
            "may leave one) and no other one before; remove the training's folder to begin anew"
        )
    return 0, 0, None


def _is_whole(path: Path) -> bool:
    """Whether every array has the checksum that the archive says."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except FileNotFoundError:
        return False  # another process has just replaced it
    except (zipfile.BadZipFile, EOFError):
        return False


def build_state(model: keras.Model, targets: Any, outputs: Any) -> None:
    """Make what a backup holds: variables that Keras would make in the first training step.

    The model is built and compiled; targets and outputs have shapes that the metrics will compare.
    """
    build_optimizer(model)
    model.compute_metrics(None, targets, outputs)


class TrainingBackup(keras.callbacks.Callback):
    """Backs the training up every so many steps and after every epoch; keeps the last two.

    `keras.callbacks.BackupAndRestore` writes weights and epoch number one after the other and in
    place; killed in between, it continues from the wrong epoch or not at all. It repeats the
    interrupted epoch from its first step.

    A backup to go on from is put back into a model that went through `build_state` when the first
    epoch begins, after Keras has reset the metrics.
    """

    def __init__(self, directory: Path, every: int, restore: Path | None = None) -> None:
        super().__init__()
        self.directory = directory
        self.every = every
        self.restore = restore

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch
        if self.restore is not None:
            with np.load(self.restore) as arrays:
                for variable, name in zip(self._state(), sorted(arrays), strict=True):
                    variable.assign(arrays[name])
            self.restore = None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        steps = batch + 1
        if steps % self.every == 0 and steps < self.params["steps"]:
            self._save(self.epoch, steps)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.model.reset_metrics()  # they have just counted the validation
        self._save(epoch + 1, 0)

    def _save(self, epochs: int, steps: int) -> None:
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()  # between two steps, variables are empty
        arrays = {
            f"{index:05d}": keras.ops.convert_to_numpy(variable)
            for index, variable in enumerate(self._state())
        }
        newest = self.directory / f"epoch_{epochs:05d}_step_{steps:07d}.npz"
        write_atomically(newest, lambda file: np.savez(file, allow_pickle=False, **arrays))
        for path in sorted(self.directory.glob("*.npz"))[:-2]:
            path.unlink()

    def _state(self) -> list[Any]:
        """Every variable that one training step hands to the next."""
        return [
            *self.model.variables,  # its weights, and the states of its random numbers
            *self.model.optimizer.variables,
            *self.model.metrics_variables,
        ]
