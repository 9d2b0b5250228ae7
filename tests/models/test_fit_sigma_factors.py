"""One factor for each step: closed forms, known answers, and what the model does with them."""

import keras
import numpy as np
import pytest

from socialmd import distributions
from socialmd.distributions import BivariateGaussian
from socialmd.models.fit_sigma_factors import fit_sigma_factors
from tests import reference
from tests.tiny_models import tiny_inputs, tiny_model


def gaussian_parameters(rng, *shape):
    parts = [rng.normal(size=(*shape, 2)), rng.uniform(0.2, 2.0, size=(*shape, 2))]
    return np.concatenate([*parts, rng.uniform(-1.5, 1.5, size=(*shape, 1))], axis=-1)


def draw(parameters, factors, rng):
    """Truth whose standard deviations are `factors` [T'] times the predicted ones."""
    sigma = parameters[..., 2:4] * np.asarray(factors)[:, None, None]
    rho = np.tanh(parameters[..., 4])
    noise = rng.normal(size=sigma.shape)
    noise[..., 1] = rho * noise[..., 0] + np.sqrt(1 - rho**2) * noise[..., 1]
    return parameters[..., :2] + sigma * noise


def test_factors_of_one_gaussian_are_the_closed_form(rng):
    """d/ds of the likelihood vanishes at s**2 = mean(m**2) / 2, m the Mahalanobis distance."""
    parameters = gaussian_parameters(rng, 20, 3, 7)
    truth = draw(parameters, [0.3, 1.0, 4.0], rng)
    squared = np.empty((20, 3, 7))
    for index in np.ndindex(20, 3, 7):
        error = truth[index] - parameters[index][:2]
        covariance = reference.covariance_matrix(parameters[index])
        squared[index] = error @ np.linalg.solve(covariance, error)
    expected = np.sqrt(squared.mean(axis=(0, 2)) / 2)
    found = fit_sigma_factors(BivariateGaussian(), parameters, truth)
    np.testing.assert_allclose(found, expected, rtol=3e-3)


@pytest.mark.parametrize("name", ["mixture", "correlated_mixture"])
def test_factors_of_a_mixture_are_those_that_its_samples_were_drawn_with(rng, name):
    distribution = distributions.get(name)
    parameters = rng.normal(size=(300, 2, 5, distribution.parameter_size(3))).astype("float32")
    parameters = np.asarray(distribution.to_parameters(parameters, 0.0, 2.0, 1.0))
    factors = np.float32([0.5, 2.0])
    true = distribution.scale_sigma(parameters, factors[:, None, None])
    samples = distribution.from_parameters(true).sample(seed=distributions.stateless_seed(1, 2))
    found = fit_sigma_factors(distribution, parameters, np.asarray(samples))
    np.testing.assert_allclose(found, factors, rtol=0.06)  # 1500 samples each


def test_model_keeps_its_factors_and_rollout_applies_them_when_asked(rng, tmp_path):
    model = tiny_model(rng, prediction="displacement")
    inputs = tiny_inputs(rng, batch=16)
    _, parameters = model.rollout(inputs)
    before = np.asarray(parameters)
    truth = draw(before.astype(float), [0.5, 1.0, 3.0], rng)
    np.testing.assert_array_equal(model.sigma_factors, np.ones(3))
    model.recalibrate([(inputs[:9], truth[:9]), (inputs[9:], truth[9:])])
    factors = fit_sigma_factors(BivariateGaussian(), before, truth)
    np.testing.assert_allclose(model.sigma_factors, factors, rtol=1e-3)
    np.testing.assert_allclose(factors, [0.5, 1.0, 3.0], rtol=0.3)  # 64 truths each

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    unasked, asked = (
        np.asarray(loaded.rollout(inputs, 5, recalibrated=flag)[1]) for flag in (False, True)
    )
    np.testing.assert_allclose(unasked[:, :3], before, rtol=1e-4, atol=1e-6)
    expected = unasked.copy()  # beyond T' = 3 steps, the last factor
    expected[..., 2:4] *= np.concatenate([factors, factors[[2, 2]]])[:, None, None]
    np.testing.assert_allclose(asked, expected, rtol=1e-3, atol=1e-6)


def test_bad_input_is_refused(rng):
    parameters = gaussian_parameters(rng, 2, 3, 4)
    with pytest.raises(ValueError, match=r"truth: expected .*found shapes \(2, 3, 3, 2\)"):
        fit_sigma_factors(BivariateGaussian(), parameters, np.zeros((2, 3, 3, 2)))
    with pytest.raises(ValueError, match="expected finite numbers"):
        fit_sigma_factors(BivariateGaussian(), parameters, np.full((2, 3, 4, 2), np.nan))
    with pytest.raises(ValueError, match="recalibrate: expected batches"):
        tiny_model(rng).recalibrate([])
