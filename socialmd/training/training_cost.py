"""Costs of a training: time per step and memory."""

from __future__ import annotations

import re
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import keras

from socialmd.files import write_json

__all__ = ["TrainingCost", "peak_memory"]


class TrainingCost(keras.callbacks.Callback):
    """Writes time per training step and peak memory as JSON, before each epoch's validation.

    So a complete training has been measured, wherever it was interrupted. What counts are the steps
    that this object has seen, without the first one, which compiles; it writes nothing without any.

        seconds_per_step     median over these steps, reading the batch included
        measured_steps       how many they are
        peak_memory_bytes    resident memory of this process so far, libraries included
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        self.path = Path(path)
        self.seconds: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.seconds.append(time.perf_counter() - self.start)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        if measured := self.seconds[1:]:
            cost = {
                "seconds_per_step": statistics.median(measured),
                "measured_steps": len(measured),
                "peak_memory_bytes": peak_memory(),
            }
            write_json(self.path, cost)


def peak_memory() -> int:
    """Largest resident memory of this process so far, in bytes."""
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "darwin":
        return peak
    # On Linux that number, in kilobytes, begins with what the process that started this one had.
    found = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return 1024 * (int(found[1]) if found else peak)
