import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.metrics import PositionError


@pytest.fixture
def forecast(rng):
    """Targets [B, T', N, 2] and parameters [B, T', N, 5]."""
    parameters = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    return rng.normal(size=(2, 3, 4, 2)).astype("float32"), parameters


def test_error_is_the_mean_absolute_one_of_the_predicted_mean(forecast):
    targets, parameters = forecast
    error = np.abs(parameters[..., :2] - targets).mean()
    assert float(PositionError()(*forecast)) == pytest.approx(error, rel=1e-5)


def test_error_is_averaged_over_updates_until_it_is_reset(forecast):
    targets, parameters = forecast
    metric = PositionError("gaussian")
    metric.update_state(targets[:1], parameters[:1])
    metric.update_state(targets[1:], parameters[1:])
    assert float(metric.result()) == pytest.approx(float(PositionError()(*forecast)), rel=1e-5)
    metric.reset_state()
    assert float(metric(parameters[..., :2], parameters)) == 0.0


def test_weight_zero_leaves_a_padded_particle_out(forecast):
    targets, parameters = forecast
    weights = np.ones((2, 3, 4), "float32")
    weights[:, :, 3] = 0.0
    padded = PositionError()(targets, parameters, sample_weight=weights)
    alone = PositionError()(targets[:, :, :3], parameters[:, :, :3])
    assert float(padded) == pytest.approx(float(alone), rel=1e-5)


def test_targets_are_not_rounded_to_a_lower_precision():
    """In bfloat16, 100.1 is 100."""
    targets = np.full((1, 1, 1, 2), 100.1, "float32")
    parameters = tf.cast(np.full((1, 1, 1, 5), 100.0, "float32"), tf.bfloat16)
    assert float(PositionError()(targets, parameters)) == pytest.approx(0.1, rel=1e-3)


def test_metric_survives_serialization(forecast):
    metric = PositionError("gaussian", name="error")
    copy = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert isinstance(copy, PositionError)
    assert copy.get_config() == metric.get_config()
    assert copy(*forecast) == metric(*forecast)


def test_unknown_distribution_is_refused():
    with pytest.raises(ValueError, match=r"distribution: expected one of .*'student'"):
        PositionError("student")
