"""A forecast in one call is that of the model, whatever form the past has."""

from pathlib import Path

import numpy as np
import pytest

import socialmd
from socialmd.models import load
from tests.tiny_models import tiny_inputs, tiny_model
from tests.world import EXPERIMENT

STEPS = 2


@pytest.fixture
def folder(rng, tmp_path):
    model = tiny_model(rng)
    model.recalibrate([(tiny_inputs(rng), tiny_inputs(rng)[:, :3, :, :2])])
    model.save_to_preset(tmp_path / "mine", socialmd.ExperimentConfig.model_validate(EXPERIMENT))
    return tmp_path / "mine"


def test_it_is_the_recalibrated_forecast_of_the_model(folder, rng):
    past, model = tiny_inputs(rng), load(folder)
    found = socialmd.forecast(past, folder, STEPS)
    positions, parameters = model.rollout(past, STEPS, recalibrated=True)
    np.testing.assert_array_equal(found.positions, positions)
    np.testing.assert_array_equal(found.parameters, parameters)
    covariance = model.distribution(parameters).covariance().numpy()
    expected = np.sqrt(np.trace(covariance, axis1=-2, axis2=-1) / 2)
    np.testing.assert_allclose(found.sigma, expected, rtol=1e-5)
    assert found.samples is None


def test_one_trajectory_is_a_batch_of_one(folder, rng):
    past = tiny_inputs(rng)
    whole = socialmd.forecast(past, folder, STEPS)
    alone = socialmd.forecast(past[1].tolist(), folder, STEPS)
    assert alone.positions.shape == (STEPS, 4, 2)
    assert alone.sigma.shape == (STEPS, 4)
    for one, many in zip(alone[:3], whole[:3], strict=True):
        np.testing.assert_allclose(one, many[1], rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:the model holds marginal densities")
def test_futures_are_drawn_on_demand(folder, rng):
    past = tiny_inputs(rng)
    samples = [
        socialmd.forecast(each, folder, STEPS, num_samples=3, seed=1).samples
        for each in (past, past, past[0])
    ]
    assert [each.shape for each in samples] == [(3, 2, STEPS, 4, 2)] * 2 + [(3, STEPS, 4, 2)]
    np.testing.assert_array_equal(samples[0], samples[1])
    assert np.ptp(samples[0], axis=0).min() > 0


def test_futures_are_recalibrated_where_that_is_possible(rng):
    model = load(Path(__file__).parents[1] / "versions/0.1.0/radial_filter")
    past = tiny_inputs(rng)
    for num_samples, recalibrated in ((3, True), (1, False)):
        found = socialmd.forecast(past, model, STEPS, num_samples, seed=1).samples
        expected, _ = model.rollout(past, STEPS, "sample", 1, num_samples, recalibrated)
        np.testing.assert_array_equal(found, expected)


def test_padded_particles_have_no_effect(folder, rng):
    past = tiny_inputs(rng)
    padded = np.pad(past, [(0, 0), (0, 0), (0, 1), (0, 0)])
    mask = np.ones((2, 5), bool)
    mask[:, 4] = False
    found = socialmd.forecast({"inputs": padded, "mask": mask}, folder, STEPS)
    expected = socialmd.forecast(past, folder, STEPS).positions
    np.testing.assert_allclose(found.positions[:, :, :4], expected, atol=1e-5)


def test_a_model_is_loaded_once_until_it_changes(folder, rng, monkeypatch):
    past, loads = tiny_inputs(rng)[0], []
    monkeypatch.setattr(
        "socialmd.models.one_call.load", lambda path: loads.append(path) or load(path)
    )
    first = socialmd.forecast(past, folder, STEPS)
    socialmd.forecast(past, str(folder), STEPS)
    assert len(loads) == 1
    model = load(folder)
    model.trainable_weights[0].assign_add(1.0 + model.trainable_weights[0])
    model.save_to_preset(folder)
    second = socialmd.forecast(past, folder, STEPS)
    assert len(loads) == 2
    assert (first.positions != second.positions).any()
    np.testing.assert_array_equal(socialmd.forecast(past, model, STEPS).sigma, second.sigma)


def test_a_past_of_another_shape_is_refused(folder, rng):
    with pytest.raises(ValueError, match="inputs: expected"):
        socialmd.forecast(tiny_inputs(rng)[0, 0], folder)
    with pytest.raises(FileNotFoundError, match="nothing: expected a path or the name"):
        socialmd.forecast(tiny_inputs(rng), "nothing")
