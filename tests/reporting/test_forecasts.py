import numpy as np
import pytest

from socialmd.data import describe_dataset
from socialmd.data.dataset_description import read_description
from socialmd.evaluation import constant_velocity
from socialmd.reporting import forecast_windows, roll_out
from socialmd.simulation import law_of
from tests.models.tiny import tiny_inputs, tiny_model

BATCH = 8  # windows at once


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr("socialmd.reporting.forecasts.PARTICLES_AT_ONCE", 4 * BATCH + 3)


@pytest.fixture(scope="module")
def model():
    return tiny_model(np.random.default_rng(2), prediction="displacement", target_steps=4)


def test_batches_change_nothing(model, rng):
    inputs = tiny_inputs(rng, batch=BATCH + 3)
    positions, parameters = roll_out(model, inputs, 2)
    assert positions.shape == (BATCH + 3, 2, 4, 2)
    for actual, expected in zip((positions, parameters), model.rollout(inputs, 2), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_samples_have_an_axis_of_their_own_and_differ_between_batches(model, rng):
    inputs = np.repeat(tiny_inputs(rng, batch=1), 5, axis=0)
    samples, parameters = roll_out(model, inputs, 2, num_samples=BATCH)  # one window a batch
    assert samples.shape == (BATCH, 5, 2, 4, 2)
    assert parameters.shape == (BATCH, 5, 2, 4, 5)
    assert len(np.unique(samples[..., 0, 0, 0].round(6))) == BATCH * 5
    again, _ = roll_out(model, inputs, 2, num_samples=BATCH)
    np.testing.assert_array_equal(samples, again)


def test_every_forecast_is_of_the_same_windows(config, data, rng):
    model = tiny_model(rng, target_steps=config.data.target_steps)
    forecasts = forecast_windows({"mine": model}, config.data, data)
    shape = forecasts.windows.truth.shape
    assert set(forecasts.positions) == {
        "mine",
        "constant position",
        "constant velocity",
        "linear autoregression",
    }
    assert {positions.shape for positions in forecasts.positions.values()} == {shape}
    np.testing.assert_array_equal(
        forecasts.positions["constant velocity"],
        constant_velocity(forecasts.windows.inputs, config.data.target_steps),
    )
    assert forecasts.left_out == {"known law": "the data set names no law of motion"}
    assert forecasts.spacing == pytest.approx(0.2)  # every second frame, 0.1 apart


def test_a_law_needs_its_features(tmp_path):
    (tmp_path / "test").mkdir()
    np.save(tmp_path / "test" / "a.npy", np.zeros((3, 2, 4)))
    law = {"num_particles": 2}
    for features, known in ((["x", "y", "mass", "charge"], True), (["x", "y", "a", "b"], False)):
        describe_dataset(tmp_path, features=features, frame_spacing=1.0, law=law)
        assert (law_of(read_description(tmp_path)) is not None) == known
