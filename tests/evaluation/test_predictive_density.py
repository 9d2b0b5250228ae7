import math

import numpy as np
import pytest
import scipy.stats

from socialmd.evaluation import PredictiveDensity


def random_density(rng, *shape, dims=2):
    """Correlated components of different sizes; the last axis of the shape is C."""
    factors = rng.normal(size=(*shape, dims, dims))
    return PredictiveDensity(
        np.log(rng.dirichlet(np.full(shape[-1], 3.0), size=shape[:-1])),
        rng.normal(size=(*shape, dims)),
        factors @ np.swapaxes(factors, -1, -2) + 0.05 * np.eye(dims),
    )


def gaussian(mean=(0.0, 0.0), covariance=((1.0, 0.0), (0.0, 1.0))):
    return PredictiveDensity(np.zeros(1), np.array([mean]), np.array([covariance]))


def plane(density, half_width=14.0, pixels=701):
    """Points of a grid, the area of each, and the first density at every one of them."""
    axis = np.linspace(-half_width, half_width, pixels)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return points, (axis[1] - axis[0]) ** 2, density[np.zeros(len(points), int)]


@pytest.fixture
def one_mixture():
    return PredictiveDensity(
        np.log([[0.6, 0.3, 0.1]]),
        np.array([[[0.0, 0.0], [2.0, 1.0], [-3.0, 2.0]]]),
        np.array(
            [[[[1.0, 0.5], [0.5, 0.8]], [[0.3, -0.2], [-0.2, 0.4]], [[2.0, 0.0], [0.0, 0.2]]]]
        ),
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_log_prob_is_that_of_scipy(rng, dims):
    density, x = random_density(rng, 4, 3, dims=dims), 2 * rng.normal(size=(4, dims))
    for i in range(4):
        expected = sum(
            np.exp(density.log_weights[i, c])
            * scipy.stats.multivariate_normal(density.means[i, c], density.covariances[i, c]).pdf(
                x[i]
            )
            for c in range(3)
        )
        assert density.log_prob(x)[i] == pytest.approx(np.log(expected), abs=1e-9)


def test_cdf_is_that_of_the_marginal_distributions(rng):
    density, x = random_density(rng, 4, 3), rng.normal(size=(4, 2))
    sigmas = np.sqrt(density.covariances[..., [0, 1], [0, 1]])
    marginals = scipy.stats.norm.cdf(x[:, None], density.means, sigmas)
    expected = np.einsum("ic,icd->id", np.exp(density.log_weights), marginals)
    np.testing.assert_allclose(density.cdf(x), expected, atol=1e-12)


def test_cdf_is_accurate_in_both_tails():
    z = np.append(np.linspace(-35, 10, 2001), [-1e200, 1e200])
    density = PredictiveDensity(
        np.zeros((len(z), 1)), np.zeros((len(z), 1, 2)), np.tile(np.eye(2), (len(z), 1, 1, 1))
    )
    expected = np.array([0.5 * math.erfc(-each / math.sqrt(2.0)) for each in z])
    cdf = density.cdf(np.stack([z, -z], axis=-1))
    np.testing.assert_allclose(cdf[:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(cdf[:-2, 1], 1 - expected[:-2], atol=1e-15)
    assert cdf[-2:].tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_density_integrates_to_one_and_to_its_moments(one_mixture):
    points, area, densities = plane(one_mixture)
    probabilities = np.exp(densities.log_prob(points)) * area
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-9)
    mean = probabilities @ points
    np.testing.assert_allclose(one_mixture.mean()[0], mean, atol=1e-9)
    covariance = np.einsum("p,pi,pj->ij", probabilities, points - mean, points - mean)
    np.testing.assert_allclose(one_mixture.covariance()[0], covariance, atol=1e-8)


def test_samples_have_the_mean_covariance_and_cdf(one_mixture, rng):
    count = 40_000
    samples = one_mixture[np.zeros(count, int)].sample(2, rng)
    assert samples.shape == (2, count, 2)
    draws = samples.reshape(-1, 2)
    expected = one_mixture.covariance()[0]
    error = np.sqrt(np.diag(expected) / len(draws))
    assert (np.abs(draws.mean(axis=0) - one_mixture.mean()[0]) < 5 * error).all()
    products = (draws - draws.mean(axis=0))[:, [0, 0, 1]] * (draws - draws.mean(axis=0))[
        :, [0, 1, 1]
    ]
    error = products.std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(products.mean(axis=0) - expected[[0, 0, 1], [0, 1, 1]]) < 5 * error).all()
    ranks = one_mixture[np.zeros(len(draws), int)].cdf(draws)
    for axis in (0, 1):
        assert scipy.stats.kstest(ranks[:, axis], "uniform").pvalue > 1e-5


def test_level_of_a_gaussian_is_the_chi_square_probability_of_the_distance(rng):
    density, x = random_density(rng, 50, 1), 2 * rng.normal(size=(50, 2))
    errors = x - density.means[:, 0]
    squared = np.einsum("id,ide,ie->i", errors, np.linalg.inv(density.covariances[:, 0]), errors)
    np.testing.assert_allclose(
        density.highest_density_level(x), scipy.stats.chi2.cdf(squared, 2), rtol=1e-8, atol=1e-12
    )


def test_level_of_a_mixture_is_the_content_of_all_places_of_higher_density(one_mixture, rng):
    points, area, densities = plane(one_mixture)
    probabilities = np.exp(densities.log_prob(points)) * area
    copies, num_samples = 400, 100
    for x in ([0.0, 0.0], [1.0, 1.0], [-3.0, 2.0], [0.0, 4.0]):
        own = np.exp(one_mixture.log_prob([x])[0]) * area
        content = probabilities[probabilities > own].sum()
        levels = one_mixture[np.zeros(copies, int)].highest_density_level(
            np.tile(x, (copies, 1)), num_samples, rng
        )
        # k of (k + u) / (n + 1) is binomial.
        expected = (num_samples * content + 0.5) / (num_samples + 1)
        error = np.sqrt(content * (1 - content) / (copies * num_samples)) + 1e-4  # of u
        assert abs(levels.mean() - expected) < 5 * error + 1e-3  # and the pixels of the boundary


@pytest.mark.parametrize("num_samples", [1, 4, 100])
def test_level_of_a_right_mixture_is_uniform_for_any_number_of_samples(num_samples, rng):
    density = random_density(rng, 5000, 3)
    levels = density.highest_density_level(density.sample(1, rng)[0], num_samples, rng)
    assert scipy.stats.kstest(levels, "uniform").pvalue > 1e-5


def test_level_of_a_mixture_depends_on_the_seed_only(rng):
    density, x = random_density(rng, 6, 3), rng.normal(size=(6, 2))
    levels = density.highest_density_level(x, rng=3)
    np.testing.assert_array_equal(levels, density.highest_density_level(x, rng=3))
    assert (levels != density.highest_density_level(x, rng=4)).any()


def test_crps_is_the_expected_distance_less_half_of_that_between_draws(one_mixture, rng):
    count = 100_000
    x = np.array([0.5, 1.5])
    one, other = one_mixture[np.zeros(count, int)].sample(2, rng)
    draws = np.abs(one - x) - 0.5 * np.abs(one - other)
    error = draws.std(axis=0) / np.sqrt(count)
    assert (np.abs(one_mixture.crps([x])[0] - draws.mean(axis=0)) < 5 * error).all()


def test_crps_is_the_integral_of_the_squared_error_of_the_cdf(rng):
    # Gneiting and Raftery (2007), equation (20).
    weights = rng.dirichlet(np.ones(4))
    means, sigmas = rng.normal(size=(4, 2)), rng.uniform(0.2, 1, (4, 2))
    density = PredictiveDensity(np.log(weights), means, sigmas[..., None] ** 2 * np.eye(2))
    for x in (-3.0, 0.1, 2.0):
        # Halves that end at x: the integrand jumps there.
        below, above = np.linspace(-12, x, 20_001), np.linspace(x, 12, 20_001)
        for axis, score in enumerate(density.crps([x, x])):
            of_axis = means[:, axis], sigmas[:, axis]
            cdf = [scipy.stats.norm.cdf(z[:, None], *of_axis) @ weights for z in (below, above)]
            expected = np.trapezoid(cdf[0] ** 2, below) + np.trapezoid((1 - cdf[1]) ** 2, above)
            assert score == pytest.approx(expected, rel=1e-6)


def test_crps_of_one_gaussian_is_the_known_formula(rng):
    mean, sigma, x = rng.normal(size=(6, 2)), rng.uniform(0.1, 2, (6, 2)), rng.normal(size=(6, 2))
    z = (x - mean) / sigma
    norm = scipy.stats.norm
    expected = sigma * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    covariances = sigma[:, None, :, None] ** 2 * np.eye(2)
    density = PredictiveDensity(np.zeros((6, 1)), mean[:, None], covariances)
    np.testing.assert_allclose(density.crps(x), expected, rtol=1e-12)


def test_crps_of_a_point_is_the_absolute_error(rng):
    mean, x = rng.normal(size=(2, 2))
    density = gaussian(mean, 1e-18 * np.eye(2))
    np.testing.assert_allclose(density.crps(x), np.abs(x - mean), atol=1e-8)


def test_splitting_a_component_into_equal_ones_changes_nothing(rng):
    one, x = random_density(rng, 5, 1), rng.normal(size=(5, 2))
    three = PredictiveDensity(
        np.log([[0.5, 0.3, 0.2]]).repeat(5, axis=0),
        one.means.repeat(3, axis=1),
        one.covariances.repeat(3, axis=1),
    )
    for name in ("log_prob", "cdf", "crps"):
        np.testing.assert_allclose(getattr(three, name)(x), getattr(one, name)(x), atol=1e-12)
    np.testing.assert_allclose(three.covariance(), one.covariance(), atol=1e-12)


def test_samples_of_densities_are_averaged(rng):
    each, x = random_density(rng, 3, 4, 5, 2), rng.normal(size=(4, 5, 2))
    density = PredictiveDensity.from_samples(each.log_weights, each.means, each.covariances)
    assert density.shape == (4, 5)
    assert density.log_weights.shape == (4, 5, 6)
    np.testing.assert_allclose(
        np.exp(density.log_prob(x)), np.exp([each[s].log_prob(x) for s in range(3)]).mean(axis=0)
    )
    np.testing.assert_allclose(density.mean(), each.mean().mean(axis=0), atol=1e-12)


def test_far_targets_have_a_finite_density():
    density = PredictiveDensity(
        np.log([0.5, 0.5]), np.zeros((2, 2)), np.stack([1e-6 * np.eye(2), 4e-6 * np.eye(2)])
    )
    x = np.array([10.0, 0.0])  # 10 000 and 5 000 standard deviations away
    # The wider component alone is left: half of it.
    expected = np.log(0.5) - 0.5 * 5000.0**2 - np.log(2 * np.pi * 4e-6)
    assert density.log_prob(x) == pytest.approx(expected, rel=1e-12)
    assert density.cdf(x).tolist() == pytest.approx([1.0, 0.5])
    assert np.isfinite(density.crps(x)).all()
    assert density.highest_density_level(x, 100) > 0.99
    assert gaussian(covariance=1e-6 * np.eye(2)).highest_density_level(x) == 1.0


def test_nearly_perfect_correlation_loses_no_digits():
    rho = 1 - 1e-9
    density = gaussian(covariance=[[1.0, rho], [rho, 1.0]])
    along, across = 1 + rho, 1 - rho  # eigenvalues, of (1, 1) and (1, -1)
    for x, squared in (([1.0, 1.0], 2 / along), ([1e-5, -1e-5], 2e-10 / across)):
        expected = -0.5 * squared - np.log(2 * np.pi * np.sqrt(along * across))
        assert density.log_prob(x) == pytest.approx(expected, abs=1e-6)


def test_rotating_positions_and_density_together_changes_nothing(rng):
    density, x = random_density(rng, 5, 3), rng.normal(size=(5, 2))
    turn = np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
    turned = PredictiveDensity(
        density.log_weights, density.means @ turn.T, turn @ density.covariances @ turn.T
    )
    np.testing.assert_allclose(turned.log_prob(x @ turn.T), density.log_prob(x), atol=1e-9)


@pytest.mark.parametrize(
    "index",
    [1, slice(1, 3), (0, 2), (slice(None), 1), (..., 2), (..., slice(0, 2)), [2, 0], (None, 1)],
)
def test_slices_have_the_sliced_values(index, rng):
    density, x = random_density(rng, 3, 4, 2), rng.normal(size=(3, 4, 2))
    at = index if isinstance(index, tuple) else (index,)
    at = at if ... in at else (*at, ...)
    expected = density.log_prob(x)[at]
    np.testing.assert_allclose(density[index].log_prob(x[(*at, slice(None))]), expected, 1e-13)


def test_axes_of_components_and_coordinates_cannot_be_sliced(rng):
    with pytest.raises(IndexError):
        random_density(rng, 3, 2)[0, 0]


def test_rounded_weights_are_normalized():
    density = PredictiveDensity(
        np.log([0.50003, 0.5]), np.zeros((2, 2)), np.tile(np.eye(2), (2, 1, 1))
    )
    assert np.exp(density.log_weights).sum() == pytest.approx(1.0, abs=1e-15)
    assert density.cdf([50.0, 50.0]).tolist() == pytest.approx([1.0, 1.0], abs=1e-15)


def test_single_precision_arrays_are_computed_with_in_double(rng):
    density, x = random_density(rng, 3, 2), rng.normal(size=(3, 2)).astype("float32")
    single = PredictiveDensity(
        density.log_weights.astype("float32"),
        density.means.astype("float32"),
        density.covariances.astype("float32"),
    )
    assert single.log_prob(x).dtype == np.float64
    np.testing.assert_allclose(single.log_prob(x), density.log_prob(x), rtol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"log_weights": np.float64(0.0)}, r"log_weights: expected shape \[..., components\]"),
        ({"log_weights": np.zeros((3, 0))}, r"at least one component, found \(3, 0\)"),
        ({"log_weights": np.log([0.5, 0.499])}, "weights that sum to 1, found a sum of 0.999"),
        ({"log_weights": [0.0, -np.inf]}, "log_weights: expected finite numbers, found 1 of 2"),
        (
            {"means": np.zeros((3, 2))},
            r"means: expected shape \(2,\) and .*, found \(3, 2\)",
        ),
        ({"means": np.full((2, 2), np.nan)}, "means: expected finite numbers, found 4 of 4"),
        ({"covariances": np.ones((2, 2))}, r"covariances: expected shape \(2, 2, 2\)"),
        ({"covariances": np.full((2, 2, 2), np.inf)}, "covariances: expected finite"),
        ({"covariances": np.ones((2, 2, 2))}, "positive definite matrices, found 2 of 2"),
        ({"covariances": np.zeros((2, 2, 2))}, "positive definite"),
        ({"covariances": [np.eye(2), -np.eye(2)]}, r"1 of 2 .* \[\[-1.0, -0.0\], \[-0.0, -1.0\]\]"),
        ({"covariances": [np.eye(2), [[1, 0.5], [0.4, 1]]]}, "symmetric .* found 1 of 2"),
    ],
)
def test_wrong_arrays_are_refused(changes, message):
    arrays = {
        "log_weights": np.log([0.5, 0.5]),
        "means": np.zeros((2, 2)),
        "covariances": np.tile(np.eye(2), (2, 1, 1)),
    }
    PredictiveDensity(**arrays)
    with pytest.raises(ValueError, match=message):
        PredictiveDensity(**{**arrays, **changes})


def test_averaging_needs_an_axis_of_samples():
    density = gaussian()
    with pytest.raises(ValueError, match=r"log_weights: expected shape \[samples, ..., comp"):
        PredictiveDensity.from_samples(density.log_weights, density.means, density.covariances)


@pytest.mark.parametrize("method", ["log_prob", "cdf", "crps", "highest_density_level"])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((3, 3)), r"x: expected shape \(3, 2\), found \(3, 3\)"),
        (np.zeros(2), r"x: expected shape \(3, 2\), found \(2,\)"),
        (np.full((3, 2), np.nan), "x: expected finite numbers, found 6 of 6"),
    ],
)
def test_wrong_positions_are_refused(method, x, message, rng):
    with pytest.raises(ValueError, match=message):
        getattr(random_density(rng, 3, 2), method)(x)


def test_no_samples_are_refused(rng):
    density = random_density(rng, 3, 2)
    with pytest.raises(ValueError, match="count: expected a positive integer, found 0"):
        density.sample(0, rng)
    with pytest.raises(ValueError, match="num_samples: expected a positive integer, found 0"):
        density.highest_density_level(np.zeros((3, 2)), num_samples=0)


def test_in_space_samples_and_levels_are_those_of_the_density(rng):
    """The level of each of many samples is uniform, whether one component or several."""
    for components in (1, 2):
        density = random_density(rng, 1, components, dims=3)
        drawn = density.sample(4000, rng)[:, 0]  # [S, 3]
        np.testing.assert_allclose(drawn.mean(axis=0), density.mean()[0], atol=0.2)
        np.testing.assert_allclose(np.cov(drawn.T), density.covariance()[0], rtol=0.2, atol=0.2)
        many = density[np.zeros(len(drawn), int)]
        levels = many.highest_density_level(drawn, rng=rng)
        assert scipy.stats.kstest(levels, "uniform").pvalue > 1e-3


def test_in_space_what_is_not_positive_definite_is_refused():
    """Every two coordinates are fine, all three are not."""
    correlation = np.full((3, 3), -0.7) + 1.7 * np.eye(3)
    with pytest.raises(ValueError, match="positive definite matrices, found 1 of 1"):
        PredictiveDensity(np.zeros(1), np.zeros((1, 3)), correlation[None])
