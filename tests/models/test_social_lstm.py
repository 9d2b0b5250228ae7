"""Forecast: the network against the reference, its gradient, its precision, refused input."""

import numpy as np
import pytest
import tensorflow as tf

from socialmd.losses import NegativeLogLikelihood
from socialmd.models import SocialLSTM
from tests import reference
from tests.tiny_models import (
    PREDICTIONS,
    interacting_inputs,
    reference_forecast,
    tiny_inputs,
    tiny_model,
    weights_of,
)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_forecast_equals_the_reference(rng, prediction):
    model = tiny_model(rng, prediction=prediction)
    inputs = tiny_inputs(rng)
    parameters = model(inputs)
    assert parameters.shape == (2, 3, 4, 5)
    np.testing.assert_allclose(parameters, reference_forecast(model, inputs), rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("downsampling", ["stride", "max"])
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_forecast_in_space_equals_the_reference(rng, prediction, downsampling):
    options = {"prediction": prediction, "downsampling": downsampling, "spatial_dims": 3}
    model = tiny_model(rng, 5, **options)
    inputs = interacting_inputs(rng, dims=3, steps=3)
    parameters = model(inputs)
    assert parameters.shape == (2, 3, 4, 9)
    expected = reference_forecast(model, inputs, spatial_dims=3)
    np.testing.assert_allclose(parameters, expected, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("prediction", ["displacement", "acceleration"])
def test_displacements_beyond_ten_units_look_alike(rng, prediction):
    """Up to 30 d a step, far from all others: d is 0.5."""
    model = tiny_model(rng, prediction=prediction)
    inputs = tiny_inputs(rng)
    inputs[..., :2] *= 30.0
    steps = np.abs(np.diff(inputs[..., :2], axis=1)) / 0.5
    assert steps.max() > 20.0
    expected = reference_forecast(model, inputs)
    np.testing.assert_allclose(model(inputs), expected, rtol=2e-3, atol=2e-3)


def test_a_closed_loop_that_amplifies_stays_within_float32(rng):
    """What is fed back grows in each of 100 steps; unlimited it would have grown by 3**100."""
    model = tiny_model(rng, prediction="displacement", target_steps=100, grid_sizes=())
    for weight in model.trainable_weights:
        weight.assign(np.zeros(weight.shape))
    alpha = np.zeros((6, 4))
    alpha[4, 0] = alpha[5, 1] = 1.0  # displacements in units of d
    model.cell.input_embedding.kernel.assign(alpha)
    output = np.zeros((model.cell.units + 4, 5))
    output[-4, 0] = output[-3, 1] = 3.0
    model.cell.output_layer.kernel.assign(output)
    parameters = np.asarray(model.rollout(tiny_inputs(rng))[1])  # compiled: many steps
    assert np.abs(np.diff(parameters[..., :2], axis=1)).max() <= 1.001 * 3.0 * 10 * 0.5
    assert np.abs(parameters[..., :2]).max() > 500.0


@pytest.mark.parametrize("downsampling", ["max", "average"])
def test_forecast_with_pooling_layers_equals_the_reference(rng, downsampling):
    options = {"downsampling": downsampling, "distance_filter": False, "grid_cells": 7}
    model = tiny_model(rng, **options)
    inputs = tiny_inputs(rng)
    expected = reference_forecast(model, inputs)
    np.testing.assert_allclose(model(inputs), expected, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("num_features", [2, 5])
def test_any_number_of_features_beside_the_position(rng, num_features):
    inputs = np.concatenate([tiny_inputs(rng), rng.normal(size=(2, 3, 4, 1))], axis=-1)
    model = tiny_model(rng, num_features=num_features, prediction="acceleration")
    inputs = inputs[..., :num_features].astype("float32")
    np.testing.assert_allclose(
        model(inputs), reference_forecast(model, inputs), rtol=2e-3, atol=2e-4
    )


def test_masses_and_charges_are_those_of_the_last_frame_in_closed_loop(rng):
    model = tiny_model(rng)
    inputs = tiny_inputs(rng)
    inputs[..., 2:] = rng.normal(size=inputs[..., 2:].shape)
    np.testing.assert_allclose(
        model(inputs), reference_forecast(model, inputs), rtol=2e-3, atol=2e-4
    )


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_loss_gradient_equals_finite_differences_of_the_reference(rng, prediction):
    """Through warm-up and closed loop, along a random direction for each weight in turn.

    The differences are those of the float64 reference, so that small steps are possible.
    """
    model = tiny_model(rng, prediction=prediction)
    output = model.cell.output_layer.kernel
    output.assign(0.3 * output)  # no sigma so small that float32 loses the digits of the loss
    inputs = tiny_inputs(rng, batch=1)
    targets = inputs[:, -1:, :, :2] + rng.normal(scale=0.5, size=(1, 3, 4, 2)).astype("float32")
    with tf.GradientTape() as tape:
        loss = NegativeLogLikelihood()(targets, model(inputs))
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    weights = weights_of(model)

    def reference_loss(name, shift):
        shifted = {**weights, name: weights[name] + shift}
        parameters = reference_forecast(model, inputs, shifted)
        return -reference.gaussian_log_density(targets, parameters).mean()

    assert float(loss) == pytest.approx(reference_loss("lstm/bias", 0.0), rel=2e-3, abs=2e-3)
    for gradient, (name, weight) in zip(gradients, weights.items(), strict=True):
        direction = rng.normal(size=weight.shape)
        step = 1e-6 * direction
        difference = reference_loss(name, step) - reference_loss(name, -step)
        slope = np.sum(np.asarray(gradient) * direction)
        scale = np.linalg.norm(gradient) * np.linalg.norm(direction)
        assert slope == pytest.approx(difference / 2e-6, rel=2e-2, abs=2e-3 * scale), name


def test_gradient_reaches_the_first_frame_s_masses(rng):
    """They act on the first warm-up step alone: the gradient flows through all later ones."""
    model = tiny_model(rng)
    inputs = tf.constant(tiny_inputs(rng))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        last_step = tf.reduce_sum(model(inputs)[:, -1])
    gradient = tape.gradient(last_step, inputs).numpy()
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient[:, 0, :, 2:]).max(axis=(0, 1)) > 0).all()


def test_mixed_precision_keeps_positions_in_float32(rng):
    """At 30 bfloat16 knows multiples of 1/8; the particles move by a thousandth."""
    weights, results = None, []
    inputs = tiny_inputs(rng)
    inputs[..., :2] = 30.0 + 0.001 * inputs[..., :2]
    for dtype in ("float32", "mixed_bfloat16"):
        model = tiny_model(rng, prediction="displacement", dtype=dtype)
        model.displacement_scale.assign(0.001)
        weights = weights or [np.array(weight.value) for weight in model.trainable_weights]
        for weight, value in zip(model.trainable_weights, weights, strict=True):
            weight.assign(value)
        with tf.GradientTape() as tape:
            parameters = model(inputs)
            loss = NegativeLogLikelihood()(inputs[..., :2], parameters)
        gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
        assert parameters.dtype == tf.float32
        assert all(np.isfinite(gradient).all() for gradient in gradients)
        assert all(weight.dtype == "float32" for weight in model.weights)
        results.append((parameters.numpy()[:, 0, :, :2] - inputs[:, -1, :, :2]) / 0.001)
    assert model.cell.compute_dtype == "bfloat16"
    # Displacements of order one in units of a thousandth; float32 itself resolves 0.002 of these.
    np.testing.assert_allclose(results[1], results[0], rtol=0.05, atol=0.1)
    assert np.abs(results[0]).max() > 0.2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prediction", "velocity"),
        ("distribution", "student"),
        ("downsampling", "median"),
        ("target_steps", 0),
        ("grid_sizes", (-1.0,)),
        ("kernel_size", 33),
    ],
)
def test_impossible_arguments_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"{name}: expected"):
        SocialLSTM(**{name: value})


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 1), (2, 1, 4, 4)])
@pytest.mark.parametrize("built", [False, True])
def test_inputs_of_another_shape_are_refused(rng, built, shape):
    model = tiny_model(rng) if built else SocialLSTM()
    with pytest.raises(ValueError, match="inputs: expected"):
        model(np.zeros(shape, "float32"))
