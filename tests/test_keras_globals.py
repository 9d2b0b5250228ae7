"""What users set in keras.json or `keras.config` for models of their own changes nothing here."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd import ExperimentConfig
from socialmd.models import export_saved_model, load
from socialmd.training import fit
from tests.tiny_models import interacting_inputs, interacting_model, tiny_inputs, tiny_model
from tests.world import EXPERIMENT

MAKERS = {
    "stride": (tiny_model, tiny_inputs, {}),
    "max": (tiny_model, tiny_inputs, {"downsampling": "max"}),
    "average": (tiny_model, tiny_inputs, {"downsampling": "average"}),
    "mixture": (tiny_model, tiny_inputs, {"distribution": "mixture", "num_components": 2}),
    "radial": (interacting_model, interacting_inputs, {}),
    "grid": (interacting_model, interacting_inputs, {"filter": "grid"}),
}


@pytest.fixture
def set_globals() -> Iterator[Callable[[str, str], None]]:
    before = keras.config.image_data_format(), keras.config.floatx()

    def assign(image_data_format: str, floatx: str) -> None:
        keras.config.set_image_data_format(image_data_format)
        keras.config.set_floatx(floatx)

    yield assign
    assign(*before)


def forecast(kind):
    make, make_inputs, arguments = MAKERS[kind]
    model = make(np.random.default_rng(0), **arguments)
    inputs = make_inputs(np.random.default_rng(1))
    return model, inputs, [np.asarray(part) for part in model.rollout(inputs, 3)]


@pytest.mark.parametrize("kind", MAKERS)
def test_models_forecast_the_same(kind, set_globals, tmp_path):
    model, inputs, expected = forecast(kind)
    model.save(tmp_path / "model.keras")
    set_globals("channels_first", "float64")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    for found in (forecast(kind)[2], loaded.rollout(inputs, 3)):
        for part, of_default in zip(found, expected, strict=True):
            np.testing.assert_array_equal(part, of_default)
            assert part.dtype == np.float32


@pytest.mark.slow
def test_training_and_export_are_the_same(set_globals, data, tmp_path):
    config = ExperimentConfig.model_validate(EXPERIMENT)
    expected = fit(config, data, tmp_path / "default", verbose=0)
    set_globals("channels_first", "float16")
    found = fit(config, data, tmp_path / "other", verbose=0)
    for weight, of_default in zip(found.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(weight, of_default)
    histories = [(tmp_path / name / "history.csv").read_text() for name in ("default", "other")]
    assert histories[0] == histories[1]

    model = load(tmp_path / "other")
    export_saved_model(model, tmp_path / "exported")
    exported = tf.saved_model.load(tmp_path / "exported")
    inputs = tiny_inputs(np.random.default_rng(1))
    np.testing.assert_allclose(
        exported.serve(inputs)["positions"], expected.rollout(inputs, 4)[0], rtol=1e-5, atol=1e-5
    )
