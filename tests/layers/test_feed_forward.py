import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers import FeedForward
from tests.layers.save_and_load import save_and_load


def randomize(layer, rng):
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))


@pytest.mark.parametrize("hidden_layers", [1, 2])
def test_value_is_a_linear_map_plus_an_mlp(rng, hidden_layers):
    layer = FeedForward(3, hidden_units=7, hidden_layers=hidden_layers)
    inputs = rng.normal(size=(2, 4, 5)).astype("float32")
    layer(inputs)
    randomize(layer, rng)
    a, b = (weight.numpy() for weight in layer.linear.weights)
    hidden = inputs
    for each in layer.hidden:
        c, d = (weight.numpy() for weight in each.weights)
        hidden = np.tanh(hidden @ c + d)
    (e,) = (weight.numpy() for weight in layer.output_layer.weights)
    expected = inputs @ a + b + hidden @ e
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-5)
    count = (5 + 1) * 3 + (5 + 1) * 7 + (hidden_layers - 1) * (7 + 1) * 7 + 7 * 3
    assert layer.count_params() == count


@pytest.mark.parametrize("initial_outputs", [None, [1.0, -2.0, 0.5]])
def test_it_begins_as_a_linear_map(rng, initial_outputs):
    layer = FeedForward(3, hidden_units=7, initial_outputs=initial_outputs)
    x, y = rng.normal(size=(2, 1, 5)).astype("float32")
    start = layer(np.zeros((1, 5), "float32"))
    np.testing.assert_array_equal(start[0], initial_outputs or np.zeros(3))
    assert np.all(layer(x) - start != 0)
    # Additive, but for the constant.
    np.testing.assert_allclose(layer(x + y) - start, layer(x) + layer(y) - 2 * start, atol=1e-5)


@pytest.mark.parametrize("num_ignored", [0, 2, 5, None])
def test_ignored_components_matter_once_it_has_learned(rng, num_ignored):
    layer = FeedForward(2, 7, initial_outputs=[1.0, -2.0], num_ignored=num_ignored)
    inputs = tf.constant(rng.normal(size=(4, 5)).astype("float32"))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
    known = 5 - (5 if num_ignored is None else num_ignored)
    by_input = tape.gradient(outputs, inputs).numpy()
    assert np.all(by_input[:, :known] != 0)
    assert not np.any(by_input[:, known:])
    if known == 0:
        np.testing.assert_array_equal(outputs, [[1.0, -2.0]] * 4)
    for weight in (layer.linear.kernel, layer.linear.bias, layer.output_layer.kernel):
        assert np.all(tape.gradient(outputs, weight.value).numpy() != 0)


@pytest.mark.parametrize("initial_outputs", [None, [1.0, -2.0, 0.5]])
def test_layer_survives_saving(rng, initial_outputs, tmp_path):
    layer = FeedForward(3, 7, initial_outputs, num_ignored=2, hidden_layers=2)
    data = rng.normal(size=(2, 4, 5)).astype("float32")
    layer(data)
    randomize(layer, rng)
    assert save_and_load(layer, [data], tmp_path) == (None, None, 3)
    config = layer.get_config()
    assert config["num_ignored"] == 2
    assert config["initial_outputs"] == initial_outputs


def test_all_of_it_computes_in_the_layer_s_dtype(rng):
    layer = FeedForward(3, hidden_units=7, dtype="mixed_bfloat16")
    outputs = layer(rng.normal(size=(2, 5)).astype("float32"))
    assert outputs.dtype == layer.hidden[0].compute_dtype == "bfloat16"
    assert {weight.dtype for weight in layer.weights} == {"float32"}
