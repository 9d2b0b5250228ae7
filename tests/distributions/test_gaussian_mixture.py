import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import logsumexp

from socialmd.distributions import GaussianMixture, stateless_seed
from tests import reference

KINDS = pytest.mark.parametrize("correlated", [False, True], ids=["independent", "correlated"])
K = 5


def random_components(rng, *shape, correlated=False):
    """Means of order one, sigmas from 0.05 to 2, logits and z of order one: [..., K, 5 or 6]."""
    parts = [
        rng.normal(size=(*shape, K, 2)),
        np.exp(rng.uniform(np.log(0.05), np.log(2.0), size=(*shape, K, 2))),
        *([rng.uniform(-2.0, 2.0, size=(*shape, K, 1))] if correlated else []),
        rng.normal(size=(*shape, K, 1)),
    ]
    return np.concatenate(parts, axis=-1).astype("float32")


def flat(components):
    return components.reshape(*components.shape[:-2], -1)


def gaussians(components):
    """Weight, mean and covariance matrix of each component [K, 5 or 6], in float64."""
    weights = np.exp(components[:, -1].astype(float))
    for weight, row in zip(weights / weights.sum(), components.astype(float), strict=True):
        five = [*row[:4], row[4] if len(row) == 6 else 0.0]
        yield weight, row[:2], reference.covariance_matrix(np.array(five))


def scipy_log_density(x, components):
    return logsumexp(
        [
            np.log(weight) + stats.multivariate_normal(mean, covariance).logpdf(x)
            for weight, mean, covariance in gaussians(components)
        ]
    )


@KINDS
def test_log_density_is_equations_30_to_32(rng, correlated):
    components = random_components(rng, 40, correlated=correlated)
    x = rng.normal(size=(40, 2)).astype("float32")
    expected = [scipy_log_density(*pair) for pair in zip(x, components, strict=True)]
    distribution = GaussianMixture(correlated).from_parameters(flat(components))
    np.testing.assert_allclose(distribution.log_prob(x), expected, rtol=2e-3, atol=3e-3)


@KINDS
def test_one_component_is_one_gaussian(rng, correlated):
    component = random_components(rng, 20, correlated=correlated)[:, 0]
    five = np.concatenate(
        [component[:, :4], component[:, 4:5] if correlated else np.zeros((20, 1))], axis=-1
    )
    x = rng.normal(size=(20, 2)).astype("float32")
    mixture = GaussianMixture(correlated).from_parameters(component)
    expected = reference.gaussian_log_density(x, five)
    np.testing.assert_allclose(mixture.log_prob(x), expected, rtol=2e-3, atol=3e-3)


@KINDS
def test_number_of_outputs(correlated):
    """25 for K = 5 as in the thesis; 30 with correlations."""
    mixture = GaussianMixture(correlated)
    assert mixture.parameter_size() == (30 if correlated else 25)
    assert mixture.parameter_size(2) == (12 if correlated else 10)
    with pytest.raises(ValueError, match=r"parameters: expected a multiple of .*\(3, 7\)"):
        mixture.mean(np.zeros((3, 7), "float32"))


@KINDS
def test_output_activations(rng, correlated):
    numbers = 6 if correlated else 5
    raw = rng.normal(scale=3.0, size=(4, 3, K * numbers)).astype("float32")
    origin = rng.normal(size=(4, 3, 2)).astype("float32")
    parameters = GaussianMixture(correlated).to_parameters(raw, origin, 0.5, 0.25)
    raw, result = (np.reshape(array, (4, 3, K, numbers)) for array in (raw, parameters))
    np.testing.assert_allclose(result[..., :2], origin[:, :, None] + 0.5 * raw[..., :2], rtol=1e-5)
    softplus = np.log1p(np.exp(raw[..., 2:4].astype(float)))
    np.testing.assert_allclose(result[..., 2:4], 0.25 * softplus, rtol=1e-5)
    np.testing.assert_array_equal(result[..., 4:], raw[..., 4:])
    absolute = GaussianMixture(correlated).to_parameters(flat(raw), 0.0, 1.0, 1.0)
    np.testing.assert_array_equal(np.reshape(absolute, raw.shape)[..., :2], raw[..., :2])


@KINDS
def test_moments_are_those_of_the_components(rng, correlated):
    """Law of total variance."""
    components = random_components(rng, correlated=correlated)
    mixture = GaussianMixture(correlated)
    mean = sum(weight * mu for weight, mu, _ in gaussians(components))
    second = sum(w * (cov + np.outer(mu, mu)) for w, mu, cov in gaussians(components))
    covariance = second - np.outer(mean, mean)
    np.testing.assert_allclose(mixture.mean(flat(components)), mean, rtol=1e-4, atol=1e-6)
    distribution = mixture.from_parameters(flat(components))
    np.testing.assert_allclose(distribution.mean(), mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(distribution.variance(), np.diag(covariance), rtol=1e-3)
    log_weights, means, factors = mixture.components(flat(components))
    covariances = np.einsum("kij,klj->kil", factors, factors)
    for index, (weight, mu, cov) in enumerate(gaussians(components)):
        assert np.exp(log_weights[index]) == pytest.approx(weight, rel=1e-5)
        np.testing.assert_array_equal(means[index], mu)
        np.testing.assert_allclose(covariances[index], cov, rtol=3e-4, atol=1e-5)


@KINDS
def test_most_likely_mean_is_that_of_the_largest_weight(rng, correlated):
    components = random_components(rng, 6, correlated=correlated)
    expected = [rows[rows[:, -1].argmax(), :2] for rows in components]
    chosen = GaussianMixture(correlated).most_likely_mean(flat(components))
    np.testing.assert_array_equal(chosen, expected)


@KINDS
def test_scaling_sigma_multiplies_every_standard_deviation_and_nothing_else(rng, correlated):
    components = random_components(rng, 3, 2, correlated=correlated)
    mixture = GaussianMixture(correlated)
    factors = np.float32([[[2.0], [3.0]]])
    scaled = np.reshape(mixture.scale_sigma(flat(components), factors), components.shape)
    np.testing.assert_allclose(scaled[..., 2:4], components[..., 2:4] * factors[..., None])
    np.testing.assert_array_equal(
        np.delete(scaled, [2, 3], axis=-1), np.delete(components, [2, 3], axis=-1)
    )
    same = mixture.scale_sigma(flat(components), 1.0)
    np.testing.assert_array_equal(same, flat(components))


EXTREMES = {
    "raw_sigma": [-100.0, -18.4, 1.0, 60.0],  # 0, 1e-8, 1.3 and 60 after softplus
    "raw_logit": [-1e4, 0.0, 1e4],  # of the first component: all or nothing of the weight
    "distance": [0.0, 1.0, 50.0, 1e4],
}


@KINDS
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("raw_sigma", "raw_logit", "distance"), list(itertools.product(*EXTREMES.values()))
)
def test_extreme_outputs_have_finite_likelihood_and_gradient(
    correlated, dtype, raw_sigma, raw_logit, distance
):
    """Collapsed weights, vanishing sigmas, and targets up to ten billion of them away."""
    mixture = GaussianMixture(correlated)
    components = np.zeros((K, mixture.numbers_per_component), "float32")
    components[:, :2] = np.arange(K)[:, None] * 0.1
    components[:, 2:4] = raw_sigma
    components[0, -1] = raw_logit
    raw = tf.cast(flat(components), dtype)
    with tf.GradientTape() as tape:
        tape.watch(raw)
        parameters = mixture.to_parameters(tf.cast(raw, tf.float32), 0.0, 1.0, 1.0)
        value = mixture.from_parameters(parameters).log_prob([distance, -distance])
    assert value.dtype == tf.float32
    assert np.isfinite(value)
    assert np.isfinite(tf.cast(tape.gradient(value, raw), tf.float32)).all()


@KINDS
def test_a_far_target_pulls_the_nearest_component(rng, correlated):
    """Tens of standard deviations away every density underflows, and the gradient must not."""
    mixture = GaussianMixture(correlated)
    components = np.zeros((2, mixture.numbers_per_component), "float32")
    components[:, 0] = [0.0, 1.0]
    components[:, 2:4] = 0.1
    parameters = tf.constant(components.reshape(-1))
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        value = mixture.from_parameters(parameters).log_prob([8.0, 0.0])
    gradient = np.reshape(tape.gradient(value, parameters), components.shape)
    # 70 sigma from the nearer one: d log p / d mu = (x - mu) / sigma**2
    assert gradient[1, 0] == pytest.approx(7.0 / 0.1**2, rel=1e-3)
    assert gradient[0, 0] == pytest.approx(0.0, abs=1e-3)


@KINDS
def test_likelihood_gradient_equals_finite_differences(rng, correlated):
    components = random_components(rng, 8, correlated=correlated)
    x = rng.normal(size=(8, 2)).astype("float32")
    variable = tf.constant(flat(components))
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = GaussianMixture(correlated).from_parameters(variable).log_prob(x)
    gradient = np.reshape(tape.gradient(value, variable), components.shape)
    step, scale = 1e-6, float(np.abs(gradient).max())
    for case, k, index in itertools.product(range(8), range(K), range(components.shape[-1])):
        shifted = components[case].astype(float)
        densities = []
        for sign in (1, -1):
            shifted[k, index] = float(components[case, k, index]) + sign * step
            densities.append(scipy_log_density(x[case], shifted))
        expected = (densities[0] - densities[1]) / (2 * step)
        assert gradient[case, k, index] == pytest.approx(expected, rel=3e-3, abs=1e-4 * scale)


@KINDS
def test_samples_have_the_distribution_s_moments(correlated):
    components = random_components(np.random.default_rng(3), correlated=correlated)
    distribution = GaussianMixture(correlated).from_parameters(flat(components))
    samples = distribution.sample(20_000, seed=stateless_seed(3, 0)).numpy()
    mean = sum(weight * mu for weight, mu, _ in gaussians(components))
    second = sum(w * (cov + np.outer(mu, mu)) for w, mu, cov in gaussians(components))
    covariance = second - np.outer(mean, mean)
    standard_error = np.sqrt(np.diag(covariance) / 20_000)
    assert (np.abs(samples.mean(0) - mean) < 5 * standard_error).all()
    np.testing.assert_allclose(np.cov(samples.T), covariance, atol=0.06 * covariance.max())
