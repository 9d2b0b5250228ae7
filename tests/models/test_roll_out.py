"""Forecasts of more windows than are rolled out together."""

import numpy as np
import pytest

from tests.tiny_models import tiny_inputs, tiny_model

BATCH = 8  # windows at once


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr("socialmd.models.roll_out.PARTICLES_AT_ONCE", 4 * BATCH + 3)


@pytest.fixture(scope="module")
def model():
    return tiny_model(np.random.default_rng(2), prediction="displacement", target_steps=4)


def test_batches_change_nothing(model, rng):
    inputs = tiny_inputs(rng, batch=BATCH + 3)
    positions, parameters = model.rollout(inputs, 2)
    assert positions.shape == (BATCH + 3, 2, 4, 2)
    for window in range(BATCH + 3):
        alone = model.rollout(inputs[window : window + 1], 2)
        for actual, expected in zip((positions, parameters), alone, strict=True):
            np.testing.assert_allclose(actual[[window]], expected, rtol=1e-4, atol=1e-5)


def test_samples_have_an_axis_of_their_own_and_differ_between_batches(model, rng):
    inputs = np.repeat(tiny_inputs(rng, batch=1), 5, axis=0)
    samples, parameters = model.rollout(
        inputs, 2, "sample", seed=0, num_samples=BATCH
    )  # one window a batch
    assert samples.shape == (BATCH, 5, 2, 4, 2)
    assert parameters.shape == (BATCH, 5, 2, 4, 5)
    assert len(np.unique(samples[..., 0, 0, 0].round(6))) == BATCH * 5
    again, _ = model.rollout(inputs, 2, "sample", seed=0, num_samples=BATCH)
    np.testing.assert_array_equal(samples, again)
