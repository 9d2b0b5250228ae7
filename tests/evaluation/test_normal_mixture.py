import numpy as np
import pytest
import scipy.special
import scipy.stats

from socialmd.evaluation.normal_mixture import normal_mixture_crps, standard_normal_cdf


def test_cdf_is_that_of_scipy_in_both_tails():
    z = np.linspace(-35, 10, 2001)
    np.testing.assert_allclose(standard_normal_cdf(z), scipy.special.ndtr(z), rtol=1e-12)
    assert standard_normal_cdf(np.array([-1e200, 1e200])).tolist() == [0.0, 1.0]


def test_crps_is_the_integral_of_the_squared_error_of_the_cdf(rng):
    # Gneiting and Raftery (2007), equation (20).
    weights, means, sigmas = rng.dirichlet(np.ones(4)), rng.normal(size=4), rng.uniform(0.2, 1, 4)
    for x in (-3.0, 0.1, 2.0):
        # Halves that end at x: the integrand jumps there.
        below, above = np.linspace(-12, x, 20_001), np.linspace(x, 12, 20_001)
        cdf = [scipy.stats.norm.cdf(z[:, None], means, sigmas) @ weights for z in (below, above)]
        expected = np.trapezoid(cdf[0] ** 2, below) + np.trapezoid((1 - cdf[1]) ** 2, above)
        score = normal_mixture_crps(weights, means, sigmas**2, np.array(x))
        assert score == pytest.approx(expected, rel=1e-6)


def test_crps_is_the_expected_distance_less_half_of_that_between_draws(rng):
    weights, means, sigmas = np.array([0.7, 0.3]), np.array([-1.0, 2.0]), np.array([0.5, 1.5])
    x, count = 0.4, 200_000
    chosen = rng.choice(2, p=weights, size=(2, count))
    one, other = rng.normal(means[chosen], sigmas[chosen])
    draws = np.abs(one - x) - 0.5 * np.abs(one - other)
    score = normal_mixture_crps(weights, means, sigmas**2, np.array(x))
    assert abs(score - draws.mean()) < 5 * draws.std() / np.sqrt(count)


def test_crps_of_one_normal_distribution_is_the_known_formula(rng):
    mean, sigma, x = rng.normal(size=6), rng.uniform(0.1, 2, 6), rng.normal(size=6)
    z = (x - mean) / sigma
    norm = scipy.stats.norm
    expected = sigma * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    score = normal_mixture_crps(np.ones((6, 1)), mean[:, None], sigma[:, None] ** 2, x)
    np.testing.assert_allclose(score, expected, rtol=1e-12)
