"""What a `.keras` file keeps: weights, scales, every argument."""

import inspect

import keras
import numpy as np
import pytest

from socialmd.losses import NegativeLogLikelihood
from socialmd.metrics import PositionError
from socialmd.models import SocialLSTM
from tests.tiny_models import PREDICTIONS, TINY, tiny_inputs, tiny_model


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_loaded_model_forecasts_the_same(rng, prediction, tmp_path):
    model = tiny_model(rng, prediction=prediction)
    inputs = tiny_inputs(rng)
    model.adapt([(inputs, inputs[..., :2])])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, SocialLSTM)
    np.testing.assert_array_equal(loaded(inputs), model(inputs))
    assert loaded.displacement_scale == model.displacement_scale != 0.5
    assert loaded.acceleration_scale == model.acceleration_scale != 0.2
    assert loaded.get_config() == model.get_config()


def test_loaded_model_goes_on_training_and_rolls_out_the_same(rng, tmp_path):
    model = tiny_model(rng, prediction="displacement")
    inputs = tiny_inputs(rng)
    targets = inputs[..., :2]
    model.compile("nadam", NegativeLogLikelihood(), metrics=[PositionError()], run_eagerly=True)
    model.fit(inputs, targets, verbose=0)
    with pytest.warns(UserWarning, match="holds marginal densities"):
        expected = model.rollout(inputs, 4, feedback="sample", seed=1)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="holds marginal densities"):
        actual = loaded.rollout(inputs, 4, feedback="sample", seed=1)
    for found, wanted in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    expected, actual = (
        copy.fit(inputs, targets, epochs=2, verbose=0).history for copy in (model, loaded)
    )
    assert actual["loss"] == pytest.approx(expected["loss"], rel=1e-3)
    assert actual["mae"] == pytest.approx(expected["mae"], rel=1e-3)
    assert loaded.optimizer.iterations == 3


def test_model_built_by_rollout_alone_can_be_saved(rng, tmp_path):
    model = SocialLSTM(**TINY)
    inputs = tiny_inputs(rng)
    expected, _ = model.rollout(inputs)
    model.save(tmp_path / "model.keras")
    actual, _ = keras.models.load_model(tmp_path / "model.keras").rollout(inputs)
    np.testing.assert_array_equal(actual, expected)


def test_precision_is_kept(rng, tmp_path):
    model = tiny_model(rng, dtype="mixed_bfloat16")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.dtype_policy.name == loaded.cell.lstm.dtype_policy.name == "mixed_bfloat16"
    inputs = tiny_inputs(rng)
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def test_configuration_holds_every_argument():
    arguments = {
        **TINY,
        "prediction": "acceleration",
        "distribution": "mixture",
        "num_components": 3,
        "feedback": "most_likely",
        "length_scale": 2.5,
        "distance_filter": False,
        "downsampling": "average",
        "absolute_position": False,
        "spatial_dims": 3,
        "orientation": True,
    }
    assert arguments.keys() == inspect.signature(SocialLSTM).parameters.keys() - {"kwargs"}
    config = SocialLSTM(**arguments).get_config()
    assert {name: config[name] for name in arguments} == arguments
    assert SocialLSTM.from_config(config).get_config() == config
