import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from socialmd.evaluation import ForecastMetrics, Verdict, comparison
from socialmd.evaluation.verdict import ErrorDifference

BASELINES = ("constant position", "constant velocity", "linear autoregression")
WIGGLE = 1 + 0.1 * np.array([0.3, -1.0, 0.5, 0.9, -0.7])  # mean 1, five simulations


def metrics(errors, factors=WIGGLE):
    """Of a forecast that is off by `errors` [T'] or [T', N], times a factor of each simulation."""
    errors = np.reshape(errors, (len(errors), -1))  # [T', N]
    forecast = np.multiply.outer(factors, errors)[..., None] * np.ones(2)  # [S, T', N, 2]
    return ForecastMetrics.from_arrays(np.zeros_like(forecast), forecast)


def verdict(model, **baselines):
    """Of "model", with `constant_velocity` as "constant velocity" and so on."""
    named = {name.replace("_", " "): each for name, each in baselines.items()}
    return Verdict.from_metrics({"model": model, **named}, "model", BASELINES)


def limits(errors, rival_errors):
    """The interval according to SciPy, in the verdict's words."""
    return "{:.3g} to {:.3g}".format(*stats.ttest_rel(errors, rival_errors).confidence_interval())


def test_interval_is_that_of_the_paired_t_test(rng):
    for count in (5, 8, 30):
        ours, theirs = rng.gamma(2.0, size=(2, count))
        difference = ErrorDifference.from_errors(ours, theirs, "rival")
        expected = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
        np.testing.assert_allclose(difference.interval, expected, rtol=1e-9)
        assert (difference.error, difference.rival_error) == (ours.mean(), theirs.mean())


def test_where_there_is_no_difference_one_verdict_of_twenty_sees_one(rng):
    pairs = rng.normal(size=(2000, 2, 6))
    outcomes = [ErrorDifference.from_errors(*pair, "rival").outcome for pair in pairs]
    wrong = len(pairs) - outcomes.count("cannot be told")
    assert stats.binomtest(wrong, len(pairs), 0.05).pvalue > 1e-3
    assert outcomes.count("lower") > 0.3 * wrong
    assert outcomes.count("higher") > 0.3 * wrong


def test_a_model_that_beats_every_baseline():
    found = verdict(
        metrics([0.1, 0.2]),
        constant_position=metrics([0.9, 0.9]),
        constant_velocity=metrics([0.2, 0.6]),
        linear_autoregression=metrics([0.3, 0.4]),
    )
    assert found.overall.rival == "linear autoregression"
    assert found.sentence == (
        "model beats linear autoregression, the best baseline: MAE 0.15 against 0.35, 0.43 times "
        f"as large (95 % interval of the difference over 5 simulations: "
        f"{limits(0.15 * WIGGLE, 0.35 * WIGGLE)}). By step, against the best baseline at each: "
        "better than constant velocity at step 1, better than linear autoregression at step 2."
    )


def test_a_model_that_beats_constant_velocity_only_is_not_to_be_used():
    found = verdict(
        metrics([0.86, 0.86]),
        constant_velocity=metrics([3.0, 3.0]),
        linear_autoregression=metrics([0.01, 0.01]),
    )
    assert found.sentence == (
        "model does not beat linear autoregression, the best baseline: do not use it. MAE 0.86 "
        "against 0.01, 86 times as large (95 % interval of the difference over 5 simulations: "
        f"{limits(0.86 * WIGGLE, 0.01 * WIGGLE)}). By step, against the best baseline at each: "
        "behind linear autoregression at steps 1 to 2."
    )


def test_what_cannot_be_told():
    other = 0.01 * np.array([1.0, -1.0, 1.0, -1.0, 0.5])  # of either sign, from 0.005 on average
    found = verdict(metrics([1.0, 1.0]), constant_velocity=metrics([1.0, 1.0], WIGGLE + other))
    assert found.overall.interval[0] < 0 < found.overall.interval[1]
    assert found.sentence == (
        "It cannot be told whether model beats constant velocity, the best baseline: MAE 1 against "
        "1.001, 1.00 times as large (95 % interval of the difference over 5 simulations: "
        f"{limits(WIGGLE, WIGGLE + other)}). By step, against the best baseline at each: not "
        "clearly better or worse than constant velocity at steps 1 to 2."
    )


@pytest.mark.parametrize("ours", [0.1, 0.8])
@pytest.mark.parametrize(("count", "which"), [(1, "1 simulation is"), (4, "4 simulations are")])
def test_few_simulations_are_too_few_to_tell(ours, count, which):
    found = verdict(
        metrics([ours], np.ones(count)), constant_velocity=metrics([0.4], np.ones(count))
    )
    assert found.overall.interval is None
    assert found.sentence == (
        f"{which} too few to tell whether model beats constant velocity, the best baseline: MAE "
        f"{ours} against 0.4, {ours / 0.4:.2f} times as large."
    )


def test_steps_are_told_apart():
    steps = np.arange(1.0, 10)
    behind = [1, 2, 5]
    model = np.where(np.isin(steps, behind), 0.8, 0.1)
    unclear = WIGGLE[:, None] * model
    unclear[:, 6] = 0.5 + 0.1 * np.array([1, -1, 1, -1, 0])  # step 7
    truth = np.zeros((5, 9, 1, 2))
    ours = ForecastMetrics.from_arrays(truth, truth + unclear[:, :, None, None])
    found = verdict(
        ours,
        constant_velocity=metrics(np.where(steps < 9, 0.5, 0.9)),
        linear_autoregression=metrics(np.where(steps < 9, 0.9, 0.5)),
    )
    assert [each.rival for each in found.by_step] == [*["constant velocity"] * 8, BASELINES[2]]
    assert found.sentence.endswith(
        "By step, against the best baseline at each: behind constant velocity at steps 1 to 2 and "
        "5, better than constant velocity at steps 3 to 4, 6 and 8, not clearly better or worse "
        "than constant velocity at step 7, better than linear autoregression at step 9."
    )


def test_a_median_error_that_tells_another_story_is_mentioned():
    """Few particles of large error make the mean; the others make the median."""
    wild, calm = metrics([[0.1, 0.1, 9.0]]), metrics([[0.3, 0.3, 0.3]])
    story = "The median error of a simulation tells another story, "
    found = verdict(wild, constant_velocity=calm, constant_position=metrics([[1.0, 0.2, 8.0]]))
    assert "model does not beat constant velocity, the best baseline: do not use" in found.sentence
    assert f"{story}better than constant velocity: 0.1 against 0.3, 0.33 times" in found.sentence
    found = verdict(calm, constant_velocity=wild)
    assert found.sentence.startswith("model beats constant velocity")
    assert f"{story}behind constant velocity: 0.3 against 0.1, 3.00 times" in found.sentence
    assert story not in verdict(calm, constant_velocity=metrics([[9.0, 9.0, 9.0]])).sentence


def test_who_knows_the_law_is_no_baseline():
    """Neither praise nor blame comes from it."""
    law, velocity, model = metrics([0.001]), metrics([0.4]), metrics([0.1])
    named = {"model": model, "constant velocity": velocity, "known law": law}
    found = Verdict.from_metrics(named, "model", BASELINES)
    assert found == verdict(model, constant_velocity=velocity)
    assert "law" not in found.sentence
    named["known law"] = metrics([0.3])  # worse than the model, which does not beat anything else
    named["constant velocity"] = metrics([0.05])
    assert "do not use it" in Verdict.from_metrics(named, "model", BASELINES).sentence
    with pytest.raises(ValueError, match="baselines: expected some of model, known law, found"):
        Verdict.from_metrics({"model": model, "known law": law}, "model", BASELINES)


def test_models_are_compared_with_each_other_likewise():
    named = {"large": metrics([0.1, 0.1]), "small": metrics([0.4, 0.4])}
    assert comparison(named, "large", "small") == (
        "large beats small: MAE 0.1 against 0.4, 0.25 times as large (95 % interval of the "
        f"difference over 5 simulations: {limits(0.1 * WIGGLE, 0.4 * WIGGLE)})."
    )
    assert comparison(named, "small", "large").startswith("small does not beat large: MAE 0.4 ")
    assert "cannot be told whether large beats large" in comparison(named, "large", "large")


def test_an_exact_baseline_has_no_ratio():
    found = verdict(metrics([0.1]), constant_velocity=metrics([0.0]))
    assert "MAE 0.1 against 0 (95 %" in found.sentence


def test_verdicts_are_json():
    for count in (2, 5):
        model, exact = (metrics([error], np.ones(count)) for error in (0.2, 0.0))
        table = dataclasses.asdict(verdict(model, constant_velocity=exact))
        read = json.loads(json.dumps(table, allow_nan=False))
        assert read.keys() == {"overall", "median", "by_step", "sentence"}
        assert read["by_step"][0]["rival"] == "constant velocity"


def test_other_simulations_are_refused():
    with pytest.raises(ValueError, match="constant velocity: expected 5 simulations, found 2"):
        verdict(metrics([0.1]), constant_velocity=metrics([0.1], np.ones(2)))
