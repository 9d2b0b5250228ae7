"""Student-t: against SciPy, as a mixture of Gaussians, and where it begins."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from socialmd.distributions import StudentT
from socialmd.distributions.gaussian import DIAGONAL_SHIFT


def scipy_t(parameters):
    *mean, sigma, freedom = map(float, parameters)
    return scipy.stats.multivariate_t(
        mean, np.eye(len(mean)) * (sigma + DIAGONAL_SHIFT) ** 2, df=freedom
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_density_is_scipy_s(rng, dims):
    for _ in range(5):
        parameters = np.float32([*rng.normal(size=dims), rng.uniform(0.1, 2), rng.uniform(2.1, 9)])
        x = rng.normal(size=(50, dims)).astype("float32") * 3
        expected = scipy_t(parameters).logpdf(x)
        found = StudentT().from_parameters(parameters).log_prob(x)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("freedom", [2.05, 3.0, 5.0, 30.0, 1000.0])
def test_its_gaussians_add_up_to_it(rng, dims, freedom):
    parameters = np.float32([*rng.normal(size=dims), 0.7, freedom])
    log_weights, means, factors = map(np.asarray, StudentT().components(parameters))
    x = rng.normal(size=(200, dims)) * 1.5
    mixture = sum(
        np.exp(log_weight) * scipy.stats.multivariate_normal(mean, factor @ factor.T).pdf(x)
        for log_weight, mean, factor in zip(log_weights, means, factors, strict=True)
    )
    np.testing.assert_allclose(mixture, scipy_t(parameters).pdf(x), rtol=2e-3)
    assert np.exp(log_weights).sum() == pytest.approx(1, rel=1e-5)


def test_samples_have_its_variance():
    parameters = np.float32([1.0, -2.0, 0.5, 8.0])
    samples = StudentT().from_parameters(parameters).sample(20_000, seed=[1, 2]).numpy()
    # The fourth moment of one coordinate is 4.5 squares of its variance: five standard errors.
    variance = 0.5**2 * 8 / 6
    assert samples.var(axis=0) == pytest.approx([variance] * 2, rel=5 * np.sqrt(3.5 / 20_000))
    assert samples.mean(axis=0) == pytest.approx([1, -2], abs=5 * np.sqrt(variance / 20_000))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_slopes_are_finite_where_a_value_is_the_mean(jit_compile):
    @tf.function(jit_compile=jit_compile)
    def slopes(parameters):
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            value = tf.stop_gradient(parameters[:2])
            log_prob = StudentT().from_parameters(parameters).log_prob(value)
        return tape.gradient(log_prob, parameters)

    # There the density is 1 / (2 pi sigma**2) in the plane, whatever the degrees of freedom.
    found = slopes(tf.constant([1.0, -2.0, 0.5, 8.0]))
    np.testing.assert_allclose(found, [0, 0, -2 / (0.5 + DIAGONAL_SHIFT), 0], atol=1e-5)


def test_raw_outputs_of_zero_have_four_degrees_of_freedom():
    outputs = np.float32(StudentT().initial_outputs(spatial_dims=3))
    parameters = np.asarray(StudentT().to_parameters(outputs, np.float32([1, 2, 3]), 0.1, 2.0))
    assert parameters == pytest.approx([1, 2, 3, 2 * np.log(2), 4], rel=1e-6)
    assert np.asarray(StudentT().scale_sigma(parameters, 3.0))[3] == pytest.approx(6 * np.log(2))
    np.testing.assert_array_equal(StudentT().mean(parameters), parameters[:3])
    assert StudentT().parameter_size(spatial_dims=3) == len(outputs) == 5


@pytest.mark.parametrize("outputs", [-80.0, 0.0, 80.0])
@pytest.mark.parametrize("distance", [0.0, 1e4])
def test_extreme_outputs_have_finite_likelihood_and_gradient(outputs, distance):
    raw = tf.constant([0.0, 0.0, outputs, outputs])
    with tf.GradientTape() as tape:
        tape.watch(raw)
        parameters = StudentT().to_parameters(raw, tf.constant([distance, 0.0]), 1.0, 1.0)
        log_probability = StudentT().from_parameters(parameters).log_prob([0.0, 0.0])
    assert np.isfinite(log_probability)
    assert np.isfinite(tape.gradient(log_probability, raw)).all()
