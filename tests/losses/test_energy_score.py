"""The energy score against `scoringrules`, loops, and what a proper score has to be."""

import keras
import numpy as np
import pytest
import scoringrules
import tensorflow as tf

from socialmd.losses import EnergyScore


@pytest.fixture
def forecast(rng):
    """Truth [B, T', N, D] and futures [B, T', N, M, D]."""
    truth = rng.normal(size=(2, 3, 4, 2)).astype("float32")
    return truth, rng.normal(size=(2, 3, 4, 5, 2)).astype("float32")


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("count", [2, 4, 7])
@pytest.mark.parametrize("fairness", [0.0, 0.7, 1.0])
def test_it_is_between_the_plain_and_the_fair_score_of_scoringrules(rng, dims, count, fairness):
    truth, futures = rng.normal(size=(6, 1, 3, dims)), rng.normal(size=(6, 1, 3, count, dims))
    plain, fair = (
        scoringrules.es_ensemble(truth, futures, estimator=estimator)
        for estimator in ("nrg", "fair")
    )
    score = EnergyScore(fairness=fairness).call(tf.constant(truth), tf.constant(futures))
    expected = fairness * fair + (1 - fairness) * plain
    np.testing.assert_allclose(score, expected, rtol=1e-5, atol=1e-9)


def test_in_one_dimension_it_is_the_crps(rng):
    truth, futures = rng.normal(size=(5, 1, 2, 1)), rng.normal(size=(5, 1, 2, 4, 1))
    expected = scoringrules.crps_ensemble(truth[..., 0], futures[..., 0], estimator="fair")
    score = EnergyScore().call(tf.constant(truth), tf.constant(futures))
    np.testing.assert_allclose(score, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("exponents", [(0.5,), (0.25, 1.0)])
def test_any_exponents_against_loops(forecast, exponents):
    truth, futures = forecast
    score = np.asarray(EnergyScore(exponents).call(tf.constant(truth), tf.constant(futures)))

    def kernel(difference):
        return np.mean([np.linalg.norm(difference) ** beta for beta in exponents])

    for index in np.ndindex(truth.shape[:3]):
        x, drawn = truth[index], futures[index]
        error = np.mean([kernel(each - x) for each in drawn])
        pairs = [kernel(a - b) for a in drawn for b in drawn if a is not b]
        assert score[index] == pytest.approx(error - sum(pairs) / (2 * 5 * 4), abs=1e-5)


@pytest.mark.parametrize("exponents", [(1.0,), (0.5,), (0.25, 1.0)])
def test_no_other_spread_scores_better_than_the_true_one(rng, exponents):
    """Whatever M is: the plain score of few futures asks for narrower ones."""
    truth = rng.normal(size=(200_000, 1, 1, 2))
    futures = rng.normal(size=(200_000, 1, 1, 2, 2))
    spreads = [0.7, 0.85, 1.0, 1.15, 1.3]
    scores = [float(EnergyScore(exponents)(truth, spread * futures)) for spread in spreads]
    assert np.argmin(scores) == 2


def test_weights_leave_particles_out(forecast):
    truth, futures = forecast
    weights = np.ones((2, 3, 4), "float32")
    weights[:, :, 3] = 0.0
    alone = float(EnergyScore()(truth[:, :, :3], futures[:, :, :3]))
    assert float(EnergyScore()(truth, futures, weights)) == pytest.approx(alone, rel=1e-5)


def test_gradient_is_finite_where_futures_coincide_and_hit(forecast):
    truth, _ = forecast
    futures = tf.constant(np.repeat(truth[..., None, :], 4, axis=-2))
    with tf.GradientTape() as tape:
        tape.watch(futures)
        score = EnergyScore()(truth, futures)
    assert np.isfinite(tape.gradient(score, futures)).all()


def test_survives_serialization(forecast):
    loss = EnergyScore([0.25, 1.0], fairness=0.7)
    copy = keras.losses.deserialize(keras.losses.serialize(loss))
    assert isinstance(copy, EnergyScore)
    assert copy(*forecast) == loss(*forecast)


def test_what_is_no_score_is_refused(forecast):
    truth, futures = forecast
    for exponents in ([0.5, 0.0], [2.0], []):
        with pytest.raises(ValueError, match="exponents: expected each more than 0 and less than"):
            EnergyScore(exponents)
    with pytest.raises(ValueError, match=r"fairness: expected 0 to 1, found 1.5"):
        EnergyScore(fairness=1.5)
    with pytest.raises(ValueError, match=r"y_pred: expected futures .*M of at least 2, found"):
        EnergyScore()(truth, futures[..., :1, :])
    with pytest.raises(ValueError, match=r"y_pred: expected futures .*found shape"):
        EnergyScore()(truth, futures[..., 0, :])
