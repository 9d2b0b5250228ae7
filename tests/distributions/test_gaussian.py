import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from socialmd.distributions import BivariateGaussian, stateless_seed
from socialmd.distributions.gaussian import DIAGONAL_SHIFT
from tests import reference


def random_parameters(rng, *shape):
    """Means of order one, sigmas from 0.05 to 2, correlations up to 0.96."""
    return np.concatenate(
        [
            rng.normal(size=(*shape, 2)),
            np.exp(rng.uniform(np.log(0.05), np.log(2.0), size=(*shape, 2))),
            rng.uniform(-2.0, 2.0, size=(*shape, 1)),
        ],
        axis=-1,
    ).astype("float32")


def near(parameters, rng):
    """Positions within about three sigma of the mean."""
    noise = rng.normal(size=parameters[..., :2].shape)
    return (parameters[..., :2] + parameters[..., 2:4] * noise).astype("float32")


def log_prob(x, parameters):
    return BivariateGaussian().from_parameters(parameters).log_prob(x).numpy()


def test_log_density_equals_scipy(rng):
    parameters = random_parameters(rng, 200)
    x = near(parameters, rng)
    expected = [
        stats.multivariate_normal(row[:2], reference.covariance_matrix(row)).logpdf(point)
        for row, point in zip(parameters.astype(float), x, strict=True)
    ]
    np.testing.assert_allclose(log_prob(x, parameters), expected, rtol=1e-3, atol=2e-3)


def test_density_equals_equation_17_written_out():
    mu_x, mu_y, sigma_x, sigma_y, rho, x, y = 0.3, -0.2, 0.5, 0.8, -0.6, 0.9, 0.4
    z_x, z_y = (x - mu_x) / sigma_x, (y - mu_y) / sigma_y
    z = z_x**2 + z_y**2 - 2 * rho * z_x * z_y
    expected = np.exp(-z / (2 * (1 - rho**2))) / (
        2 * np.pi * sigma_x * sigma_y * np.sqrt(1 - rho**2)
    )
    parameters = [mu_x, mu_y, sigma_x, sigma_y, np.arctanh(rho)]
    density = BivariateGaussian().from_parameters(np.float32(parameters)).prob(np.float32([x, y]))
    np.testing.assert_allclose(density, expected, rtol=2e-5)


def test_density_is_one_when_integrated():
    parameters = np.float32([0.2, -0.1, 0.4, 0.7, 0.9])
    axis = np.linspace(-6.0, 6.0, 601, dtype="float32")
    points = np.stack(np.meshgrid(axis, axis), axis=-1)
    density = BivariateGaussian().from_parameters(parameters).prob(points).numpy()
    assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1.0, abs=1e-4)


def test_moments_are_those_of_the_covariance_matrix(rng):
    parameters = random_parameters(rng, 3, 2, 4)
    distribution = BivariateGaussian().from_parameters(parameters)
    assert distribution.batch_shape == (3, 2, 4)
    assert distribution.event_shape == (2,)
    np.testing.assert_array_equal(distribution.mean(), parameters[..., :2])
    np.testing.assert_array_equal(BivariateGaussian().mean(parameters), parameters[..., :2])
    np.testing.assert_allclose(
        distribution.covariance(), reference.covariance_matrix(parameters), rtol=2e-4, atol=1e-5
    )


def test_output_activations_are_equations_21_to_23(rng):
    raw = rng.normal(scale=3.0, size=(4, 3, 5)).astype("float32")
    origin = rng.normal(size=(4, 3, 2)).astype("float32")
    parameters = BivariateGaussian().to_parameters(raw, origin, 0.5, 0.25).numpy()
    np.testing.assert_allclose(parameters[..., :2], origin + 0.5 * raw[..., :2], rtol=1e-5)
    softplus = np.log1p(np.exp(raw[..., 2:4].astype(float)))
    np.testing.assert_allclose(parameters[..., 2:4], 0.25 * softplus, rtol=1e-5)
    correlation = np.tanh(parameters[..., 4])
    np.testing.assert_allclose(correlation, np.tanh(raw[..., 4]), rtol=1e-6)
    assert BivariateGaussian().parameter_size() == raw.shape[-1]


@pytest.mark.parametrize("fisher_z", [-50.0, -5.0, 0.0, 5.0, 50.0])
@pytest.mark.parametrize("raw_sigma", [-100.0, -18.4, 1.0])  # 0, 1e-8 and 1.3 after softplus
@pytest.mark.parametrize("distance", [0.0, 1.0, 50.0])
def test_extreme_outputs_have_finite_likelihood_and_gradient(fisher_z, raw_sigma, distance):
    raw = tf.constant([0.0, 0.0, raw_sigma, raw_sigma, fisher_z])
    with tf.GradientTape() as tape:
        tape.watch(raw)
        parameters = BivariateGaussian().to_parameters(raw, 0.0, 1.0, 1.0)
        value = BivariateGaussian().from_parameters(parameters).log_prob([distance, -distance])
    assert np.isfinite(value)
    assert np.isfinite(tape.gradient(value, raw)).all()


@pytest.mark.parametrize("fisher_z", [-7.0, 7.0])
def test_strong_correlation_loses_no_digits(fisher_z):
    """1 - rho**2 is 3e-6 here, of which float32 keeps one digit; 1 / cosh(z) keeps all."""
    parameters = np.float32([0.0, 0.0, 1.0, 1.0, fisher_z])
    point = np.float32([0.5, 0.5 * np.sign(fisher_z)])
    # In the frame of the Cholesky factor (its diagonal shifted as documented) all is exact.
    rho, shift = np.tanh(np.float64(fisher_z)), DIAGONAL_SHIFT
    factor = np.array([[1.0 + shift, 0.0], [rho, 1 / np.cosh(fisher_z) + shift]])
    expected = stats.multivariate_normal(cov=factor @ factor.T).logpdf(point)
    assert log_prob(point, parameters) == pytest.approx(expected, rel=1e-4)


def test_likelihood_gradient_equals_finite_differences(rng):
    parameters = random_parameters(rng, 20)
    x = near(parameters, rng)
    variable = tf.constant(parameters)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = BivariateGaussian().from_parameters(variable).log_prob(x)
    gradient = tape.gradient(value, variable).numpy()
    step = 1e-6
    for index in range(5):
        shift = step * np.eye(5)[index]
        above = reference.gaussian_log_density(x, parameters + shift)
        below = reference.gaussian_log_density(x, parameters - shift)
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(
            gradient[:, index], (above - below) / (2 * step), rtol=2e-3, atol=1e-4 * scale
        )


def test_half_precision_parameters_are_computed_in_float32(rng):
    parameters = tf.cast(random_parameters(rng, 5), tf.bfloat16)
    assert BivariateGaussian().from_parameters(parameters).log_prob(
        np.zeros(2, "float32")
    ).dtype == (tf.float32)


def test_samples_have_the_distribution_s_moments():
    parameters = np.float32([0.5, -1.0, 0.3, 0.6, -0.8])
    distribution = BivariateGaussian().from_parameters(parameters)
    samples = distribution.sample(20_000, seed=stateless_seed(3, 0)).numpy()
    covariance = reference.covariance_matrix(parameters.astype(float))
    five_errors = 5 * parameters[2:4] / np.sqrt(20_000)
    assert (np.abs(samples.mean(0) - parameters[:2]) < five_errors).all()
    np.testing.assert_allclose(np.cov(samples.T), covariance, atol=0.05 * covariance.max())


def test_samples_repeat_with_the_seed_and_differ_by_seed_and_step():
    distribution = BivariateGaussian().from_parameters(np.float32([0.0, 0.0, 1.0, 1.0, 0.0]))
    draw = {key: distribution.sample(4, seed=stateless_seed(*key)).numpy() for key in KEYS}
    np.testing.assert_array_equal(draw[1, 2], distribution.sample(4, seed=stateless_seed(1, 2)))
    assert len({array.tobytes() for array in draw.values()}) == len(KEYS)


KEYS = ((1, 2), (2, 1), (1, 1), (0, 0))
