"""Logs of an interrupted training, of which steps and epochs since the backup are repeated."""

import pytest
import tensorflow as tf

from socialmd.training.event_file import keep_events
from tests.training.event_files import read_run

STEPS_PER_EPOCH = 3


@pytest.fixture
def log(tmp_path):
    """An event file of two epochs and a step, its end half-written."""
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        tf.summary.text("configuration", "`a = 1`", step=0)
        for step in range(1, 8):
            tf.summary.scalar("batch/loss", -step, step=step)
            if step % STEPS_PER_EPOCH == 0:
                epoch = step // STEPS_PER_EPOCH - 1
                tf.summary.scalar("epoch/loss", epoch, step=epoch)
                tf.summary.image("forecast/example", tf.zeros((1, 2, 2, 3)), step=epoch)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    return path


@pytest.mark.parametrize(("epochs", "steps"), [(0, 2), (1, 3), (1, 5), (2, 6)])
def test_what_is_repeated_is_dropped(log, epochs, steps):
    keep_events(log, epochs, steps)
    assert list(log.parent.iterdir()) == [log]
    run = read_run(log.parent)
    assert run["configuration"] == {0: b"`a = 1`"}
    assert run["batch/loss"] == {step: -step for step in range(1, steps + 1)}
    for tag in ("epoch/loss", "forecast/example"):
        assert list(run.get(tag, {})) == list(range(epochs))


def test_nothing_stays_of_a_training_that_begins_anew(log):
    keep_events(log, 0, 0)
    assert not log.exists()
