import dataclasses
import json

import numpy as np
import pytest

from socialmd.evaluation import SampleMetrics


def test_energy_score_is_that_of_loops(rng):
    samples, truth = rng.normal(size=(4, 2, 3, 5, 2)), rng.normal(size=(2, 3, 5, 2))
    expected = np.zeros(3)
    for window, step, particle in np.ndindex(2, 3, 5):
        drawn, x = samples[:, window, step, particle], truth[window, step, particle]
        error = sum(np.linalg.norm(drawn[s] - x) for s in range(4)) / 4
        spread = sum(np.linalg.norm(drawn[r] - drawn[s]) for r in range(4) for s in range(4))
        expected[step] += (error - 0.5 * spread / (4 * 3)) / (2 * 5)
    metrics = SampleMetrics.from_samples(samples, truth)
    assert metrics.num_samples == 4
    assert metrics.energy_score_per_step == pytest.approx(expected.tolist())
    assert metrics.energy_score == pytest.approx(expected.mean())


@pytest.mark.parametrize("count", [2, 3, 10])
def test_energy_score_does_not_depend_on_the_number_of_samples(count, rng):
    sigma, shape = 0.7, (40, 5, 100, 2)
    metrics = SampleMetrics.from_samples(rng.normal(0, sigma, (count, *shape)), np.zeros(shape))
    # E|X| = sigma sqrt(pi / 2), and X - X' is sqrt(2) times as wide.
    expected = sigma * np.sqrt(np.pi / 2) * (1 - 0.5 * np.sqrt(2))
    # One of the 20 000 scores has a standard deviation below 0.7 sigma: five standard errors.
    assert metrics.energy_score == pytest.approx(expected, abs=5 * 0.7 * sigma / np.sqrt(20_000))


def test_energy_score_prefers_the_right_spread(rng):
    shape = (40, 5, 50, 2)
    truth, noise = rng.normal(size=shape), rng.normal(size=(8, *shape))
    score = {
        sigma: SampleMetrics.from_samples(sigma * noise, truth).energy_score
        for sigma in (0.5, 1.0, 2.0)
    }
    assert score[1.0] < min(score[0.5], score[2.0])


def test_hand_made_samples_give_the_expected_numbers():
    # Distances of two samples, two steps and two particles of one window from the truth.
    distances = np.array([[[1.0, 5.0], [3.0, 1.0]], [[2.0, 4.0], [0.0, 6.0]]])
    samples = np.stack([0.6 * distances, -0.8 * distances], axis=-1)[:, None]  # [S, W, T', N, 2]
    metrics = SampleMetrics.from_samples(samples, np.zeros((1, 2, 2, 2)))
    assert metrics.ade == pytest.approx(22 / 8)
    assert metrics.fde == pytest.approx(10 / 4)
    # Means over steps: (2, 3) and (1, 5). The first particle's best sample is the second one.
    assert metrics.best_ade == pytest.approx((1 + 3) / 2)
    assert metrics.best_fde == pytest.approx((0 + 1) / 2)
    assert metrics.ade_of_mean == pytest.approx((1.5 + 4.5 + 1.5 + 3.5) / 4)
    assert metrics.fde_of_mean == pytest.approx((1.5 + 3.5) / 2)
    assert metrics.mae_of_median == pytest.approx((1.5 + 4.5 + 1.5 + 3.5) / 4 * 0.7)
    spread = (1 + 1 + 3 + 5) / 4  # on a line, distances of pairs are differences
    assert metrics.energy_score == pytest.approx(22 / 8 - spread / 2)


def test_equal_samples_are_a_point_forecast(rng):
    truth, forecast = rng.normal(size=(2, 2, 3, 4, 2))
    metrics = SampleMetrics.from_samples(np.stack([forecast] * 3), truth)
    distances = np.linalg.norm(forecast - truth, axis=-1)
    for value in (metrics.ade, metrics.best_ade, metrics.ade_of_mean, metrics.energy_score):
        assert value == pytest.approx(distances.mean())
    for value in (metrics.fde, metrics.best_fde, metrics.fde_of_mean):
        assert value == pytest.approx(distances[:, -1].mean())


def test_order_of_samples_and_place_of_the_origin_do_not_matter(rng):
    samples, truth = rng.normal(size=(5, 2, 3, 4, 2)), rng.normal(size=(2, 3, 4, 2))
    one = dataclasses.asdict(SampleMetrics.from_samples(samples, truth))
    other = dataclasses.asdict(SampleMetrics.from_samples(samples[::-1] + 3.0, truth + 3.0))
    for name, value in one.items():
        assert other[name] == pytest.approx(value), name


def test_metrics_are_json_and_read_back_equal(rng):
    metrics = SampleMetrics.from_samples(rng.normal(size=(3, 1, 2, 3, 2)), np.zeros((1, 2, 3, 2)))
    text = json.dumps(dataclasses.asdict(metrics), allow_nan=False)
    assert SampleMetrics(**json.loads(text)) == metrics


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truth": np.zeros((2, 3, 2))}, "truth: expected positions .* found shape"),
        (
            {"truth": np.full((1, 2, 3, 2), np.inf)},
            "truth: expected finite numbers, found 12 of 12",
        ),
        ({"samples": np.zeros((1, 1, 2, 3, 2))}, r"at least two samples, found \(1, 1, 2, 3, 2\)"),
        ({"samples": np.zeros((1, 2, 3, 2))}, r"samples: expected shape \(samples, 1, 2, 3, 2\)"),
        ({"samples": np.zeros((4, 1, 2, 2, 2))}, "samples: expected shape"),
        ({"samples": np.float64(0.0)}, r"samples: expected shape .* found \(\)"),
        ({"samples": np.full((2, 1, 2, 3, 2), np.nan)}, "samples: expected finite"),
    ],
)
def test_wrong_arrays_are_refused(changes, message):
    arrays = {"samples": np.zeros((2, 1, 2, 3, 2)), "truth": np.zeros((1, 2, 3, 2)), **changes}
    with pytest.raises(ValueError, match=message):
        SampleMetrics.from_samples(**arrays)


@pytest.mark.parametrize("count", [3, 20])
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_spread_by_skill_is_one_where_the_truth_could_be_one_more_sample(count, factor, rng):
    shape = (60, 2, 60, 2)
    samples, truth = factor * rng.normal(size=(count, *shape)), rng.normal(size=shape)
    found = SampleMetrics.from_samples(samples, truth).spread_skill_per_step
    expected = np.sqrt((count + 1) / count) * factor / np.sqrt(1 + factor**2 / count)
    # Of 7200 squares each: five standard errors of the truth's root mean square.
    assert found == pytest.approx([expected] * 2, rel=5 * np.sqrt(0.5 / 7200) * 1.5)
