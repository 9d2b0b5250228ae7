"""Callbacks for the rest of an epoch."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["NumberedCallbacks"]


class NumberedCallbacks(keras.callbacks.CallbackList):
    """Callbacks that are told which number a training batch has in the whole epoch.

    `model.fit` counts from zero whatever it is given; when it is given the rest of an epoch,
    progress bar, messages and backups should count from where it was interrupted.

    Args:
        callbacks: to be called, in this order.
        first_batch: number of the first batch.
        arguments: as for `keras.callbacks.CallbackList`.
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
