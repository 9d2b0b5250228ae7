"""The numbers of each step, where they are known in closed form: a line that is fitted."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.models.step_values import RecordedModel
from socialmd.training.training_backup import build_state
from tests.run_eagerly import run_eagerly

BATCHES = (4, 4, 4, 2)  # samples in each


@pytest.fixture
def data(rng):
    x = rng.normal(size=(sum(BATCHES), 1)).astype("float32")
    return x, 3 * x + 1


class Line(RecordedModel):
    def __init__(self, precision="float32"):
        super().__init__(dtype=precision)
        self.dense = keras.layers.Dense(1, kernel_initializer="ones", dtype=precision)

    def call(self, inputs):
        return self.dense(inputs)


def make_model(precision="float32"):
    """Gradients are clipped, and the learning rate falls with every step."""
    model = Line(precision)
    model(np.zeros((1, 1)))
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5)
    model.compile(keras.optimizers.Nadam(rate, global_clipnorm=0.01), "mse", metrics=["mae"])
    build_state(model, np.zeros((1, 1)), np.zeros((1, 1)))
    return model


class Recorder(keras.callbacks.Callback):
    """Weights before each step and, if they are given, values after it."""

    def __init__(self, values=None):
        super().__init__()
        self.values = values
        self.weights, self.rows = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.weights.append([float(weight.numpy().item()) for weight in self.model.weights])

    def on_train_batch_end(self, batch, logs=None):
        if self.values:
            self.rows.append(self.values.read())


def train(model, data, values=None):
    recorder = Recorder(values)
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(BATCHES[0])
    history = model.fit(dataset, epochs=2, shuffle=False, verbose=0, callbacks=[recorder])
    return history.history, recorder


def batches_of(data):
    ends = np.cumsum(BATCHES)
    return [
        [array[end - n : end, 0] for array in data] for n, end in zip(BATCHES, ends, strict=True)
    ]


def test_every_step_has_its_own_loss_error_gradient_and_learning_rate(data):
    model = make_model()
    _, recorder = train(model, data, model.record_steps())
    assert len(recorder.rows) == 2 * len(BATCHES)
    for step, (found, (w, b)) in enumerate(zip(recorder.rows, recorder.weights, strict=True)):
        x, y = batches_of(data)[step % len(BATCHES)]
        error = w * x + b - y
        expected = {
            "loss": np.mean(error**2),
            "mae": np.mean(abs(error)),
            "gradient_norm": np.hypot(np.mean(2 * error * x), np.mean(2 * error)),
            "learning_rate": 0.1 * 0.5**step,
        }
        assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_training_and_its_backups_are_the_same_bit_for_bit(data, precision):
    plain, recorded = make_model(precision), make_model(precision)
    values = recorded.record_steps()
    assert train(plain, data)[0] == train(recorded, data, values)[0]
    for ours, theirs in (
        (recorded.variables, plain.variables),
        (recorded.optimizer.variables, plain.optimizer.variables),
        (recorded.metrics_variables, plain.metrics_variables),
    ):
        for variable, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(variable, other)


def test_the_gradient_of_a_scaled_loss_is_unscaled_and_too_large_a_one_is_seen(data):
    def norms(precision, factor):
        model = make_model(precision)
        _, recorder = train(model, tuple(factor * array for array in data), model.record_steps())
        found = np.array([row["gradient_norm"] for row in recorder.rows])
        assert int(model.optimizer.iterations) == np.isfinite(found).sum()  # others are left out
        return found

    with run_eagerly():
        assert norms("mixed_float16", 0.1)[0] == pytest.approx(norms("float32", 0.1)[0], rel=1e-2)
        assert not np.isfinite(norms("mixed_float16", 1e3)[0])  # beyond half precision


def test_metrics_that_are_not_built_are_refused():
    model = Line()
    model.compile("sgd", "mse", metrics=["mae"])
    with pytest.raises(ValueError, match="expected metrics that are built"):
        model.record_steps()


def test_a_model_that_is_compiled_anew_records_no_more(data):
    model = make_model()
    values = model.record_steps()
    train(model, data)
    before = values.read()
    model.compile("sgd", "mse")
    with run_eagerly():
        train(model, data)
    assert values.read() == before


def test_a_training_step_of_ones_own_is_not_taken_for_one_of_zeros(data):
    class Own(Line):
        def train_step(self, data):
            return {"loss": 0.5}

    model = Own()
    model.compile("sgd", "mse")
    values = model.record_steps()
    with run_eagerly():
        model.fit(*data, epochs=1, verbose=0)
    assert np.isnan(list(values.read().values())).all()
