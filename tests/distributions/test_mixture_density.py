"""The density in Keras' operations, which JAX has, against TensorFlow Probability's."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from socialmd import distributions
from socialmd.distributions import MixtureDensity, stateless_seed
from socialmd.distributions.gaussian import DIAGONAL_SHIFT

HEADS = pytest.mark.parametrize(
    ("name", "dims"),
    [
        ("gaussian", 2),
        ("mixture", 2),
        ("correlated_mixture", 2),
        ("isotropic_gaussian", 3),
        ("student_t", 2),
        ("student_t", 3),
    ],
)
SHAPE = (3, 4)


def make(name, parameters):
    """Of the same parameters as `from_parameters` has them on TensorFlow."""
    distribution = distributions.get(name)
    if name != "student_t":
        return MixtureDensity(*distribution.components(parameters))
    mean, sigma, freedom = tf.split(parameters, [parameters.shape[-1] - 2, 1, 1], axis=-1)
    factor = ((sigma + DIAGONAL_SHIFT)[..., None] * tf.eye(mean.shape[-1]))[..., None, :, :]
    return MixtureDensity(tf.zeros_like(sigma), mean[..., None, :], factor, freedom)


def random_parameters(rng, name, dims):
    distribution = distributions.get(name)
    size = len(distribution.initial_outputs(spatial_dims=dims))
    raw = tf.constant(rng.normal(scale=2.0, size=(*SHAPE, size)), tf.float32)
    return distribution.to_parameters(raw, 0.0, 1.0, 1.0)


def density_and_gradient(density_of, parameters, x):
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        log_prob = density_of(parameters).log_prob(x)
    return log_prob, tape.gradient(log_prob, parameters)


@HEADS
@pytest.mark.parametrize("distance", [0.0, 1.0, 1e4])
def test_density_and_gradient_are_those_of_tensorflow_probability(rng, name, dims, distance):
    parameters = random_parameters(rng, name, dims)
    x = distance * rng.normal(size=(*SHAPE, dims)).astype("float32")
    expected = density_and_gradient(distributions.get(name).from_parameters, parameters, x)
    found = density_and_gradient(lambda p: make(name, p), parameters, x)
    for array, reference in zip(found, expected, strict=True):
        assert np.isfinite(array).all()
        scale = np.abs(reference).max()
        np.testing.assert_allclose(array, reference, rtol=2e-5, atol=1e-6 * scale)
    prob = make(name, parameters).prob(x)
    np.testing.assert_allclose(prob, np.exp(expected[0]), rtol=1e-4, atol=1e-37)


@HEADS
def test_moments_and_shapes_are_those_of_tensorflow_probability(rng, name, dims):
    parameters = random_parameters(rng, name, dims)
    expected, found = distributions.get(name).from_parameters(parameters), make(name, parameters)
    for moment in ("mean", "variance", "stddev"):
        actual, reference = getattr(found, moment)(), getattr(expected, moment)()
        np.testing.assert_allclose(actual, reference, rtol=1e-5, atol=1e-6, err_msg=moment)
    assert found.batch_shape == tuple(expected.batch_shape)
    assert found.event_shape == tuple(expected.event_shape)
    is_differentiable = distributions.is_differentiable(expected)
    assert distributions.is_differentiable(found) == is_differentiable == ("mixture" not in name)


@HEADS
def test_independent_coordinates_need_no_factors(rng, name, dims):
    log_weights, means, factors = distributions.get(name).components(
        random_parameters(rng, name, dims)
    )
    diagonal = np.diagonal(factors, axis1=-2, axis2=-1)
    dense = MixtureDensity(log_weights, means, diagonal[..., None] * np.eye(dims))
    found = MixtureDensity(log_weights, means, diagonal)
    x = rng.normal(size=(*SHAPE, dims))
    np.testing.assert_allclose(found.log_prob(x), dense.log_prob(x), rtol=1e-6)
    np.testing.assert_allclose(found.variance(), dense.variance(), rtol=1e-6)
    seed = stateless_seed(1, 2)
    np.testing.assert_allclose(found.sample(seed=seed), dense.sample(seed=seed), rtol=1e-5)


@HEADS
def test_draws_have_the_density(rng, name, dims):
    """So have NumPy's draws of its components: of both, what the density is there."""
    count, parameters = 40_000, random_parameters(rng, name, dims)[0, 0]
    density = make(name, parameters)
    draws = density.sample((2, count // 2), seed=stateless_seed(3, 0))
    assert draws.shape == (2, count // 2, dims)
    log_weights, means, factors = map(np.asarray, distributions.get(name).components(parameters))
    weights = np.exp(log_weights.astype(float))
    chosen = rng.choice(len(weights), size=count, p=weights / weights.sum())
    noise = rng.normal(size=(count, dims))
    expected = means[chosen] + np.einsum("nij,nj->ni", factors[chosen], noise)
    found = np.reshape(draws, (count, dims))
    assert scipy.stats.ks_2samp(density.log_prob(found), density.log_prob(expected)).pvalue > 1e-5
    for axis in range(dims):
        assert scipy.stats.ks_2samp(found[:, axis], expected[:, axis]).pvalue > 1e-5


def test_draws_depend_on_the_seed_alone(rng):
    density = make("student_t", random_parameters(rng, "student_t", 2))
    one, same, other = (density.sample(seed=stateless_seed(*s)) for s in ((1, 2), (1, 2), (2, 1)))
    np.testing.assert_array_equal(one, same)
    assert (np.asarray(one) != np.asarray(other)).all()


def test_gradients_flow_through_draws_to_the_degrees_of_freedom():
    """Of E|x - mu|**2 = D sigma**2 nu / (nu - 2)."""
    freedom = tf.constant([9.0])
    with tf.GradientTape() as tape:
        tape.watch(freedom)
        density = MixtureDensity(tf.zeros(1), tf.zeros((1, 2)), tf.fill((1, 2), 0.5), freedom)
        draws = density.sample(200_000, seed=stateless_seed(1, 2))
        value = tf.reduce_mean(tf.reduce_sum(draws**2, axis=-1))
    # That of one draw has a standard deviation of 0.13: more than five standard errors.
    gradient = tape.gradient(value, freedom).numpy()
    assert gradient == pytest.approx([-2 * 2 * 0.25 / 7**2], abs=0.002)


@pytest.mark.parametrize("dims", [1, 2, 3, 4])
def test_any_degrees_of_freedom_and_dimensions_keep_their_digits(dims):
    """In float32 the difference of two log Gamma functions of a million would be wrong by one."""
    for freedom in np.geomspace(1.0, 1e7, 30):
        density = MixtureDensity(
            np.zeros(1), np.zeros((1, dims)), np.ones((1, dims)), np.full(1, freedom)
        )
        expected = scipy.stats.multivariate_t(np.zeros(dims), np.eye(dims), df=freedom)
        found = density.log_prob(np.full(dims, 0.3))
        assert float(found) == pytest.approx(expected.logpdf(np.full(dims, 0.3)), abs=1e-6)
