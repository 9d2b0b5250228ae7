import numpy as np
import pytest
import scoringrules
from scipy import stats

from socialmd.evaluation import Calibration, PredictiveDensity
from socialmd.evaluation.ranks import ensemble_crps, rank_levels, rank_transforms


def draw(rng, count, *shape, scale=1.0):
    """Samples of a correlated Gaussian."""
    noise = rng.normal(scale=scale, size=(count, *shape, 2))
    return np.stack([noise[..., 0], 0.6 * noise[..., 0] + 0.8 * noise[..., 1]], axis=-1)


def test_hand_placed_points(rng):
    samples = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    # In the middle: every sample is further out. Far away: none is.
    levels = [rank_levels(samples, np.array(x), rng) for x in ([0.05, 0.05], [9.0, 9.0])]
    assert 0.0 <= levels[0] < 2 / 5  # only [0, 0] can be as central
    assert 4 / 5 <= levels[1] < 1.0
    pit = rank_transforms(samples, np.array([0.5, -2.0]), rng)
    assert 3 / 5 <= pit[0] < 4 / 5  # three of four samples are smaller
    assert 0.0 <= pit[1] < 1 / 5


@pytest.mark.parametrize("count", [2, 7, 30])
def test_ranks_of_one_more_sample_are_uniform_however_few_there_are(rng, count):
    points = draw(rng, count + 1, 4000)
    levels = rank_levels(points[1:], points[0], rng)
    assert stats.kstest(levels, "uniform").pvalue > 1e-4
    for coordinate in np.moveaxis(rank_transforms(points[1:], points[0], rng), -1, 0):
        assert stats.kstest(coordinate, "uniform").pvalue > 1e-4


def test_samples_that_spread_too_little_leave_the_truth_outside(rng):
    truth, samples = draw(rng, 1, 2000)[0], draw(rng, 20, 2000, scale=0.5)
    assert (rank_levels(samples, truth, rng) <= 0.8).mean() < 0.5
    wide = draw(rng, 20, 2000, scale=2.0)
    assert (rank_levels(wide, truth, rng) <= 0.8).mean() > 0.95


def test_levels_equal_a_loop_over_all_pairs(rng):
    samples, truth = draw(rng, 5, 3), draw(rng, 1, 3)[0]
    levels = rank_levels(samples, truth, np.random.default_rng(0))
    spread = np.random.default_rng(0).random(3)
    for case in range(3):
        points = [truth[case], *samples[:, case]]
        totals = [sum(np.linalg.norm(a - b) for b in points) for a in points]
        further_in = sum(total < totals[0] for total in totals[1:])
        assert levels[case] == pytest.approx((further_in + spread[case]) / 6)


def test_calibration_from_samples_takes_its_coverage_from_ranks(rng):
    """The average of few densities is too narrow; ranks are right all the same."""
    shape, count = (40, 2, 25), 4
    # Histories: where the next position is centred. Their density of the next step is narrow.
    centers = rng.normal(size=(count + 1, *shape, 2))
    points = centers + 0.05 * rng.normal(size=centers.shape)
    truth, samples = points[0], points[1:]
    density = PredictiveDensity.from_samples(
        np.zeros((count, *shape, 1)),
        centers[1:, ..., None, :],
        np.broadcast_to(0.05**2 * np.eye(2), (count, *shape, 1, 2, 2)),
    )
    by_density = Calibration.from_density(density, truth)
    by_rank = Calibration.from_density(density, truth, samples=samples)
    assert by_density.overall_coverage[1] < 0.2
    error = np.sqrt(0.8 * 0.2 / 2000)
    assert by_rank.overall_coverage[1] == pytest.approx(0.8, abs=5 * error)
    assert np.allclose(by_rank.overall_pit_histogram, 1 / 20, atol=5 * np.sqrt(0.05 / 4000))
    assert by_rank.nll == by_density.nll
    assert by_rank.crps == pytest.approx(ensemble_crps(samples, truth).mean())
    with pytest.raises(ValueError, match=r"samples: expected shape \(samples, 40, 2, 25, 2\)"):
        Calibration.from_density(density, truth, samples=samples[0])


@pytest.mark.parametrize("count", [2, 7])
def test_crps_is_the_fair_one_of_scoringrules(rng, count):
    samples, truth = draw(rng, count, 3, 4), draw(rng, 1, 3, 4)[0]
    expected = scoringrules.crps_ensemble(truth, np.moveaxis(samples, 0, -1), estimator="fair")
    np.testing.assert_allclose(ensemble_crps(samples, truth), expected, atol=1e-12)
