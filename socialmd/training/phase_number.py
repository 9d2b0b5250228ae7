"""Which phase of a training an epoch belongs to, for its log."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["PhaseNumber"]


class PhaseNumber(keras.callbacks.Callback):
    """Adds the number of the phase to what the callbacks after it are told of an epoch.

    Args:
        number: of the phase, from 0.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None:
            logs["phase"] = self.number
