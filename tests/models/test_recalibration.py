"""Factors on widths and on spreads of futures: known answers, and what models do with them."""

import keras
import numpy as np
import pytest

from socialmd import distributions
from socialmd.distributions import BivariateGaussian
from socialmd.models import recalibration
from socialmd.models.recalibration import (
    fit_sigma_factors,
    fit_spread_factors,
    scale_spread,
    spread_about_mean,
)
from socialmd.models.roll_out import roll_out_together
from tests import reference
from tests.tiny_models import tiny_inputs, tiny_model

STEPS = 3

# === Widths ===


def gaussian_parameters(rng, *shape):
    parts = [rng.normal(size=(*shape, 2)), rng.uniform(0.2, 2.0, size=(*shape, 2))]
    return np.concatenate([*parts, rng.uniform(-1.5, 1.5, size=(*shape, 1))], axis=-1)


def draw(parameters, factors, rng):
    """Truth whose standard deviations are `factors` [T'] times the predicted ones."""
    sigma = parameters[..., 2:4] * np.asarray(factors)[:, None, None]
    rho = np.tanh(parameters[..., 4])
    noise = rng.normal(size=sigma.shape)
    noise[..., 1] = rho * noise[..., 0] + np.sqrt(1 - rho**2) * noise[..., 1]
    return parameters[..., :2] + sigma * noise


def test_factors_of_one_gaussian_are_the_closed_form(rng):
    """d/ds of the likelihood vanishes at s**2 = mean(m**2) / 2, m the Mahalanobis distance."""
    parameters = gaussian_parameters(rng, 20, 3, 7)
    truth = draw(parameters, [0.3, 1.0, 4.0], rng)
    squared = np.empty((20, 3, 7))
    for index in np.ndindex(20, 3, 7):
        error = truth[index] - parameters[index][:2]
        covariance = reference.covariance_matrix(parameters[index])
        squared[index] = error @ np.linalg.solve(covariance, error)
    expected = np.sqrt(squared.mean(axis=(0, 2)) / 2)
    found = fit_sigma_factors(BivariateGaussian(), parameters, truth)
    np.testing.assert_allclose(found, expected, rtol=3e-3)


@pytest.mark.parametrize("name", ["mixture", "correlated_mixture"])
def test_factors_of_a_mixture_are_those_that_its_samples_were_drawn_with(rng, name):
    distribution = distributions.get(name)
    parameters = rng.normal(size=(300, 2, 5, distribution.parameter_size(3))).astype("float32")
    parameters = np.asarray(distribution.to_parameters(parameters, 0.0, 2.0, 1.0))
    factors = np.float32([0.5, 2.0])
    true = distribution.scale_sigma(parameters, factors[:, None, None])
    samples = distribution.from_parameters(true).sample(seed=distributions.stateless_seed(1, 2))
    found = fit_sigma_factors(distribution, parameters, np.asarray(samples))
    np.testing.assert_allclose(found, factors, rtol=0.06)  # 1500 samples each


def test_model_keeps_factors_of_sigma_and_applies_them_when_asked(rng, tmp_path):
    model = tiny_model(rng, prediction="displacement")
    inputs = tiny_inputs(rng, batch=16)
    _, parameters = model.rollout(inputs)
    before = np.asarray(parameters)
    truth = draw(before.astype(float), [0.5, 1.0, 3.0], rng)
    np.testing.assert_array_equal(model.sigma_factors, np.ones(3))
    model.recalibrate([(inputs[:9], truth[:9]), (inputs[9:], truth[9:])])
    factors = fit_sigma_factors(BivariateGaussian(), before, truth)
    np.testing.assert_allclose(model.sigma_factors, factors, rtol=1e-3)
    np.testing.assert_allclose(factors, [0.5, 1.0, 3.0], rtol=0.3)  # 64 truths each

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    unasked, asked = (
        np.asarray(loaded.rollout(inputs, 5, recalibrated=flag)[1]) for flag in (False, True)
    )
    np.testing.assert_allclose(unasked[:, :3], before, rtol=1e-4, atol=1e-6)
    expected = unasked.copy()  # beyond T' = 3 steps, the last factor
    expected[..., 2:4] *= np.concatenate([factors, factors[[2, 2]]])[:, None, None]
    np.testing.assert_allclose(asked, expected, rtol=1e-3, atol=1e-6)


def test_bad_densities_are_refused(rng):
    parameters = gaussian_parameters(rng, 2, 3, 4)
    with pytest.raises(ValueError, match=r"truth: expected .*found shapes \(2, 3, 3, 2\)"):
        fit_sigma_factors(BivariateGaussian(), parameters, np.zeros((2, 3, 3, 2)))
    with pytest.raises(ValueError, match="expected finite numbers"):
        fit_sigma_factors(BivariateGaussian(), parameters, np.full((2, 3, 4, 2), np.nan))
    with pytest.raises(ValueError, match="recalibrate: expected batches"):
        tiny_model(rng).recalibrate([])


# === Futures ===


@pytest.mark.parametrize("dims", [2, 3])
def test_spread_factors_are_those_by_which_futures_were_too_narrow(rng, dims):
    shape = (200, STEPS, 5, dims)
    scales = 10.0 ** rng.uniform(-6, 0, size=(200, STEPS, 5, 1))  # as those of particles differ
    futures, truth = scales * rng.normal(size=(40, *shape)), scales * rng.normal(size=shape)
    true = np.array([0.5, 1.0, 3.0])
    found = fit_spread_factors(futures / true[:, None, None], truth)
    np.testing.assert_allclose(found, true, rtol=0.08)  # 1000 particles each


def test_spread_factors_are_a_smooth_curve_over_steps(rng):
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
def test_bad_futures_are_refused(futures, truth, message):
    with pytest.raises(ValueError, match=message):
        fit_spread_factors(futures, truth)


def conditional_model(rng):
    model = tiny_model(rng, prediction="displacement")
    model.densities = ("conditional",)
    return model


def test_model_keeps_factors_of_spread_and_applies_them_when_asked(rng, tmp_path):
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
    monkeypatch.setattr(recalibration, "MAX_WINDOWS", 3)
    monkeypatch.setattr(recalibration, "PARTICLES_TO_CALIBRATE", particles_at_once)
    model, inputs = conditional_model(rng), tiny_inputs(rng, batch=8)
    truth = np.asarray(model.rollout(inputs)[0])
    pasts = []

    def watched(model, inputs, *args):
        pasts.append(np.asarray(inputs))
        return roll_out_together(model, inputs, *args)

    monkeypatch.setattr(recalibration, "roll_out_together", watched)
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

    def diverging(*_):
        raise FloatingPointError("the forecast became infinite within 3 steps")

    monkeypatch.setattr(recalibration, "roll_out_together", diverging)
    with pytest.warns(UserWarning, match="futures are left as drawn, since the forecast became"):
        model.recalibrate([(inputs, truth)])
    assert model.spread_factors is None
    assert not np.allclose(model.sigma_factors, 1.0)
