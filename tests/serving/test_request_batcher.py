import os
import re
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import numpy as np
import pytest

from socialmd.serving import RequestBatcher

STEPS, FOREVER = 3, 3600.0  # seconds that no test waits for


class Forecast:
    """Positions move on by twice the mean of the real ones at each step; what it was asked for."""

    def __init__(self):
        self.calls = []

    def __call__(self, inputs, mask, num_steps):
        self.calls.append((inputs, mask, num_steps))
        last = inputs[:, -1, :, :2] * mask[..., None]
        step = 2 * last.sum(axis=1) / np.maximum(mask.sum(axis=1), 1)[:, None]
        ahead = np.arange(1, num_steps + 1)[:, None, None]
        positions = last[:, None] + ahead * step[:, None, None]
        return {"positions": positions, "parameters": positions.repeat(2, axis=-1)}

    @property
    def batch_sizes(self):
        return [len(inputs) for inputs, _, _ in self.calls]


class HeldForecast(Forecast):
    """Begins each call only when told to."""

    def __init__(self):
        super().__init__()
        self.called, self.go = threading.Event(), threading.Event()

    def __call__(self, *arguments):
        self.called.set()
        assert self.go.wait(60)
        return super().__call__(*arguments)


def alone(system, num_steps=STEPS):
    inputs = np.asarray(system)[None].astype("float32")
    answer = Forecast()(inputs, np.ones((1, inputs.shape[2]), bool), num_steps)
    return {name: value[0] for name, value in answer.items()}


def assert_answers(futures, systems, num_steps=STEPS):
    for future, system in zip(futures, systems, strict=True):
        answer, expected = future.result(60), alone(system, num_steps)
        assert answer.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(answer[name], value, rtol=1e-6)


@pytest.fixture
def systems(rng):
    return [rng.normal(size=(4, count, 3)) for count in (5, 1, 9, 2, 0)]


def test_many_threads_get_each_its_own_answer(rng):
    systems = [rng.normal(size=(4, count, 3)) for count in rng.integers(1, 12, size=60)]
    forecast = Forecast()
    with RequestBatcher(forecast, max_batch_size=8) as batcher, ThreadPoolExecutor(12) as threads:
        calls = threads.map(lambda system: batcher.submit(system, STEPS).result(60), systems)
        answers = list(calls)
    for answer, system in zip(answers, systems, strict=True):
        np.testing.assert_allclose(answer["positions"], alone(system)["positions"], rtol=1e-5)
    assert sum(forecast.batch_sizes) == 60
    assert max(forecast.batch_sizes) <= 8


def test_a_full_batch_is_padded_and_does_not_wait(systems):
    forecast = Forecast()
    with RequestBatcher(forecast, len(systems), FOREVER) as batcher:
        assert_answers([batcher.submit(system, STEPS) for system in systems], systems)
    ((inputs, mask, num_steps),) = forecast.calls
    assert inputs.shape == (5, 4, 9, 3)
    assert inputs.dtype == "float32"
    assert num_steps == STEPS
    assert num_steps.dtype == "int32"
    assert mask.dtype == bool
    assert mask.sum(axis=1).tolist() == [5, 1, 9, 2, 0]
    assert not np.any(inputs[1, :, 1:])


def test_requests_gather_while_a_call_runs(systems):
    forecast = HeldForecast()
    with RequestBatcher(forecast, max_batch_size=3, max_wait_seconds=0) as batcher:
        futures = [batcher.submit(systems[0], STEPS)]
        assert forecast.called.wait(60)
        futures += [batcher.submit(system, STEPS) for system in systems[1:]]
        forecast.go.set()
        assert_answers(futures, systems)
    assert forecast.batch_sizes == [1, 3, 1]


def test_only_what_is_alike_is_forecast_together(rng):
    forecast = HeldForecast()
    kinds = [((4, 2, 3), 3), ((4, 5, 3), 7), ((2, 3, 3), 3), ((4, 6, 5), 3)]
    systems = [rng.normal(size=shape) for shape, _ in kinds for _ in range(2)]
    with RequestBatcher(forecast, max_wait_seconds=0) as batcher:
        first = batcher.submit(np.zeros((9, 1, 2)), 1)
        assert forecast.called.wait(60)
        futures = [
            batcher.submit(system, kinds[number // 2][1]) for number, system in enumerate(systems)
        ]
        forecast.go.set()
        first.result(60)
        for number, (_, num_steps) in enumerate(kinds):
            pair = slice(2 * number, 2 * number + 2)
            assert_answers(futures[pair], systems[pair], num_steps)
    assert forecast.batch_sizes == [1, 2, 2, 2, 2]


def test_what_was_handed_in_may_be_reused(systems):
    with RequestBatcher(Forecast(), 2, FOREVER) as batcher:
        mine = systems[0].astype("float32")
        future = batcher.submit(mine, STEPS)
        mine[:] = np.nan
        batcher.submit(systems[1], STEPS)
        assert_answers([future], systems[:1])


@pytest.mark.parametrize(
    ("inputs", "num_steps", "message"),
    [
        (np.zeros((4, 3)), 1, r"inputs: expected \[steps, particles, features\].*\(4, 3\)"),
        (np.zeros((1, 4, 3, 2)), 1, r"inputs: .*\(1, 4, 3, 2\)"),
        (np.zeros((1, 3, 4)), 1, r"at least two time steps, found shape \(1, 3, 4\)"),
        (np.full((4, 3, 4), np.nan), 1, "inputs: expected finite"),
        (np.full((4, 3, 4), 1e300), 1, "inputs: expected finite"),
        (np.ma.masked_less(np.arange(48.0).reshape(4, 3, 4), 1), 1, "inputs: .* masked numbers"),
        *(
            (np.zeros((4, 3, 4)), number, rf"num_steps: expected a whole number .*found {found}")
            for number, found in [
                (0, "0"),
                (1.5, "1.5"),
                ("2", "'2'"),
                (None, "None"),
                (np.inf, "inf"),
                (np.nan, "nan"),
                (2**31, "2147483648"),
            ]
        ),
    ],
)
def test_a_bad_request_is_refused_alone(systems, inputs, num_steps, message):
    forecast = Forecast()
    with RequestBatcher(forecast, 2, FOREVER) as batcher:
        before = batcher.submit(systems[0], STEPS)
        with pytest.raises(ValueError, match=message):
            batcher.submit(inputs, num_steps)
        after = batcher.submit(systems[1], STEPS)
        assert_answers([before, after], systems[:2])
    assert forecast.batch_sizes == [2]


def test_a_system_that_fails_fails_alone(systems):
    class Diverging(Forecast):
        def __call__(self, inputs, mask, num_steps):
            answer = super().__call__(inputs, mask, num_steps)
            if (inputs > 1e6).any():
                raise FloatingPointError("the forecast became infinite")
            return answer

    forecast = Diverging()
    with RequestBatcher(forecast, 3, FOREVER) as batcher:
        futures = [
            batcher.submit(system, STEPS)
            for system in (systems[0], np.full((4, 2, 3), 1e9), systems[1])
        ]
        with pytest.raises(FloatingPointError, match="infinite"):
            futures[1].result(60)
        assert_answers([futures[0], futures[2]], systems[:2])
    assert forecast.batch_sizes == [3, 1, 1, 1]


@pytest.mark.parametrize("error", [MemoryError("no more"), SystemExit(3)])
def test_an_error_reaches_all_and_is_not_the_end(systems, error):
    broken = threading.Event()
    broken.set()

    def forecast(inputs, mask, num_steps):
        if broken.is_set():
            raise error
        return Forecast()(inputs, mask, num_steps)

    with RequestBatcher(forecast, 2, FOREVER) as batcher:
        for future in [batcher.submit(system, STEPS) for system in systems[:2]]:
            with pytest.raises(type(error), match=re.escape(str(error))):
                future.result(60)
        broken.clear()
        assert_answers([batcher.submit(system, STEPS) for system in systems[:2]], systems[:2])


def test_closing_answers_who_waits_and_refuses_who_comes(systems):
    forecast = Forecast()
    batcher = RequestBatcher(forecast, max_wait_seconds=FOREVER)
    with batcher:
        futures = [batcher.submit(system, STEPS) for system in systems]
    assert all(future.done() for future in futures)
    assert_answers(futures, systems)
    assert forecast.batch_sizes == [5]
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(systems[0], STEPS)
    batcher.close()  # once more changes nothing


def test_a_batcher_does_not_survive_a_fork(systems):
    """As under `gunicorn --preload`: the thread that would answer is not copied."""
    with RequestBatcher(Forecast()) as batcher:
        assert_answers([batcher.submit(systems[0], STEPS)], systems[:1])
        child = os.fork()
        if child == 0:  # only `os._exit` may end it: the rest of the tests is the parent's
            try:
                batcher.submit(systems[0], STEPS)
            except RuntimeError as error:
                os._exit(0 if "after the fork" in str(error) else 1)
            os._exit(2)
        assert os.waitpid(child, 0)[1] == 0


def test_a_cancelled_request_is_not_forecast(systems):
    forecast = Forecast()
    with RequestBatcher(forecast, 2, FOREVER) as batcher:
        cancelled = batcher.submit(systems[2], STEPS)
        assert cancelled.cancel()
        assert_answers([batcher.submit(systems[1], STEPS)], systems[1:2])
    with pytest.raises(CancelledError):
        cancelled.result()
    assert forecast.batch_sizes == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_batch_size": 0}, "max_batch_size: expected at least 1, found 0"),
        ({"max_wait_seconds": -1.0}, "max_wait_seconds: expected 0 or more, found -1.0"),
        ({"max_wait_seconds": float("nan")}, "max_wait_seconds: .*nan"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RequestBatcher(Forecast(), **arguments)
