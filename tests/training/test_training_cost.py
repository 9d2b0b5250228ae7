import json

import numpy as np
import pytest

from socialmd.training import training_cost
from socialmd.training.training_cost import TrainingCost


@pytest.fixture
def train_steps(monkeypatch):
    """Let a callback see training steps that take so many seconds, and then a validation."""

    def train(callback, seconds):
        for number, duration in enumerate(seconds):
            clock = iter([100.0 * number, 100.0 * number + duration])
            monkeypatch.setattr(training_cost.time, "perf_counter", lambda clock=clock: next(clock))
            callback.on_train_batch_begin(number)
            callback.on_train_batch_end(number)
        callback.on_test_begin()

    return train


def test_time_is_the_median_over_all_steps_but_the_first(tmp_path, train_steps):
    callback = TrainingCost(tmp_path / "folder" / "measurements.json")
    train_steps(callback, [50.0, 1.0, 3.0])
    train_steps(callback, [2.0, 9.0, 2.5])
    result = json.loads((tmp_path / "folder" / "measurements.json").read_text())
    assert result["seconds_per_step"] == 2.5
    assert result["measured_steps"] == 5


def test_an_interruption_starts_anew_and_leaves_what_was_measured(tmp_path, train_steps):
    callback = TrainingCost(tmp_path / "measurements.json")
    train_steps(callback, [50.0])
    assert not callback.path.exists()  # nothing but the step that compiles
    train_steps(callback, [2.0])
    callback = TrainingCost(tmp_path / "measurements.json")
    train_steps(callback, [60.0])
    assert json.loads(callback.path.read_text())["seconds_per_step"] == 2.0
    train_steps(callback, [4.0])
    assert json.loads(callback.path.read_text())["seconds_per_step"] == 4.0


def test_peak_memory_remembers_what_is_gone(tmp_path, train_steps):
    callback = TrainingCost(tmp_path / "measurements.json")
    peaks = []
    for _ in range(2):
        train_steps(callback, [1.0, 1.0])
        peaks.append(json.loads(callback.path.read_text())["peak_memory_bytes"])
        np.ones(peaks[0], np.uint8)  # what is there now and as much again as there ever was
    assert 1.1 * peaks[0] < peaks[1] < 2.1 * peaks[0]
