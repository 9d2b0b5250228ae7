import dataclasses
import json

import numpy as np
import pytest

from socialmd.evaluation import ForecastMetrics


def test_a_perfect_forecast_has_no_error(rng):
    truth = rng.normal(size=(3, 4, 5, 2))
    metrics = ForecastMetrics.from_arrays(truth, truth)
    assert metrics.mae == metrics.median_error == metrics.ade == metrics.fde == 0.0
    assert metrics.mae_per_step == metrics.median_error_per_step == [0.0] * 4
    assert metrics.mae_per_simulation == [0.0] * 3


def test_hand_made_errors_give_the_expected_numbers():
    truth = np.full((1, 2, 2, 2), 7.0)
    errors = [[[3.0, -4.0], [0.0, 0.0]], [[0.0, 1.0], [-6.0, 8.0]]]  # [T', N, 2]
    metrics = ForecastMetrics.from_arrays(truth, truth + errors)
    assert metrics.mae == pytest.approx((3 + 4 + 1 + 6 + 8) / 8)
    assert metrics.median_error == pytest.approx((1 + 3) / 2)  # of 0 0 0 1 3 4 6 8
    assert metrics.ade == pytest.approx((5 + 0 + 1 + 10) / 4)
    assert metrics.fde == pytest.approx((1 + 10) / 2)
    assert metrics.mae_per_step == pytest.approx([7 / 4, 15 / 4])
    assert metrics.median_error_per_step == pytest.approx([1.5, 3.5])


def test_normal_errors_give_the_moments_of_the_normal_distribution(rng):
    sigma, shape = 0.3, (200, 5, 50, 2)
    metrics = ForecastMetrics.from_arrays(np.zeros(shape), rng.normal(0, sigma, shape))
    # Standard errors are below sigma / sqrt(1e5) = 0.003 sigma: six of them.
    assert metrics.mae == pytest.approx(sigma * np.sqrt(2 / np.pi), rel=0.02)
    assert metrics.median_error == pytest.approx(sigma * 0.67449, rel=0.02)
    assert metrics.ade == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.02)


def test_likelihood_is_averaged_per_step_and_overall():
    truth = np.zeros((2, 2, 3, 2))
    log_probabilities = np.arange(12.0).reshape(2, 2, 3)
    metrics = ForecastMetrics.from_arrays(truth, truth, log_probabilities)
    assert metrics.nll == pytest.approx(-5.5)
    assert metrics.median_nll == pytest.approx(-5.5)
    assert metrics.nll_per_step == pytest.approx([-4.0, -7.0])  # 0 1 2 6 7 8 and 3 4 5 9 10 11
    assert metrics.median_nll_per_step == pytest.approx([-4.0, -7.0])


def test_a_forecast_that_is_no_density_has_no_likelihood():
    truth = np.zeros((1, 1, 1, 2))
    metrics = ForecastMetrics.from_arrays(truth, truth)
    assert metrics.nll is metrics.median_nll is None
    assert metrics.nll_per_step is metrics.median_nll_per_step is None


def test_windows_are_averaged_within_their_simulation():
    truth = np.zeros((4, 1, 1, 2))
    forecast = np.array([1.0, 3.0, 5.0, 9.0])[:, None, None, None] * np.ones((1, 1, 1, 2))
    metrics = ForecastMetrics.from_arrays(truth, forecast, simulations=[8, 2, 8, 8])
    assert metrics.mae_per_simulation == pytest.approx([3.0, 5.0])  # simulation 2, then 8


def test_errors_of_each_simulation_are_those_of_its_windows_alone(rng):
    truth, forecast = rng.normal(size=(2, 5, 3, 4, 2))
    simulations = np.array([1, 0, 1, 1, 0])
    metrics = ForecastMetrics.from_arrays(truth, forecast, simulations=simulations)
    alone = [
        ForecastMetrics.from_arrays(truth[simulations == s], forecast[simulations == s])
        for s in (0, 1)
    ]
    assert metrics.mae_per_simulation == pytest.approx([each.mae for each in alone])
    assert metrics.median_error_per_simulation == [each.median_error for each in alone]
    np.testing.assert_allclose(
        metrics.mae_per_simulation_and_step, [each.mae_per_step for each in alone]
    )


def test_order_of_windows_and_particles_does_not_matter(rng):
    truth, forecast = rng.normal(size=(2, 6, 4, 5, 2))
    windows, particles = rng.permutation(6), rng.permutation(5)
    one = ForecastMetrics.from_arrays(truth, forecast)
    other = ForecastMetrics.from_arrays(
        truth[windows][:, :, particles], forecast[windows][:, :, particles]
    )
    assert other.mae == pytest.approx(one.mae)
    assert other.fde == pytest.approx(one.fde)
    assert other.median_error_per_step == pytest.approx(one.median_error_per_step)


def test_metrics_are_json_and_read_back_equal(rng):
    truth, forecast = rng.normal(size=(2, 2, 3, 4, 2))
    metrics = ForecastMetrics.from_arrays(truth, forecast, np.ones((2, 3, 4)))
    text = json.dumps(dataclasses.asdict(metrics), allow_nan=False)
    assert ForecastMetrics(**json.loads(text)) == metrics


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truth": np.zeros((2, 3, 2))}, r"truth: expected positions .* found shape \(2, 3, 2\)"),
        ({"truth": np.zeros((1, 2, 3, 4))}, "truth: expected positions"),
        ({"truth": np.zeros((0, 2, 3, 2))}, "truth: expected positions"),
        ({"forecast": np.zeros((1, 1, 3, 2))}, r"forecast: expected shape \(1, 2, 3, 2\)"),
        ({"log_probabilities": np.zeros((1, 2))}, r"log_probabilities: expected shape \(1, 2, 3\)"),
        ({"simulations": [0, 1]}, r"simulations: expected shape \(1,\), found \(2,\)"),
        ({"forecast": np.full((1, 2, 3, 2), np.nan)}, "forecast: expected finite.* 12 of 12"),
        ({"log_probabilities": np.full((1, 2, 3), -np.inf)}, "log_probabilities: expected finite"),
    ],
)
def test_wrong_arrays_are_refused(changes, message):
    arrays = {"truth": np.zeros((1, 2, 3, 2)), "forecast": np.zeros((1, 2, 3, 2)), **changes}
    with pytest.raises(ValueError, match=message):
        ForecastMetrics.from_arrays(**arrays)
