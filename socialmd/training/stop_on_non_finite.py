"""No training on after a loss that is not finite."""

from __future__ import annotations

import math
from typing import Any

import keras

__all__ = ["StopOnNonFinite"]


class StopOnNonFinite(keras.callbacks.Callback):
    """Stops with an error at the first batch, of training or validation, whose loss is not finite.

    Batches that the optimizer has left out because their gradient was not finite are told after
    each epoch (see `ClippedNadam`).

    Raises:
        RuntimeError: the loss is infinite or not a number; names epoch and batch, both from 0.
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.left_out = self._count_left_out()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        left_out = self._count_left_out()
        if left_out > self.left_out:
            print(
                f"epoch {epoch}: left out {left_out - self.left_out} batches whose gradient was "
                "not finite"
            )
        self.left_out = left_out

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
