"""What must not change a forecast, and what must change it in a known way."""

import numpy as np
import pytest
import tensorflow as tf

from socialmd.losses import NegativeLogLikelihood
from tests.tiny_models import SCALES, reference_forecast, tiny_inputs, tiny_model


def test_exchanging_particles_exchanges_forecasts(rng):
    model = tiny_model(rng, prediction="acceleration")
    inputs = tiny_inputs(rng)
    order = rng.permutation(4)
    expected = model(inputs).numpy()[:, :, order]
    np.testing.assert_allclose(model(inputs[:, :, order]), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("prediction", ["position", "acceleration"])
def test_padded_particles_change_nothing(rng, prediction):
    model = tiny_model(rng, prediction=prediction)
    inputs = tiny_inputs(rng)
    padding = tiny_inputs(rng, particles=2)  # in the midst of the others
    padded = np.concatenate([inputs, padding], axis=2)
    mask = np.array([[True] * 4 + [False] * 2] * 2)
    actual = model({"inputs": padded, "mask": mask})[:, :, :4]
    np.testing.assert_allclose(actual, model(inputs), rtol=1e-5, atol=1e-6)
    unmasked = model(padded)[:, :, :4]
    assert np.abs(unmasked - actual).max() > 1e-4


@pytest.mark.parametrize("batch", [2, 3])
def test_loss_of_a_masked_forecast_is_that_of_the_real_particles(rng, batch):
    """Three systems are as many as steps: a mask of systems must not be taken for one of steps."""
    model = tiny_model(rng, prediction="displacement")
    inputs = tiny_inputs(rng, batch=batch)
    targets = inputs[..., :2]
    mask = np.ones((batch, 4), bool)
    mask[0, 3] = mask[1, :2] = False
    real = np.repeat(mask[:, None, :], 3, axis=1)  # [B, T', N]
    parameters = model({"inputs": inputs, "mask": mask})
    loss = NegativeLogLikelihood()(targets, parameters, sample_weight=real.astype("float32"))
    expected = -model.distribution(parameters.numpy()).log_prob(targets).numpy()[real].mean()
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_mask_that_drops_real_particles_equals_the_reference(rng):
    model = tiny_model(rng, prediction="displacement")
    inputs = tiny_inputs(rng)
    mask = np.array([[True, False, True, True], [True, True, True, False]])
    expected = reference_forecast(model, inputs, mask=mask)
    np.testing.assert_allclose(
        model({"inputs": inputs, "mask": mask}), expected, rtol=2e-3, atol=2e-4
    )


def test_systems_of_a_batch_do_not_see_each_other(rng):
    model = tiny_model(rng)
    inputs = tiny_inputs(rng)
    alone = np.concatenate([model(inputs[:1]), model(inputs[1:])])
    np.testing.assert_allclose(model(inputs), alone, rtol=1e-4, atol=1e-5)


def test_coincident_particles_have_finite_forecast_and_gradient(rng):
    model = tiny_model(rng, prediction="acceleration")
    inputs = tiny_inputs(rng)
    inputs[:, :, 1] = inputs[:, :, 0]
    inputs[:, :, 2, :2] = inputs[:, :, 0, :2]
    variables = [weight.value for weight in model.trainable_weights]
    with tf.GradientTape() as tape:
        loss = NegativeLogLikelihood()(inputs[..., :2], model(inputs))
    assert np.isfinite(loss)
    assert all(np.isfinite(gradient).all() for gradient in tape.gradient(loss, variables))
    parameters = model(inputs).numpy()
    np.testing.assert_array_equal(parameters[:, :, 0], parameters[:, :, 1])


def test_relative_predictions_move_with_the_frame_of_reference(rng):
    """With no weight on the absolute position, the forecast is translated with its input."""
    model = tiny_model(rng, prediction="acceleration")
    embedding = model.cell.input_embedding.kernel
    embedding.assign(np.array(embedding.value) * np.float32([0, 0, 1, 1, 1, 1])[:, None])
    inputs = np.round(tiny_inputs(rng) * 256) / 256
    shift = np.float32([2.0, -4.0, 0.0, 0.0])
    expected = model(inputs).numpy() + np.float32([2.0, -4.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(model(inputs + shift), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("prediction", ["displacement", "acceleration"])
def test_without_output_weights_the_forecast_is_constant_position_or_velocity(rng, prediction):
    model = tiny_model(rng, prediction=prediction)
    model.cell.output_layer.kernel.assign(np.zeros((12, 5)))
    inputs = tiny_inputs(rng)
    last, before = inputs[:, -1, :, :2], inputs[:, -2, :, :2]
    velocity = (last - before) * (prediction == "acceleration")
    parameters = model(inputs).numpy()
    for step in range(3):
        mean = last + (step + 1) * velocity
        np.testing.assert_allclose(parameters[:, step, :, :2], mean, rtol=1e-4, atol=1e-5)
        sigma = SCALES["error_by_step"][step] * np.log(2.0)  # softplus(0)
        np.testing.assert_allclose(parameters[:, step, :, 2:4], sigma, rtol=1e-5)
