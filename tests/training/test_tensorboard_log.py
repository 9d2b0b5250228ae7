"""What a training writes for TensorBoard, read back and computed anew.

The model sees no neighbours and nothing is compiled: neither is the point here. That a compiled
training gives the same, and goes on where it was interrupted, is seen in `test_fit.py`.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.data import make_dataset, read_windows
from socialmd.models import build_model
from socialmd.training import TensorBoardLog, compile_model
from socialmd.training.forecast_summaries import ForecastSummaries
from socialmd.training.training_backup import build_state
from tests.run_eagerly import run_eagerly
from tests.training.event_files import read_run

EPOCHS = 2
TEXTS = {"configuration": "`a = 1`", "data": "some"}


class Recorder(keras.callbacks.Callback):
    """Weights before every step and after every epoch."""

    def __init__(self):
        super().__init__()
        self.before, self.after = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.before.append(self.model.get_weights())

    def on_epoch_end(self, epoch, logs=None):
        self.after.append(self.model.get_weights())


class HalveLearningRate(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.001 / 2**epoch


@pytest.fixture(scope="module")
def training(config, data, tmp_path_factory):
    """Model, batches of each epoch, history, recorder and folder of a training."""
    folder = tmp_path_factory.mktemp("tensorboard")
    config = config.model_copy(update={"model": config.model.model_copy(update={"grid_sizes": ()})})
    train, validation = (
        make_dataset(data / split, config.data, 5, seed=3) for split in ("train", "validation")
    )
    with run_eagerly():
        keras.utils.set_random_seed(1)
        model = build_model(config)
        model.adapt(train)
        compile_model(model, config.training)
        inputs, targets = next(iter(train))
        build_state(model, targets, model(inputs))
        windows = read_windows(data, "validation", config.data, 6)
        log = TensorBoardLog(folder, windows, TEXTS, training_split=train)
        recorder = Recorder()
        history = model.fit(
            train,
            validation_data=validation,
            epochs=EPOCHS,
            callbacks=[HalveLearningRate(), log, recorder],
            verbose=0,
        ).history
    batches = list(train)
    assert len(batches) > 1
    assert len(batches[-1][1]) < 5  # which weighs less in means
    return model, batches, history, recorder, folder


@pytest.fixture
def with_weights(training):
    """Sets the model's weights, and puts the last ones back."""
    model = training[0]
    last = model.get_weights()
    with run_eagerly():
        yield lambda weights: model.set_weights(weights) or model
    model.set_weights(last)


def test_every_batch_has_its_loss_error_and_gradient(training, with_weights):
    _, batches, _, recorder, folder = training
    run = read_run(folder / "train")
    num_steps = EPOCHS * len(batches)
    for name in ("loss", "mae", "gradient_norm", "learning_rate"):
        assert list(run[f"batch/{name}"]) == list(range(1, num_steps + 1))
    for step, weights in enumerate(recorder.before, start=1):
        inputs, targets = batches[(step - 1) % len(batches)]
        model = with_weights(weights)
        with tf.GradientTape() as tape:
            parameters = model(inputs)
            loss = -tf.reduce_mean(model.distribution(parameters).log_prob(targets))
        gradients = tape.gradient(loss, model.trainable_weights)
        norm = np.sqrt(sum(np.square(gradient).sum() for gradient in gradients))
        error = np.abs(model.distribution(parameters).mean() - targets).mean()
        assert run["batch/loss"][step] == pytest.approx(float(loss), rel=1e-4)
        assert run["batch/mae"][step] == pytest.approx(error, rel=1e-4)
        assert run["batch/gradient_norm"][step] == pytest.approx(norm, rel=1e-3)
        expected_rate = 0.001 / 2 ** ((step - 1) // len(batches))
        assert run["batch/learning_rate"][step] == pytest.approx(expected_rate)


def test_epochs_are_those_of_the_history_and_means_of_their_batches(training):
    _, batches, history, _, folder = training
    train, validation = (read_run(folder / name) for name in ("train", "validation"))
    weights = [len(targets) for _, targets in batches]
    for name in ("loss", "mae"):
        found = [train[f"epoch/{name}"], validation[f"epoch/{name}"]]
        for run, key in zip(found, (name, f"val_{name}"), strict=True):
            assert list(run) == list(range(EPOCHS))
            assert list(run.values()) == pytest.approx(history[key], rel=1e-6)
        by_epoch = np.reshape(list(train[f"batch/{name}"].values()), (EPOCHS, -1))
        means = np.average(by_epoch, axis=1, weights=weights)
        assert history[name] == pytest.approx(means, rel=1e-5)
    assert list(train["epoch/learning_rate"].values()) == pytest.approx([0.001, 0.0005])


def test_norms_of_the_weights_are_those_of_each_layer_and_of_all(training):
    model, _, _, recorder, folder = training
    run = read_run(folder / "train")
    for epoch, weights in enumerate(recorder.after):
        squares = {}
        for weight, value in zip(model.weights, weights, strict=True):
            if weight.trainable:
                layer = "/".join(weight.path.split("/")[1:-1])
                squares[layer] = squares.get(layer, 0.0) + np.square(value).sum()
        assert "cell/lstm" in squares
        expected = {**squares, "all": sum(squares.values())}
        found = {
            tag.removeprefix("weight_norm/"): values[epoch] ** 2
            for tag, values in run.items()
            if tag.startswith("weight_norm/")
        }
        assert found == pytest.approx(expected, rel=1e-5)


def test_forecasts_are_measured_after_every_epoch(config, data, training, with_weights):
    _, train, _, recorder, folder = training
    validation, baseline = (read_run(folder / name) for name in ("validation", "best_baseline"))
    summaries = ForecastSummaries(read_windows(data, "validation", config.data, 6), train)
    for epoch, weights in enumerate(recorder.after):
        scalars, figures = summaries.measure(with_weights(weights))
        for tag, value in scalars.items():
            assert validation[tag][epoch] == pytest.approx(value, rel=1e-5)
        for tag, value in summaries.best_baseline.items():
            assert baseline[tag][epoch] == pytest.approx(value, rel=1e-5)
        for tag, drawn in figures.items():
            width, height, *pictures = validation[tag][epoch]
            assert len(pictures) == len(drawn)
            assert (int(width), int(height)) == tuple(
                round(length) for length in drawn[0].get_size_inches() * 150
            )
    assert baseline.keys() < validation.keys()
    first, second = (validation["forecast/example"][epoch][2] for epoch in range(EPOCHS))
    assert first != second


def test_texts_are_written_once(training):
    run = read_run(training[-1] / "train")
    for name, text in TEXTS.items():
        assert run[name] == {0: text.encode()}


def test_a_data_set_of_unknown_length_is_refused(config, data, training, tmp_path):
    model, batches, *_ = training
    log = TensorBoardLog(tmp_path, read_windows(data, "validation", config.data, 2))
    endless = tf.data.Dataset.from_generator(
        lambda: iter(batches),
        output_signature=tf.data.Dataset.from_tensors(batches[0]).element_spec,
    )
    with run_eagerly(), pytest.raises(ValueError, match="expected a data set of known length"):
        model.fit(endless, verbose=0, callbacks=[log])
