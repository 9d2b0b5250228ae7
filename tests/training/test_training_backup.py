"""Backups, on a model of two weights: what they hold, and that nothing shows where they were used.

The optimizer's moments, the metrics' sums and the state of random numbers count as much as the
weights.
"""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd import load_config
from socialmd.models import build_model
from socialmd.training.compile_model import compile_model
from socialmd.training.phase_callbacks import NumberedCallbacks
from socialmd.training.training_backup import TrainingBackup, build_state, last_backup

ROOT = Path(__file__).parents[2]
NUM_BATCHES = 10


class Recorder(keras.callbacks.Callback):
    """Notes which batches it is told of, and stops at one of them as an interruption does."""

    def __init__(self, interrupt_at=None):
        super().__init__()
        self.interrupt_at = interrupt_at
        self.begun, self.ended = [], []

    def on_train_batch_begin(self, batch, logs=None):
        if batch == self.interrupt_at:
            raise KeyboardInterrupt
        self.begun.append(batch)

    def on_train_batch_end(self, batch, logs=None):
        self.ended.append(batch)


@pytest.fixture
def dataset(rng):
    x = rng.normal(size=(4 * NUM_BATCHES, 1)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((x, 3 * x + 1)).batch(4)


def make_model(precision="float32"):
    dense = keras.layers.Dense(1, kernel_initializer="ones", dtype=precision)
    noise = keras.layers.GaussianNoise(0.1, seed=1, dtype=precision)
    model = keras.Sequential([keras.Input((1,)), noise, dense])
    model.dtype_policy = dense.dtype_policy  # by which Keras decides whether to scale the loss
    model.compile(keras.optimizers.Nadam(0.1), "mse", metrics=["mae"])
    build_state(model, np.zeros((1, 1)), np.zeros((1, 1)))
    return model


def train(model, dataset, callbacks, first_batch=0, epochs=2, initial_epoch=0, verbose=0):
    numbered = NumberedCallbacks(
        callbacks,
        first_batch,
        add_history=True,
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        epochs=2,
        steps=NUM_BATCHES,
    )
    rest = dataset.skip(first_batch)
    return model.fit(
        rest, epochs=epochs, initial_epoch=initial_epoch, callbacks=numbered, shuffle=False
    ).history


def interrupt(dataset, directory, epochs_before, batch, precision="float32"):
    """Leave the backups of a training that is interrupted before that batch."""
    model = make_model(precision)
    backup = TrainingBackup(directory, every=3)
    if epochs_before > 0:
        train(model, dataset, [backup], epochs=epochs_before)
    with pytest.raises(KeyboardInterrupt):
        train(model, dataset, [Recorder(batch), backup], initial_epoch=epochs_before)


def test_without_backup_training_starts_at_the_beginning(tmp_path):
    assert last_backup(tmp_path / "nowhere") == (0, 0, None)
    assert last_backup(tmp_path) == (0, 0, None)


@pytest.mark.parametrize(
    ("epochs_before", "batch", "expected"),
    [
        (0, 2, []),
        (0, 3, [(0, 3)]),
        (0, 8, [(0, 3), (0, 6)]),
        (1, 0, [(0, 9), (1, 0)]),
        (1, 9, [(1, 6), (1, 9)]),
    ],
)
def test_backups_say_how_far_they_go_and_the_last_two_stay(
    dataset, tmp_path, epochs_before, batch, expected
):
    directory = tmp_path / "backup"
    interrupt(dataset, directory, epochs_before, batch)
    names = [f"epoch_{epoch:05d}_step_{step:07d}.npz" for epoch, step in expected]
    assert sorted(path.name for path in directory.glob("*")) == names
    if expected:
        assert last_backup(directory) == (*expected[-1], directory / names[-1])


def test_there_is_no_backup_between_the_last_step_and_the_epochs_end(dataset, tmp_path):
    """It would have nothing left to train, but an epoch to end."""
    backup = TrainingBackup(tmp_path, every=NUM_BATCHES)
    seen = []
    at_last_step = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(last_backup(tmp_path)[:2])
    )
    train(make_model(), dataset, [backup, at_last_step])
    assert set(seen) == {(0, 0), (1, 0)}
    assert last_backup(tmp_path)[:2] == (2, 0)


def test_a_half_written_backup_is_not_taken_for_one(dataset, tmp_path):
    train(make_model(), dataset, [TrainingBackup(tmp_path, every=3)], epochs=1)
    (tmp_path / ".epoch_00002_step_0000000.npz.17.tmp").write_bytes(b"half")
    assert last_backup(tmp_path)[:2] == (1, 0)


def test_the_latest_backup_that_is_whole_counts(tmp_path):
    """After a power cut the last file may be empty, or have been written in part."""
    names = [
        "epoch_00000_step_0000500.npz",
        "epoch_00001_step_0000003.npz",
        "epoch_00001_step_0000012.npz",
    ]
    for name in names:
        np.savez(tmp_path / name, np.arange(1000.0))
    assert last_backup(tmp_path)[:2] == (1, 12)
    (tmp_path / names[2]).write_bytes(b"")
    assert last_backup(tmp_path)[:2] == (1, 3)
    whole = (tmp_path / names[1]).read_bytes()
    (tmp_path / names[1]).write_bytes(whole[:500] + bytes(len(whole) - 600) + whole[-100:])
    assert last_backup(tmp_path)[:2] == (0, 500)
    (tmp_path / names[0]).write_bytes(whole[:-10])
    with pytest.raises(ValueError, match=r"epoch_00001_step_0000012\.npz: .*a damaged file"):
        last_backup(tmp_path)


@pytest.mark.parametrize(
    ("epoch", "batch", "step", "precision"),
    [(0, 8, 6, "float32"), (1, 8, 6, "float32"), (1, 2, 0, "float32"), (1, 8, 6, "mixed_float16")],
)
def test_an_interrupted_epoch_ends_as_a_whole_one(dataset, tmp_path, epoch, batch, step, precision):
    expected = make_model(precision)
    whole = train(expected, dataset, [])
    interrupt(dataset, tmp_path, epoch, batch, precision)
    *found, path = last_backup(tmp_path)
    assert found == [epoch, step]

    resumed, recorder = make_model(precision), Recorder()
    callbacks = [recorder, TrainingBackup(tmp_path, every=3, restore=path)]
    history = train(resumed, dataset, callbacks, step, epochs=epoch + 1, initial_epoch=epoch)
    assert recorder.begun == recorder.ended == list(range(step, NUM_BATCHES))
    if epoch == 0:
        rest = train(resumed, dataset, callbacks, initial_epoch=1)
        history = {name: [*history[name], *rest[name]] for name in history}
    assert history == {name: values[epoch:] for name, values in whole.items()}
    for variable, other in zip(resumed.variables, expected.variables, strict=True):
        np.testing.assert_array_equal(variable, other)
    for variable, other in zip(
        resumed.optimizer.variables, expected.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(variable, other)


def test_the_progress_bar_counts_from_where_it_was_interrupted(dataset, capsys):
    train(make_model(), dataset, [], first_batch=6, epochs=1, verbose=1)
    shown = set(re.findall(r"(\d+)/(\d+)", capsys.readouterr().out))
    assert {("1", "2"), ("7", "10"), ("10", "10")} <= shown  # epochs, steps
    assert shown <= {("1", "2"), *((str(step), "10") for step in range(7, 11))}


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("saved_models/*/backup/*.npz")), ids=lambda path: path.parts[-3]
)
def test_trainings_of_the_repository_can_go_on(path):
    """A change of model or optimizer must not leave their backups behind."""
    config = load_config(path.parents[1] / "config.toml")
    particles, steps = config.system.num_particles, config.data.input_steps
    inputs = tf.zeros([1, steps, particles, 4])
    targets = tf.zeros([1, config.data.target_steps, particles, 2])
    model = build_model(config)
    model.build(inputs.shape)
    compile_model(model, config.training)
    build_state(model, targets, model(inputs))
    backup = TrainingBackup(path.parent, 100, path)
    backup.set_model(model)
    backup.on_epoch_begin(0)
    assert int(model.optimizer.iterations) > 0
