"""Systems of different particle numbers, as `make_dataset` gives them: a dictionary with a mask."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.data.masked_inputs import unpack
from socialmd.evaluation import LinearAutoregression
from socialmd.losses import NegativeLogLikelihood
from socialmd.metrics import PositionError
from socialmd.models.estimate_scales import estimate_scales
from tests.tiny_models import tiny_inputs, tiny_model

REAL = 3  # of four particles


@pytest.fixture
def batch(rng):
    """Inputs whose fourth particle is padded, mask, and targets."""
    inputs = tiny_inputs(rng)
    inputs[:, :, REAL:] = 0.0
    targets = rng.normal(size=(2, 3, 4, 2)).astype("float32")
    targets[:, :, REAL:] = 1e3  # must not be seen
    return {"inputs": inputs, "mask": np.array([[True] * REAL + [False]] * 2)}, targets


def test_a_dictionary_is_inputs_and_mask(rng, batch):
    model, (padded, _) = tiny_model(rng, prediction="displacement"), batch
    expected = np.asarray(model(padded["inputs"][:, :, :REAL]))
    np.testing.assert_allclose(model(padded)[:, :, :REAL], expected, rtol=2e-4, atol=1e-5)
    _, parameters = model.rollout(padded)
    np.testing.assert_allclose(parameters[:, :, :REAL], expected, rtol=2e-4, atol=1e-5)


def test_loss_metric_and_gradient_are_those_of_the_real_particles(rng, batch):
    model, (padded, targets) = tiny_model(rng, prediction="displacement"), batch
    real = padded["inputs"][:, :, :REAL], targets[:, :, :REAL]
    metric, optimizer = PositionError(), keras.optimizers.SGD(0.1)
    model.compile(optimizer, NegativeLogLikelihood(), metrics=[metric], run_eagerly=True)
    losses, steps = [], []
    before = [np.array(weight) for weight in model.trainable_weights]
    for data in ((padded, targets), real):
        dataset = tf.data.Dataset.from_tensors(data)
        losses.append(model.evaluate(dataset, verbose=0))
        model.fit(dataset, verbose=0)
        steps.append(
            [np.array(w) - b for w, b in zip(model.trainable_weights, before, strict=True)]
        )
        for weight, value in zip(model.trainable_weights, before, strict=True):
            weight.assign(value)
    np.testing.assert_allclose(*losses, rtol=1e-4)
    for ours, theirs in zip(*steps, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-5)


def test_scales_are_those_of_the_real_particles(batch):
    padded, targets = batch
    real = padded["inputs"][:, :, :REAL], targets[:, :, :REAL]
    found, expected = (vars(estimate_scales([batch])) for batch in ((padded, targets), real))
    assert found["turns"] is expected["turns"] is None
    for name in found.keys() - {"input_shape", "turns"}:
        np.testing.assert_allclose(found[name], expected[name])


def test_recalibration_is_that_of_the_real_particles(rng, batch):
    model, (padded, targets) = tiny_model(rng, prediction="displacement"), batch
    model.recalibrate([(padded, targets)])
    factors = np.array(model.sigma_factors)
    model.recalibrate([(padded["inputs"][:, :, :REAL], targets[:, :, :REAL])])
    np.testing.assert_allclose(factors, model.sigma_factors, rtol=1e-3)


def test_linear_autoregression_is_fitted_to_the_real_particles(batch):
    padded, targets = batch
    fits = []
    for data in ((padded, targets), (padded["inputs"][:, :, :REAL], targets[:, :, :REAL])):
        autoregression = LinearAutoregression(3)
        autoregression.fit([data])
        fits.append(autoregression.coefficients)
    np.testing.assert_allclose(*fits)


def test_other_keys_are_refused(batch):
    padded, _ = batch
    with pytest.raises(ValueError, match=r"found \['frames'\]"):
        unpack({"frames": padded["inputs"]})


def test_lengths_in_other_units_give_the_same_forecast_in_these_units(rng):
    """Angstrom for nanometre: inputs, grids and all scales ten times as large."""
    arguments = {"prediction": "acceleration", "grid_sizes": (4.0, 2.0), "length_scale": 1.5}
    model = tiny_model(rng, **arguments)
    other = tiny_model(rng, **{**arguments, "grid_sizes": (40.0, 20.0), "length_scale": 15.0})
    other.set_weights(model.get_weights())
    other.displacement_scale.assign(10.0 * model.displacement_scale)
    other.acceleration_scale.assign(10.0 * model.acceleration_scale)
    other.error_by_step.assign(10.0 * model.error_by_step)
    inputs = tiny_inputs(rng)
    scaled = np.concatenate([10.0 * inputs[..., :2], inputs[..., 2:]], axis=-1)
    expected = np.asarray(model(inputs)) * [10.0, 10.0, 10.0, 10.0, 1.0]
    np.testing.assert_allclose(other(scaled), expected, rtol=1e-3, atol=1e-4)
