"""What saves and stops a phase of a training, told of epochs as Keras does."""

import keras
import pytest

from socialmd.training.phase_callbacks import BestWeights, ResumableEarlyStopping


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def run_epochs(callback, model, losses, first=0):
    """What Keras tells a callback in epochs of these validation losses, until it stops them."""
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin()
    for epoch, loss in enumerate(losses, start=first):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            return epoch
    return None


def test_best_weights_are_those_of_the_smallest_loss_ever(model, tmp_path):
    path = tmp_path / "best.weights.h5"
    weight = model.trainable_weights[0]

    callback = BestWeights(path, {"val_loss": [5.0, 2.0]})
    for epoch, loss in enumerate([2.5, 1.0, 3.0]):
        weight.assign([[float(epoch)]])
        run_epochs(callback, model, [loss], first=epoch + 2)
        assert path.exists() == (epoch >= 1)
    weight.assign([[-1.0]])
    model.load_weights(path)
    assert float(weight[0, 0]) == 1.0


def test_early_stopping_goes_on_counting_after_an_interruption(model):
    history = {"val_loss": [3.0, 1.0, 2.0]}
    callback = ResumableEarlyStopping(history, patience=3)
    assert run_epochs(callback, model, [1.5, 1.2, 1.1], first=3) == 4
    fresh = ResumableEarlyStopping({}, patience=3)
    assert run_epochs(fresh, model, [1.5, 1.2, 1.1], first=3) is None
    improving = ResumableEarlyStopping(history, patience=3)
    assert run_epochs(improving, model, [0.5, 0.6, 0.7], first=3) is None
