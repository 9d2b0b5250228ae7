import math

import keras
import numpy as np
import pytest

import socialmd
from socialmd.config import DataConfig, ExperimentConfig, ModelConfig
from socialmd.data import FeatureBlock, FeatureLayout
from socialmd.layers import NeighbourFilter
from socialmd.models import InteractionLSTM, build_model
from tests.tiny_models import TINY

# Section 4.4 of the thesis, part by part; the sum is the number that it prints.
PARTS = {
    "input_embedding": 128,
    "state_embedding": 4096,
    "stacked_pooling_conv": 8208,
    "convolution_2": 4112,
    "convolution_3": 8224,
    "pooling_embedding": 16384,
    "lstm": 98816,
    "output_layer": 800,
}
BIASED = {"stacked_pooling_conv", "convolution_2", "convolution_3", "lstm"}


@pytest.fixture(scope="module")
def thesis_model():
    config = socialmd.load_config("models/thesis.toml")
    model = build_model(config)
    model.build((None, config.data.input_steps, config.system.num_particles, 4))
    return model


def test_reference_model_has_140_768_weights_part_by_part(thesis_model):
    parts, biased = {}, set()
    for weight in thesis_model.trainable_weights:
        *_, layer, name = weight.path.split("/")
        parts[layer] = parts.get(layer, 0) + math.prod(weight.shape)
        biased |= {layer} if name == "bias" else set()
    assert parts == PARTS
    assert biased == BIASED
    assert sum(parts.values()) == 140_768


def test_reference_model_forecasts_30_steps(thesis_model):
    parameters = thesis_model(np.zeros((1, 5, 25, 4), "float32"))
    assert parameters.shape == (1, 30, 25, 5)
    assert np.isfinite(parameters).all()


def test_every_option_reaches_the_model():
    model = {
        **{name: value for name, value in TINY.items() if name != "target_steps"},
        "distance_filter": False,
        "downsampling": "average",
        "prediction": "acceleration",
        "distribution": "mixture",
        "num_components": 3,
        "feedback": "most_likely",
        "length_scale": 3.0,
        "absolute_position": False,
        "orientation": True,
    }
    assert model.keys() | {"kind"} == ModelConfig.model_fields.keys()
    config = ExperimentConfig(model=ModelConfig(**model), data=DataConfig(target_steps=7))
    built = build_model(config).get_config()
    assert {name: built[name] for name in model} == model
    assert built["target_steps"] == 7


def test_a_model_refuses_columns_that_it_was_not_trained_on(tmp_path):
    layout = FeatureLayout.of_scalars(["x", "y", "ONC", "OQL"], 2, num_species=2)
    model = InteractionLSTM(target_steps=2, units=0, interaction=NeighbourFilter("radial"))
    model.learn_layout(layout)
    model.build((None, 3, 2, 4))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.check_layout(layout, "data")
    other = FeatureLayout.of_scalars(["x", "y", "OQL", "ONC"], 2, num_species=2)
    with pytest.raises(ValueError, match=r"data: expected .* species \(ONC, OQL\), found .*, ONC"):
        loaded.check_layout(other, "data")
    velocity = FeatureBlock(name="velocity", size=2, kind="vector", predicted=True)
    both = FeatureLayout(features=("x", "y", "vx", "vy"), blocks=(layout.blocks[0], velocity))
    with pytest.raises(ValueError, match=r"places alone to be predicted, .* velocity are"):
        model.learn_layout(both)
