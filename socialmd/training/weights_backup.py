"""A backup of the training after every epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from socialmd.training.weights import backup_file, save_atomically

__all__ = ["WeightsBackup"]


class WeightsBackup(keras.callbacks.Callback):
    """Saves weights and optimizer after every epoch, then drops the backup before.

    `keras.callbacks.BackupAndRestore` writes weights and epoch number one after the other and in
    place; killed in between, it continues from the wrong epoch or not at all.

    Args:
        directory: folder of the backups.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        newest = backup_file(self.directory, epoch + 1)
        save_atomically(self.model.save_weights, newest)
        for path in self.directory.glob("epoch_*.weights.h5"):
            if path != newest:
                path.unlink()
