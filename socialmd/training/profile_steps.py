"""A profile of a few training steps, for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

__all__ = ["ProfileSteps"]


class ProfileSteps(keras.callbacks.Callback):
    """Has the profiler of Keras' backend record where the time of a few training steps goes.

    Steps are counted from 1, in this process: a training that goes on from a backup is profiled
    like one that begins. The first step compiles. Everything between the first and the last of the
    steps is recorded, callbacks and the end of an epoch too; a fit that ends ends the profile.

    `keras.callbacks.TensorBoard(profile_batch=)` does not mark steps, so its profiles know of no
    time per step; it counts anew in every fit and writes losses a second time, and a graph.

    Args:
        directory: of the run in TensorBoard, which finds the profile in `plugins/profile/` there.
            Its plugin `xprof` shows it, which is a package of its own.
        first, last: numbers of the steps.

    Attributes:
        num_profiled: steps that have been recorded.

    Raises:
        ValueError: there is no such range.

    Example:
        >>> fit(config, data, output, [ProfileSteps(output / "tensorboard/train", 10, 14)])
    """

    def __init__(self, directory: str | Path, first: int, last: int) -> None:
        super().__init__()
        if not 1 <= first <= last:
            raise ValueError(
                f"first, last: expected numbers of steps, 1 <= first <= last, found {first}, {last}"
            )
        self.directory = str(directory)
        self.first, self.last = first, last
        self.num_profiled = self._step = 0
        self._is_recording = False

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._step += 1
        if self._step == self.first:
            _start(self.directory)
            self._is_recording = True
        if self._is_recording:
            self._trace = _mark("train", step_num=self._step)
            self._trace.__enter__()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._is_recording:
            self._trace.__exit__(None, None, None)
            self.num_profiled += 1
            if self._step == self.last:
                self.on_train_end()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._is_recording:
            _stop()
            self._is_recording = False


if keras.backend.backend() == "jax":

    def _start(directory: str) -> None:
        import jax

        jax.profiler.start_trace(directory)

    def _mark(name: str, step_num: int) -> Any:
        import jax

        return jax.profiler.StepTraceAnnotation(name, step_num=step_num)

    def _stop() -> None:
        import jax

        jax.profiler.stop_trace()

else:

    def _start(directory: str) -> None:
        import tensorflow as tf

        tf.profiler.experimental.start(directory)

    def _mark(name: str, step_num: int) -> Any:
        import tensorflow as tf

        return tf.profiler.experimental.Trace(name, step_num=step_num, _r=1)

    def _stop() -> None:
        import tensorflow as tf

        tf.profiler.experimental.stop()
