import numpy as np
import pytest

from socialmd.data import describe_dataset
from socialmd.data.dataset_description import read_description
from socialmd.evaluation import ConstantVelocity
from socialmd.reporting import forecast_windows
from socialmd.simulation import law_of
from tests.tiny_models import tiny_model


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
        ConstantVelocity().rollout(forecasts.windows.inputs, config.data.target_steps)[0],
    )
    assert forecasts.left_out == {
        "known law": "the data set names no law of motion",
        "Langevin dynamics": "the data set is not one of molecules",
    }
    assert forecasts.spacing == pytest.approx(0.2)  # every second frame, 0.1 apart


def test_a_law_needs_its_features(tmp_path):
    (tmp_path / "test").mkdir()
    np.save(tmp_path / "test" / "a.npy", np.zeros((3, 2, 4)))
    law = {"num_particles": 2}
    for features, known in ((["x", "y", "mass", "charge"], True), (["x", "y", "a", "b"], False)):
        describe_dataset(tmp_path, features=features, frame_spacing=1.0, law=law)
        assert (law_of(read_description(tmp_path)) is not None) == known
