"""Futures too close to each other, or too far: how much, and what the model does about it."""

import keras
import numpy as np
import pytest

from socialmd.models import forecast_model
from socialmd.models.fit_spread_factors import fit_spread_factors, spread_about_mean
from socialmd.models.recalibration import scale_spread
from tests.tiny_models import tiny_inputs, tiny_model

STEPS = 3


@pytest.mark.parametrize("dims", [2, 3])
def test_factors_are_those_by_which_futures_were_too_narrow(rng, dims):
    shape = (200, STEPS, 5, dims)
    scales = 10.0 ** rng.uniform(-6, 0, size=(200, STEPS, 5, 1))  # as those of particles differ
    futures, truth = scales * rng.normal(size=(40, *shape)), scales * rng.normal(size=shape)
    true = np.array([0.5, 1.0, 3.0])
    found = fit_spread_factors(futures / true[:, None, None], truth)
    np.testing.assert_allclose(found, true, rtol=0.08)  # 1000 particles each


def test_factors_are_a_smooth_curve_over_steps(rng):
    futures, truth = rng.normal(size=(10, 4, 30, 2, 2)), rng.normal(size=(4, 30, 2, 2))
    bends = np.diff(np.log(fit_spread_factors(futures, truth)), n=2)
    assert np.abs(bends[4:]).max() < 0.05  # of factors as they are found: 0.7 and more


def test_scaling_keeps_the_mean_and_multiplies_what_is_off_it(rng):
    futures = rng.normal(size=(4, 2, STEPS, 5, 2))
    scaled = spread_about_mean(futures, np.array([1.0, 2.0, 0.5]))
    np.testing.assert_allclose(scaled.mean(0), futures.mean(0), atol=1e-6)
    ratios = scaled.std(0) / futures.std(0)
    np.testing.assert_allclose(ratios.mean(axis=(0, 2, 3)), [1.0, 2.0, 0.5], rtol=1e-5)


@pytest.mark.parametrize(
    ("futures", "truth", "message"),
    [
        (np.zeros((1, 2, 3, 4, 2)), np.zeros((2, 3, 4, 2)), "futures: expected .*at least 2"),
        (np.zeros((5, 2, 3, 4, 2)), np.zeros((2, 3, 5, 2)), r"found shapes \(5, 2, 3, 4, 2\) and"),
        (np.full((5, 2, 3, 4, 2), np.nan), np.zeros((2, 3, 4, 2)), "expected finite numbers"),
    ],
)
def test_what_does_not_fit_is_refused(futures, truth, message):
    with pytest.raises(ValueError, match=message):
        fit_spread_factors(futures, truth)


def conditional_model(rng):
    model = tiny_model(rng, prediction="displacement")
    model.densities = ("conditional",)
    return model


def test_a_model_keeps_its_factors_and_rollout_applies_them_when_asked(rng, tmp_path):
    model, inputs = conditional_model(rng), tiny_inputs(rng, batch=8)
    drawn, _ = model.rollout(inputs, feedback="sample", num_samples=1, seed=99)
    drawn = np.asarray(drawn)
    before, _ = model.rollout(inputs, feedback="sample", num_samples=40, seed=3)
    centre = np.asarray(before).mean(axis=0)
    model.recalibrate([(inputs[:4], (centre + 2 * (drawn[0] - centre))[:4])])
    assert np.all(model.spread_factors > 1.2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(again.spread_factors, model.spread_factors)

    how = {"feedback": "sample", "num_samples": 5, "seed": 1}
    plain, parameters = map(np.asarray, again.rollout(inputs, STEPS + 2, **how))
    asked, same = map(np.asarray, again.rollout(inputs, STEPS + 2, recalibrated=True, **how))
    np.testing.assert_array_equal(parameters, same)
    np.testing.assert_allclose(asked, scale_spread(again, plain), atol=1e-6)
    ratio = (asked.std(0) / plain.std(0)).mean(axis=(0, 2, 3))
    factors = model.spread_factors[[0, 1, 2, 2, 2]]  # beyond T' the last
    np.testing.assert_allclose(ratio, factors, rtol=1e-4)


def test_padded_particles_have_no_effect(rng):
    inputs = tiny_inputs(rng, batch=6)
    truth = rng.normal(size=(6, STEPS, 4, 2)).astype("float32")
    models = [conditional_model(np.random.default_rng(0)) for _ in range(2)]
    models[0].recalibrate([(inputs, truth)])
    wide = np.concatenate([inputs, 9.0 + inputs[:, :, :1]], axis=2)
    mask = np.array([[True] * 4 + [False]] * 6)
    padded = np.concatenate([truth, np.full((6, STEPS, 1, 2), 1e3, "float32")], axis=2)
    models[1].recalibrate([({"inputs": wide, "mask": mask}, padded)])
    # Others are drawn where shapes differ.
    ratio = models[0].spread_factors / models[1].spread_factors
    np.testing.assert_allclose(ratio, 1.0, atol=0.25)


@pytest.mark.parametrize("particles_at_once", [8192, 1])
def test_futures_are_drawn_for_windows_that_are_spread_evenly(rng, monkeypatch, particles_at_once):
    """Eight windows in two batches, of which three are wanted."""
    monkeypatch.setattr(forecast_model, "MAX_WINDOWS", 3)
    monkeypatch.setattr(forecast_model, "PARTICLES_TO_CALIBRATE", particles_at_once)
    model, inputs = conditional_model(rng), tiny_inputs(rng, batch=8)
    truth = np.asarray(model.rollout(inputs)[0])
    roll_out, pasts = type(model)._roll_out_together, []

    def watched(self, inputs, steps, feedback, seed, num_samples):
        if num_samples:
            pasts.append(np.asarray(inputs))
        return roll_out(self, inputs, steps, feedback, seed, num_samples)

    monkeypatch.setattr(type(model), "_roll_out_together", watched)
    model.recalibrate([(inputs[:4], truth[:4]), (inputs[4:], truth[4:])])
    np.testing.assert_array_equal(np.concatenate(pasts), inputs[[0, 4, 7]])
    assert [len(each) for each in pasts] == ([1, 2] if particles_at_once > 1 else [1, 1, 1])


def test_a_draw_that_is_infinite_is_refused(rng):
    """Even the last one, after which there are no parameters that would tell."""
    model, inputs = conditional_model(rng), tiny_inputs(rng, batch=2)
    positions, parameters = model.rollout(inputs, feedback="sample", seed=1)
    broken = np.array(positions)
    broken[0, -1, 0, 0] = np.inf
    model._compiled_loop = lambda *_: (broken, parameters)
    with pytest.raises(FloatingPointError, match="the forecast became infinite within 3 steps"):
        model.rollout(inputs, feedback="sample", seed=1)


def test_marginal_densities_have_none(rng):
    model, inputs = tiny_model(rng, prediction="displacement"), tiny_inputs(rng, batch=4)
    model.densities = ("marginal",)
    model.spread_factors = np.ones(3, "float32")  # of densities that it held before
    model.recalibrate([(inputs, np.asarray(model.rollout(inputs)[0]))])
    assert model.spread_factors is None


def test_futures_that_become_infinite_are_told_and_lose_nothing(rng, monkeypatch):
    model, inputs = conditional_model(rng), tiny_inputs(rng, batch=4)
    truth = np.asarray(model.rollout(inputs)[0]) + 0.1
    roll_out = type(model)._roll_out_together

    def diverging(self, *args):
        if args[-1]:
            raise FloatingPointError("the forecast became infinite within 3 steps")
        return roll_out(self, *args)

    monkeypatch.setattr(type(model), "_roll_out_together", diverging)
    with pytest.warns(UserWarning, match="futures are left as drawn, since the forecast became"):
        model.recalibrate([(inputs, truth)])
    assert model.spread_factors is None
    assert not np.allclose(model.sigma_factors, 1.0)
