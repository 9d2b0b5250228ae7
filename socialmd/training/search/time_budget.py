"""No trial longer than it may take."""

from __future__ import annotations

import time
from typing import Any

import keras

__all__ = ["TimeBudget"]


class TimeBudget(keras.callbacks.Callback):
    """Ends a training after some time, having validated what it has reached.

    The rest of the epoch is left out. Time before an interruption does not count.

    Args:
        seconds: from the first training step on.

    Example:
        >>> fit(config, data, output, callbacks=[TimeBudget(600.0)])
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
