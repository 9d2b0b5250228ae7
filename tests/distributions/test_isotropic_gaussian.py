import numpy as np
import pytest
from scipy.stats import multivariate_normal

from socialmd.distributions import IsotropicGaussian


@pytest.fixture(params=[2, 3])
def parameters(request, rng):
    """[4, D + 1]."""
    sigma = rng.uniform(0.2, 3.0, size=(4, 1))
    return np.concatenate([rng.normal(size=(4, request.param)), sigma], axis=1).astype("float32")


def test_density_is_that_of_scipy(parameters, rng):
    positions = rng.normal(size=parameters[:, :-1].shape).astype("float32")
    expected = [
        multivariate_normal.logpdf(x, row[:-1], row[-1] ** 2)
        for x, row in zip(positions, parameters, strict=True)
    ]
    actual = IsotropicGaussian().from_parameters(parameters).log_prob(positions)
    np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_components_are_the_density(parameters):
    log_weight, mean, factor = map(np.asarray, IsotropicGaussian().components(parameters))
    distribution = IsotropicGaussian().from_parameters(parameters)
    np.testing.assert_array_equal(log_weight, np.zeros((4, 1)))
    np.testing.assert_array_equal(mean[:, 0], distribution.mean())
    covariance = factor[:, 0] @ np.swapaxes(factor[:, 0], 1, 2)
    np.testing.assert_allclose(covariance, distribution.covariance(), rtol=1e-6)


def test_outputs_become_means_in_units_of_length_and_one_sigma():
    parameters = IsotropicGaussian().to_parameters(np.float32([[1.0, -2.0]]), 10.0, 3.0, 4.0)
    np.testing.assert_array_equal(parameters, [[13.0, 4.0, 4.0]])
    np.testing.assert_array_equal(IsotropicGaussian().mean(parameters), [[13.0, 4.0]])
    np.testing.assert_array_equal(IsotropicGaussian().most_likely_mean(parameters), [[13.0, 4.0]])
    scaled = IsotropicGaussian().scale_sigma(parameters, 0.5)
    np.testing.assert_array_equal(scaled, [[13.0, 4.0, 2.0]])


def test_a_collapsed_sigma_stays_finite():
    distribution = IsotropicGaussian().from_parameters(np.float32([0.0, 0.0, 0.0]))
    assert np.isfinite(distribution.log_prob([0.0, 1.0]))


def test_parameter_size():
    assert IsotropicGaussian().parameter_size() == 3
    assert IsotropicGaussian().parameter_size(spatial_dims=3) == 4
