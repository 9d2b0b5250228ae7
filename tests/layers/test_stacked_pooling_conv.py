import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers import (
    StackedPoolingConv2D,
    StackedStatePooling,
)
from socialmd.static_shapes import static_shapes
from tests import reference
from tests.layers.save_and_load import save_and_load

SIDES = (5.0, 2.5, 1.25)


@pytest.fixture
def particles(rng):
    """Two systems of five particles within reach of each other; the first two coincide."""
    positions = rng.uniform(-1.5, 1.5, size=(2, 5, 2)).astype("float32")
    positions[:, 1] = positions[:, 0]
    return positions, rng.normal(size=(2, 5, 3)).astype("float32")


def random_weights(rng, kernel_size, filters=4, dim=3):
    kernel = rng.normal(size=(kernel_size, kernel_size, dim, filters)).astype("float32")
    return kernel, rng.normal(size=filters).astype("float32")


def value_and_gradients(layer, states, kernel, bias, upstream):
    states = tf.constant(states)
    with tf.GradientTape() as tape:
        tape.watch(states)
        outputs = layer(states)
    return outputs, tape.gradient(outputs, [states, kernel, bias], output_gradients=upstream)


def assert_equal_to_rounding(actual, expected):
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=2e-6 * scale)


@pytest.mark.parametrize("grid_cells", [7, 8])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
@pytest.mark.parametrize(
    ("distance_filter", "masked", "sides"),
    [(True, False, SIDES), (True, True, SIDES), (False, True, SIDES), (False, False, SIDES[:1])],
    ids=["filtered", "filtered, masked", "square, masked", "square, mono-grid"],
)
def test_value_and_gradient_equal_pooling_followed_by_convolution(
    particles, rng, grid_cells, strides, kernel_size, distance_filter, masked, sides
):
    positions, states = particles
    mask = np.array([[True, True, True, False, True], [True] * 5]) if masked else None
    weights = random_weights(rng, kernel_size)
    grid = {"grid_sizes": sides, "grid_cells": grid_cells, "distance_filter": distance_filter}
    fused = StackedPoolingConv2D(4, kernel_size, strides=strides, **grid)
    fused.build(positions.shape, states.shape)
    fused.set_weights(weights)
    pooling = StackedStatePooling(**grid)
    convolution = keras.layers.Conv2D(4, kernel_size, strides, padding="same")
    convolution.build((None, grid_cells, grid_cells, 3))
    convolution.set_weights(weights)
    pixels = -(-grid_cells // strides)
    upstream = tf.constant(rng.normal(size=(2, 5, pixels, pixels, 4)).astype("float32"))

    def two_layers(states):
        image = tf.reshape(pooling(positions, states, mask), (-1, grid_cells, grid_cells, 3))
        return tf.reshape(convolution(image), upstream.shape)

    outputs, gradients = value_and_gradients(
        lambda states: fused(positions, states, mask), states, fused.kernel, fused.bias, upstream
    )
    expected, expected_gradients = value_and_gradients(
        two_layers, states, convolution.kernel, convolution.bias, upstream
    )
    assert_equal_to_rounding(outputs, expected)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        assert_equal_to_rounding(gradient, expected_gradient)


@pytest.mark.parametrize(("grid_cells", "kernel_size", "strides"), [(7, 4, 2), (6, 3, 1)])
def test_value_equals_explicit_loops(particles, rng, grid_cells, kernel_size, strides):
    kernel, bias = random_weights(rng, kernel_size)
    layer = StackedPoolingConv2D(
        4, kernel_size, strides=strides, grid_sizes=SIDES, grid_cells=grid_cells, activation="relu"
    )
    layer.build((2, 5, 2), (2, 5, 3))
    layer.set_weights([kernel, bias])
    pooled = reference.pool_states(*particles, SIDES, grid_cells)
    images = pooled.reshape(-1, grid_cells, grid_cells, 3)
    expected = np.array([reference.convolve(image, kernel, bias, strides) for image in images])
    outputs = layer(*particles)
    np.testing.assert_allclose(
        outputs, reference.relu(expected).reshape(outputs.shape), rtol=1e-4, atol=1e-5
    )


def test_portable_and_tensorflow_forms_agree(particles, rng):
    positions, states = particles
    layer = StackedPoolingConv2D(4, 4, SIDES, strides=2, grid_cells=8)
    layer.build(positions.shape, states.shape)
    layer.set_weights(random_weights(rng, 4))
    upstream = tf.constant(rng.normal(size=(2, 5, 4, 4, 4)).astype("float32"))

    def compute():
        return value_and_gradients(
            lambda states: layer(positions, states), states, layer.kernel, layer.bias, upstream
        )

    outputs, gradients = compute()
    with static_shapes():
        portable_outputs, portable_gradients = compute()
    assert_equal_to_rounding(outputs, portable_outputs)
    for gradient, portable_gradient in zip(gradients, portable_gradients, strict=True):
        assert_equal_to_rounding(gradient, portable_gradient)


def test_every_neighbour_search_gives_the_same_bits(rng):
    positions = rng.uniform(-6, 6, size=(2, 60, 2)).astype("float32")
    states = tf.constant(rng.normal(size=(2, 60, 3)).astype("float32"))
    mask = rng.uniform(size=(2, 60)) < 0.9
    weights = random_weights(rng, 4)
    upstream = tf.constant(rng.normal(size=(2, 60, 4, 4, 4)).astype("float32"))
    results = []
    for search in ("all_pairs", "cell_list", "auto"):
        layer = StackedPoolingConv2D(4, 4, SIDES, 2, grid_cells=8, neighbour_search=search)
        layer.build(positions.shape, states.shape)
        layer.set_weights(weights)
        outputs, gradients = value_and_gradients(
            lambda states, layer=layer: layer(positions, states, mask),
            states,
            layer.kernel,
            layer.bias,
            upstream,
        )
        results.append([outputs, *gradients])
    for found in results[1:]:
        for expected, actual in zip(results[0], found, strict=True):
            np.testing.assert_array_equal(actual, expected)


def test_particles_out_of_reach_see_the_bias_alone(rng):
    positions = np.float32([[(0.0, 0.0), (100.0, 0.0)]])
    layer = StackedPoolingConv2D(4, 3, SIDES, grid_cells=8)
    layer.build((1, 2, 2), (1, 2, 3))
    kernel, bias = random_weights(rng, 3)
    layer.set_weights([kernel, bias])
    outputs = layer(positions, rng.normal(size=(1, 2, 3)).astype("float32"))
    np.testing.assert_array_equal(outputs, np.broadcast_to(bias, (1, 2, 8, 8, 4)))


def test_exchanging_and_translating_particles(rng):
    """Positions are multiples of 1/256, so that the translated ones are exact in float32."""
    positions = (rng.integers(-400, 400, size=(2, 5, 2)) / 256).astype("float32")
    states = rng.normal(size=(2, 5, 3)).astype("float32")
    layer = StackedPoolingConv2D(4, 4, SIDES, strides=2, grid_cells=8)
    outputs = layer(positions, states).numpy()
    order = rng.permutation(5)
    moved = positions[:, order] + np.float32([64.0, -3.5])
    np.testing.assert_allclose(layer(moved, states[:, order]), outputs[:, order], atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_positions_in_float32(policy, rng):
    """Cells of side 1/16, 100 from the origin, where bfloat16 only knows multiples of 1/2."""
    positions = np.float32([[(100.0, 0.0), (100.21875, 0.0), (99.84375, 0.0)]])
    states = rng.normal(size=(1, 3, 3)).astype("float32")
    weights = random_weights(rng, 3)
    results = []
    for dtype in (policy, "float32"):
        layer = StackedPoolingConv2D(4, 3, (1.0,), grid_cells=16, dtype=dtype)
        layer.build(positions.shape, states.shape)
        layer.set_weights(weights)
        assert layer.kernel.dtype == "float32"
        results.append(layer(positions, tf.cast(states, layer.compute_dtype)))
    assert results[0].dtype == layer_dtype(policy)
    np.testing.assert_allclose(tf.cast(results[0], "float32"), results[1], atol=0.1)


def layer_dtype(policy):
    return policy.removeprefix("mixed_")


def test_layer_survives_saving(particles, rng, tmp_path):
    layer = StackedPoolingConv2D(
        4, 3, SIDES, strides=2, grid_cells=6, distance_filter=False, activation="tanh"
    )
    layer(*particles)
    layer.set_weights(random_weights(rng, 3))
    assert save_and_load(layer, particles, tmp_path) == (None, None, 3, 3, 4)
    assert layer.count_params() == 3 * 3 * 3 * 4 + 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters: expected a positive integer, found 0"),
        ({"strides": 0}, "strides: expected a positive integer, found 0"),
        ({"kernel_size": 0}, "kernel_size: expected 1 to grid_cells = 8, found 0"),
        ({"kernel_size": 9}, "kernel_size: expected 1 to grid_cells = 8, found 9"),
        ({"grid_sizes": ()}, "grid_sizes: expected positive side lengths"),
        ({"neighbour_search": "tree"}, "neighbour_search: expected one of .*, found 'tree'"),
        ({"grid_cells": 0}, "grid_cells: expected a positive integer, found 0"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    possible = {"filters": 4, "kernel_size": 3, "grid_sizes": SIDES, "grid_cells": 8}
    with pytest.raises(ValueError, match=message):
        StackedPoolingConv2D(**{**possible, **arguments})


def test_xla_is_not_asked_to_compile_the_sparse_product():
    assert not StackedPoolingConv2D(4, 3, SIDES).supports_jit
