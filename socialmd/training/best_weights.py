"""The weights of the best epoch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras

from socialmd.training.weights import save_atomically

__all__ = ["BestWeights"]


class BestWeights(keras.callbacks.Callback):
    """Saves the weights whenever the validation loss is smaller than ever before.

    Args:
        path: the file, replaced as a whole.
        history: log of the epochs before an interruption, from `read_history`.
    """

    def __init__(self, path: Path, history: dict[str, list[float]]) -> None:
        super().__init__()
        self.path = path
        self.smallest = min(history.get("val_loss", []), default=math.inf)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {})["val_loss"]
        if loss < self.smallest:
            self.smallest = loss
            save_atomically(self.model.save_weights, self.path)
