"""One call of an exported model for many requests that come at the same time."""

from __future__ import annotations

import dataclasses
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["RequestBatcher"]

Forecast = Callable[[NDArray[np.float32], NDArray[np.bool_], np.int32], Mapping[str, Any]]
Answer = dict[str, NDArray[np.float32]]


class RequestBatcher:
    """Answers requests for forecasts of single systems, of any sizes, in padded batches.

    Many small systems are forecast faster in one call than in many. Here threads hand in one system
    each; those of the same T, F and number of steps that come within a short time are padded to the
    largest of them, forecast in one call, and each gets its own part back. Padding costs time: a
    system takes as long as the largest of its batch.

    What is wrong with a request is said at once and to its sender alone. A batch that fails is
    tried again one system at a time, so that one whose forecast becomes infinite fails alone, and
    what fails all systems reaches all their senders.

    Safe for use by any number of threads of one process, that which has made it: make it after a
    fork. The calls are made by one thread of its own. Closing it, or leaving its `with` block,
    refuses further requests and returns once all others are answered.

    Args:
        forecast: called with inputs float32 [B, T, N, F], mask bool [B, N], false for padded
            particles, and the number of steps, an int32; returns arrays or tensors
            [B, steps, N, ...] by name. The endpoint `rollout_padded` of a SavedModel is one.
        max_batch_size: most systems in one call.
        max_wait_seconds: how long a request waits for others to join it. While a call runs,
            requests gather anyway.

    Raises:
        ValueError: one of the numbers is impossible.

    Example:
        >>> loaded = tf.saved_model.load("exported")  # holds the weights: must not be dropped
        >>> with RequestBatcher(loaded.rollout_padded) as batcher:
        ...     answer = batcher.submit(frames, num_steps=200)  # frames [T, N, F]
        ...     positions = answer.result()["positions"]  # [200, N, D]
    """

    def __init__(
        self, forecast: Forecast, max_batch_size: int = 32, max_wait_seconds: float = 0.005
    ) -> None:
        if max_batch_size < 1:
            raise ValueError(f"max_batch_size: expected at least 1, found {max_batch_size}")
        if not 0 <= max_wait_seconds <= threading.TIMEOUT_MAX:
            raise ValueError(f"max_wait_seconds: expected 0 or more, found {max_wait_seconds}")
        self.forecast = forecast
        self.max_batch_size = max_batch_size
        self.max_wait_seconds = max_wait_seconds
        self._waiting: list[_Request] = []
        self._closed = False
        self._process = os.getpid()
        self._changed = threading.Condition()  # guards the two above
        # A daemon, so that a program that forgets to close this can end.
        self._worker = threading.Thread(target=self._work, name="RequestBatcher", daemon=True)
        self._worker.start()

    def submit(self, inputs: ArrayLike, num_steps: int) -> Future[Answer]:
        """Ask for a forecast of one system.

        Args:
            inputs: [T, N, F] with T >= 2, positions in units of length first; no padded particles.
            num_steps: steps ahead.

        Returns:
            A future of what the endpoint returns, `positions` [num_steps, N, D] and `parameters`
            [num_steps, N, P]. `result` waits for it and raises what the forecast has raised;
            `cancel` withdraws a request that is still waiting.

        Raises:
            ValueError: inputs are of another shape or not finite, or `num_steps` is impossible.
            RuntimeError: the batcher is closed, or was made before this process was forked.
        """
        if os.getpid() != self._process:
            raise RuntimeError(
                "RequestBatcher: expected to be used by the process that made it, found another "
                "one, to which a fork does not copy its thread; make one in each process, after "
                "the fork (`post_fork` of gunicorn)"
            )
        request = _Request(_check_inputs(inputs), _check_num_steps(num_steps))
        with self._changed:
            if self._closed:
                raise RuntimeError("RequestBatcher: expected no request after it was closed")
            self._waiting.append(request)
            self._changed.notify()
        return request.future

    def close(self) -> None:
        """Refuse further requests and wait until all others are answered."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._worker.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # === The thread that makes the calls ===

    def _work(self) -> None:
        while batch := self._next_batch():
            if wanted := [one for one in batch if one.future.set_running_or_notify_cancel()]:
                self._answer(wanted)

    def _next_batch(self) -> list[_Request]:
        """Wait for requests; nothing once there are none left and the batcher is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            batch = self._joined()
            if batch:
                patience = batch[0].arrived + self.max_wait_seconds - time.monotonic()
                self._changed.wait_for(
                    lambda: self._closed or len(self._joined()) == self.max_batch_size,
                    max(patience, 0.0),
                )
                batch = self._joined()
            self._waiting = [request for request in self._waiting if request not in batch]
            return batch

    def _joined(self) -> list[_Request]:
        """The request that waits longest and those that can be forecast with it."""
        joined = [one for one in self._waiting if one.kind == self._waiting[0].kind]
        return joined[: self.max_batch_size]

    def _answer(self, batch: list[_Request]) -> None:
        try:
            answers = _forecast_together(self.forecast, batch)
        except BaseException as error:  # whatever it is, callers must not wait for ever
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for request in batch:
                self._answer([request])
        else:
            for request, answer in zip(batch, answers, strict=True):
                request.future.set_result(answer)


@dataclasses.dataclass(frozen=True, eq=False)  # compared by identity, not number by number
class _Request:
    inputs: NDArray[np.float32]  # [T, N, F]
    num_steps: int
    future: Future[Answer] = dataclasses.field(default_factory=Future)
    arrived: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def kind(self) -> tuple[int, int, int]:
        """What requests of one batch have in common."""
        steps, _, features = self.inputs.shape
        return steps, features, self.num_steps


def _forecast_together(forecast: Forecast, batch: list[_Request]) -> list[Answer]:
    counts = [request.inputs.shape[1] for request in batch]
    steps, _, features = batch[0].inputs.shape
    inputs = np.zeros((len(batch), steps, max(counts), features), np.float32)
    for system, request, count in zip(inputs, batch, counts, strict=True):
        system[:, :count] = request.inputs
    mask = np.arange(max(counts)) < np.array(counts)[:, np.newaxis]  # [B, N]
    outputs = forecast(inputs, mask, np.int32(batch[0].num_steps))
    arrays = {name: np.asarray(output) for name, output in outputs.items()}
    return [  # copies, which do not keep the others' answers in memory
        {name: array[index, :, :count].copy() for name, array in arrays.items()}
        for index, count in enumerate(counts)
    ]


def _check_inputs(inputs: ArrayLike) -> NDArray[np.float32]:
    if np.ma.is_masked(inputs):
        raise ValueError("inputs: expected an array without masked numbers, found some")
    with np.errstate(over="ignore"):  # numbers that float32 does not hold become infinite
        array = np.array(inputs, np.float32)  # a copy: the sender may reuse its own
    if array.ndim != 3 or array.shape[0] < 2:
        raise ValueError(
            "inputs: expected [steps, particles, features] of one system and at least two time "
            f"steps, found shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError("inputs: expected finite numbers, found some that are not")
    return array


def _check_num_steps(num_steps: int) -> int:
    try:
        number = math.nan if isinstance(num_steps, str) else float(num_steps)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (1 <= number < 2**31 and number.is_integer()):
        raise ValueError(
            f"num_steps: expected a whole number from 1 to 2**31 - 1, found {num_steps!r}"
        )
    return int(number)
