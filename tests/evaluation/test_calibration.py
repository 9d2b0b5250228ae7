import dataclasses
import json

import numpy as np
import pytest
import scipy.stats

from socialmd.evaluation import Calibration, PredictiveDensity, calibration

SHAPE = (60, 3, 20)  # W, T', N
LEVELS = np.array([0.5, 0.8, 0.95])


def gaussians(rng, shape=SHAPE):
    """Uncorrelated, of different sizes: x and y are independent, and so are their PIT values."""
    variances = rng.uniform(0.1, 2.0, (*shape, 1, 2, 1))
    return PredictiveDensity(
        np.zeros((*shape, 1)), rng.normal(size=(*shape, 1, 2)), variances * np.eye(2)
    )


def mixtures(rng, shape=SHAPE, components=3):
    factors = rng.normal(size=(*shape, components, 2, 2))
    return PredictiveDensity(
        np.log(rng.dirichlet(np.full(components, 2.0), shape)),
        rng.normal(0, 2, (*shape, components, 2)),
        factors @ np.swapaxes(factors, -1, -2) + 0.05 * np.eye(2),
    )


def resized(density, factor):
    """The same forecast with all standard deviations multiplied."""
    return PredictiveDensity(
        density.log_weights, density.means, factor**2 * np.asarray(density.covariances)
    )


def chi_square(histogram, count):
    """Of fractions in equal bins, and its degrees of freedom."""
    bins = len(histogram)
    return count * bins * np.square(np.array(histogram) - 1 / bins).sum(), bins - 1


@np.vectorize
def p_value(coverage, expected, count):
    """Of an observed coverage; 6e-5 is four standard errors, where those mean anything."""
    return scipy.stats.binomtest(round(coverage * count), count, expected).pvalue


@pytest.mark.parametrize("make", [gaussians, mixtures])
def test_right_forecasts_are_calibrated(make, rng):
    density = make(rng)
    truth = density.sample(1, rng)[0]
    result = Calibration.from_density(density, truth)
    count = truth[..., 0].size
    assert result.levels == LEVELS.tolist()
    assert (p_value(result.overall_coverage, LEVELS, count) > 6e-5).all()
    assert (p_value(result.coverage, LEVELS[:, None], count // SHAPE[1]) > 1e-5).all()
    # x and y of a mixture's component go together; if they were equal, all counts of n PIT values
    # would be twice those of n / 2 independent ones, and chi-square twice as large. Not more.
    statistic, freedom = chi_square(result.overall_pit_histogram, 2 * count)
    assert scipy.stats.chi2.sf(statistic / (1 if make is gaussians else 2), freedom) > 1e-4
    np.testing.assert_allclose(result.sharpness_per_step, result.rmse_per_step, rtol=0.15)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_wrong_sizes_give_the_coverage_that_they_must(factor, rng):
    density = gaussians(rng)
    truth = density.sample(1, rng)[0]
    count = truth[..., 0].size
    result = Calibration.from_density(resized(density, factor), truth)
    # 1 - exp(-m**2 / 2) with m the distance in forecast standard deviations.
    expected = 1 - (1 - LEVELS) ** (factor**2)
    assert (p_value(result.overall_coverage, expected, count) > 6e-5).all()
    assert (p_value(result.overall_coverage, LEVELS, count) < 1e-12).all()
    statistic, freedom = chi_square(result.overall_pit_histogram, 2 * count)
    assert scipy.stats.chi2.sf(statistic, freedom) < 1e-12
    histogram = np.array(result.overall_pit_histogram)
    edges, middle = histogram[[0, -1]].mean(), histogram[9:11].mean()
    assert edges > 2 * middle if factor < 1 else middle > 2 * edges
    ratio = np.array(result.sharpness_per_step) / result.rmse_per_step
    np.testing.assert_allclose(ratio, factor, rtol=0.15)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_mixtures_of_wrong_sizes_are_found_out(factor, rng):
    density = mixtures(rng)
    truth = density.sample(1, rng)[0]
    result = Calibration.from_density(resized(density, factor), truth)
    off = np.array(result.overall_coverage) - LEVELS
    # Standard errors are below 0.01.
    assert (off < -0.04).all() if factor < 1 else (off > 0.02).all()


def test_steps_are_kept_apart(rng):
    density = gaussians(rng)
    truth = density.sample(1, rng)[0]
    factors = np.array([1.0, 0.5, 2.0])[:, None, None, None, None]
    forecast = resized(density, factors)
    result = Calibration.from_density(forecast, truth)
    expected = 1 - (1 - LEVELS[:, None]) ** (factors.ravel() ** 2)
    assert (p_value(result.coverage, expected, truth[:, 0, :, 0].size) > 1e-5).all()
    assert result.crps_per_step == pytest.approx(forecast.crps(truth).mean(axis=(0, 2, 3)).tolist())
    assert result.nll_per_step == pytest.approx((-forecast.log_prob(truth).mean((0, 2))).tolist())
    for step, histogram in enumerate(result.pit_histogram):
        expected, _ = np.histogram(forecast.cdf(truth)[:, step], bins=20, range=(0, 1))
        assert histogram == pytest.approx((expected / expected.sum()).tolist())
    assert result.crps == pytest.approx(np.mean(result.crps_per_step))
    assert result.nll == pytest.approx(np.mean(result.nll_per_step))
    np.testing.assert_allclose(result.overall_pit_histogram, np.mean(result.pit_histogram, axis=0))
    np.testing.assert_allclose(result.overall_coverage, np.mean(result.coverage, axis=1))


def test_spread_and_error_are_those_of_hand_made_numbers():
    errors = np.array([[3.0, 4.0], [0.0, 1.0], [-6.0, 8.0]]).reshape(1, 1, 3, 2)
    variances = np.array([[1.0, 3.0], [2.0, 2.0], [10.0, 6.0]]).reshape(1, 1, 3, 1, 2, 1)
    density = PredictiveDensity(
        np.zeros((1, 1, 3, 1)), np.ones((1, 1, 3, 1, 2)), variances * np.eye(2)
    )
    result = Calibration.from_density(density, 1.0 + errors)
    assert result.rmse_per_step == pytest.approx([np.sqrt((25 + 1 + 100) / 6)])
    assert result.sharpness_per_step == pytest.approx([np.sqrt((4 + 4 + 16) / 6)])
    assert result.median_sharpness_per_step == pytest.approx([np.sqrt(2)])
    assert result.median_scaled_error_per_step == pytest.approx([5 / np.sqrt(2 * np.log(2))])


@pytest.mark.parametrize(("flat", "ratio"), [(False, 1.0), (True, 0.810)])
def test_median_error_of_right_forecasts_is_comparable_to_sigma(flat, ratio, rng):
    shape = (500, 1, 40)
    covariance = np.diag([1.8, 1e-12]) if flat else 0.9 * np.eye(2)
    density = PredictiveDensity(
        np.zeros((*shape, 1)), np.zeros((*shape, 1, 2)), np.tile(covariance, (*shape, 1, 1, 1))
    )
    result = Calibration.from_density(density, density.sample(1, rng)[0])
    assert result.median_sharpness_per_step == pytest.approx([np.sqrt(0.9)])
    # The median of 20 000 has a standard error of below 1 %.
    median = result.median_scaled_error_per_step[0]
    assert median / np.sqrt(0.9) == pytest.approx(ratio, rel=0.04)


def unit_gaussians(windows):
    return PredictiveDensity(
        np.zeros((windows, 1, 2, 1)),
        np.zeros((windows, 1, 2, 1, 2)),
        np.tile(np.eye(2), (windows, 1, 2, 1, 1, 1)),
    )


def test_simulations_are_kept_apart():
    # Within the 50 % region are both, one and no particle of windows 0, 1, 2 and one of window 3.
    distances = np.array([[0.1, 0.1], [0.1, 9.0], [9.0, 9.0], [9.0, 0.1]])
    truth = np.stack([distances, np.zeros((4, 2))], axis=-1)[:, None]
    result = Calibration.from_density(unit_gaussians(4), truth, simulations=[8, 2, 8, 2])
    assert result.coverage_per_simulation[0] == pytest.approx([0.5, 0.5])
    assert result.coverage_standard_error[0] == pytest.approx(0.0)
    result = Calibration.from_density(unit_gaussians(4), truth, simulations=[8, 8, 2, 2])
    assert result.coverage_per_simulation[0] == pytest.approx([0.25, 0.75])
    assert result.coverage_standard_error[0] == pytest.approx(0.25)  # 0.5 / sqrt(2) / sqrt(2)
    result = Calibration.from_density(unit_gaussians(4), truth, simulations=[1, 1, 1, 1])
    assert result.coverage_standard_error is None
    # Every window is a simulation of its own if nothing is known.
    result = Calibration.from_density(unit_gaussians(4), truth)
    spread = np.std([1.0, 0.5, 0.0, 0.5], ddof=1)
    assert result.coverage_standard_error[0] == pytest.approx(spread / 2)


def test_simulations_of_more_windows_weigh_more(rng):
    # Delete-one jackknife of the mean over all windows, an estimate made in another way.
    density = unit_gaussians(300)
    simulations = rng.integers(0, 40, 300)
    scale = rng.uniform(0.5, 2.0, 40)[simulations]  # windows of a simulation are alike
    truth = scale[:, None, None, None] * rng.normal(size=(300, 1, 2, 2))
    result = Calibration.from_density(density, truth, simulations)
    covered = (density.highest_density_level(truth) <= 0.5).mean(axis=(1, 2))
    means = np.array([covered[simulations != left].mean() for left in np.unique(simulations)])
    jackknife = np.sqrt((len(means) - 1) * means.var())
    assert result.coverage_standard_error[0] == pytest.approx(jackknife, rel=0.05)


@pytest.mark.parametrize("at_once", [1, 7 * 3 * 20])
def test_parts_that_are_worked_through_do_not_matter(at_once, rng, monkeypatch):
    density = gaussians(rng)
    truth = density.sample(1, rng)[0]
    whole = dataclasses.asdict(Calibration.from_density(density, truth))
    monkeypatch.setattr(calibration, "COMPONENTS_AT_ONCE", at_once)
    parts = dataclasses.asdict(Calibration.from_density(density, truth))
    for name, values in whole.items():
        np.testing.assert_allclose(parts[name], values, rtol=1e-12, err_msg=name)


def test_mixtures_depend_on_the_seed_only(rng):
    density = mixtures(rng, (4, 2, 3))
    truth = density.sample(1, rng)[0]
    one = Calibration.from_density(density, truth, seed=1)
    assert Calibration.from_density(density, truth, seed=1) == one


def test_far_truth_gives_finite_numbers():
    density = resized(unit_gaussians(2), 1e-4)
    result = Calibration.from_density(density, np.full((2, 1, 2, 2), 1.0))  # 10 000 sigmas away
    assert result.overall_coverage == [0.0] * 3
    assert result.overall_pit_histogram == [0.0] * 19 + [1.0]
    assert result.nll == pytest.approx(1e8, rel=1e-6)
    assert result.crps == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("windows", [1, 3])
def test_calibration_is_json_and_reads_back_equal(windows, rng):
    density = mixtures(rng, (windows, 2, 3))
    result = Calibration.from_density(density, density.sample(1, rng)[0])
    text = json.dumps(dataclasses.asdict(result), allow_nan=False)
    assert Calibration(**json.loads(text)) == result


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truth": np.zeros((2, 1, 2, 4))}, "truth: expected positions .* found shape"),
        ({"truth": np.zeros((2, 2, 2))}, "truth: expected positions"),
        ({"truth": np.full((2, 1, 2, 2), np.nan)}, "truth: expected finite numbers, found 8 of 8"),
        ({"density": unit_gaussians(3)}, r"density: expected leading axes \(2, 1, 2\), found \(3"),
        ({"simulations": [0]}, r"simulations: expected shape \(2,\), found \(1,\)"),
    ],
)
def test_wrong_arrays_are_refused(changes, message):
    arguments = {"density": unit_gaussians(2), "truth": np.zeros((2, 1, 2, 2)), **changes}
    with pytest.raises(ValueError, match=message):
        Calibration.from_density(**arguments)


def test_in_space_gaussians_of_the_right_width_are_calibrated(rng):
    truth = rng.normal(size=(300, 2, 10, 3))
    density = PredictiveDensity(
        np.zeros((300, 2, 10, 1)),
        np.zeros((300, 2, 10, 1, 3)),
        np.broadcast_to(np.eye(3), (300, 2, 10, 1, 3, 3)),
    )
    found = Calibration.from_density(density, truth)
    np.testing.assert_allclose(found.overall_coverage, found.levels, atol=0.02)
    np.testing.assert_allclose(found.median_scaled_error_per_step, 1.0, atol=0.05)
    np.testing.assert_allclose(found.rmse_per_step, 1.0, atol=0.05)
    np.testing.assert_allclose(found.sharpness_per_step, 1.0)
