"""Gaussians and mixtures in three dimensions, against textbook formulas and SciPy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from socialmd import distributions
from socialmd.distributions import Gaussian, GaussianMixture

SIGMA = np.array([0.5, 2.0, 0.3])
Z = np.array([0.4, -1.1, 0.7])  # artanh of r_21, r_31 and r_32 given the first


def covariance(sigma, z):
    """By the formula for a partial correlation, solved for the correlation."""
    r21, r31, partial = np.tanh(z)
    r32 = partial * np.sqrt((1 - r21**2) * (1 - r31**2)) + r21 * r31
    correlation = np.array([[1, r21, r31], [r21, 1, r32], [r31, r32, 1]])
    return np.outer(sigma, sigma) * correlation


def test_the_covariance_is_that_of_the_partial_correlations(rng):
    parameters = np.float32([1.0, 2.0, 3.0, *SIGMA, *Z])
    density = Gaussian().from_parameters(parameters)
    np.testing.assert_allclose(density.covariance(), covariance(SIGMA, Z), rtol=1e-5)
    x = rng.normal(loc=[1, 2, 3], size=(20, 3)).astype("float32")
    expected = stats.multivariate_normal([1, 2, 3], covariance(SIGMA, Z)).logpdf(x)
    np.testing.assert_allclose(density.log_prob(x), expected, rtol=1e-4, atol=1e-4)
    assert Gaussian().parameter_size(spatial_dims=3) == len(parameters) == 9


def test_strong_correlations_stay_finite():
    for z in (np.full(3, 30.0), np.float32([30, -30, 30])):
        variable = tf.Variable(np.float32([0, 0, 0, 1, 1, 1, *z]))
        with tf.GradientTape() as tape:
            value = Gaussian().from_parameters(variable).log_prob(np.float32([1.0, -1.0, 2.0]))
        assert np.isfinite(value)
        assert np.isfinite(tape.gradient(value, variable)).all()


@pytest.mark.parametrize("correlated", [False, True])
def test_mixtures_are_sums_of_their_components(rng, correlated):
    mixture = GaussianMixture(correlated, spatial_dims=3)
    size = 10 if correlated else 7
    assert mixture.parameter_size(4, 3) == 4 * size
    parts = rng.normal(size=(4, size))
    parts[:, 3:6] = np.exp(parts[:, 3:6] / 2)
    parameters = parts.reshape(-1).astype("float32")
    weights = np.exp(parts[:, -1]) / np.exp(parts[:, -1]).sum()
    x = rng.normal(size=(15, 3)).astype("float32")
    covariances = [covariance(p[3:6], p[6:9] if correlated else np.zeros(3)) for p in parts]
    expected = sum(
        weight * stats.multivariate_normal(part[:3], each).pdf(x)
        for weight, part, each in zip(weights, parts, covariances, strict=True)
    )
    density = mixture.from_parameters(parameters)
    np.testing.assert_allclose(density.prob(x), expected, rtol=1e-4)
    mean = (weights[:, None] * parts[:, :3]).sum(axis=0)
    np.testing.assert_allclose(mixture.mean(parameters), mean, rtol=1e-5, atol=1e-6)
    log_weights, means, factors = map(np.asarray, mixture.components(parameters))
    np.testing.assert_allclose(np.exp(log_weights), weights, rtol=1e-5)
    np.testing.assert_allclose(means, parts[:, :3], rtol=1e-6)
    products = factors @ np.swapaxes(factors, -1, -2)
    np.testing.assert_allclose(products, covariances, rtol=1e-4, atol=1e-5)


def test_names_mean_distributions_of_as_many_dimensions():
    assert distributions.get("mixture", 3).parameter_size(5, 3) == 35
    with pytest.raises(ValueError, match="expected a mixture in 3 dimensions, found one in 2"):
        distributions.get("mixture").parameter_size(5, 3)
    with pytest.raises(ValueError, match=r"expected 5 in the plane or 9 in space .* found 7"):
        Gaussian().mean(np.zeros(7, "float32"))
