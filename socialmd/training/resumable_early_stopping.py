"""Early stopping that remembers an interrupted training."""

from __future__ import annotations

from typing import Any

import keras

from socialmd.training.history import epochs_without_improvement

__all__ = ["ResumableEarlyStopping"]


class ResumableEarlyStopping(keras.callbacks.EarlyStopping):
    """`keras.callbacks.EarlyStopping` on the validation loss, continued from the training's log.

    Keras' own starts to count anew when training does.

    Args:
        history: the log so far, from `read_history`.
        patience: epochs without improvement after which training stops.
    """

    def __init__(self, history: dict[str, list[float]], patience: int) -> None:
        super().__init__(monitor="val_loss", mode="min", patience=patience)
        self.history = history

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if self.history.get("val_loss"):
            self.best = min(self.history["val_loss"])
            self.wait = epochs_without_improvement(self.history)
