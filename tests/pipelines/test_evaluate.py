import json

import numpy as np
import pytest

from pipelines import evaluate
from socialmd.data import describe_dataset, read_windows
from socialmd.models import load_model

# 40 frames, every second kept from frame 0 and from frame 1: windows of 7 start at 0, 3, 6, 9, 12.
WINDOWS_PER_SIMULATION = 10


@pytest.fixture(scope="module", autouse=True)
def _one_model(load_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "load_model", load_once)
        yield


@pytest.fixture(scope="module")
def result(experiment, tmp_path_factory):
    """metrics.json of all windows."""
    output = tmp_path_factory.mktemp("evaluation")
    evaluate.main([str(experiment.model), str(experiment.data), "--output", str(output)])
    files = {path.name for path in output.iterdir()}
    assert files == {"metrics.json", "forecast.png", "forecast.gif"}
    return json.loads((output / "metrics.json").read_text())


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures take most of the time; those of `result` are enough."""
    monkeypatch.setattr(evaluate, "draw", lambda *_: None)


def test_every_forecast_is_measured_at_every_step(result):
    assert list(result["forecasts"]) == [
        "model",
        "constant position",
        "constant velocity",
        "linear autoregression",
        "known law",
    ]
    for metrics in result["forecasts"].values():
        assert len(metrics["mae_per_step"]) == len(metrics["median_error_per_step"]) == 4
        assert len(metrics["mae_per_simulation"]) == 2
    assert len(result["forecasts"]["model"]["nll_per_step"]) == 4
    assert result["left_out"] == {}


def test_free_motion_is_forecast_exactly_by_all_that_should(result):
    for name in ("constant velocity", "linear autoregression", "known law"):
        assert result["forecasts"][name]["mae"] < 1e-5, name  # samples are float32
        assert result["forecasts"][name]["nll"] is None
    assert result["forecasts"]["constant position"]["mae"] > 0.01
    assert result["forecasts"]["model"]["mae"] > 0.01


def test_file_says_what_was_measured(experiment, result):
    assert result["model"]["name"] == "tiny"
    data = result["data"]
    assert data["name"] == "data"
    assert data["split"] == "test"
    assert data["windows"] == 2 * WINDOWS_PER_SIMULATION
    assert data["simulations"] == 2
    assert data["step_spacing"] == 0.5
    assert data["features"] == ["x", "y", "mass", "charge"]
    assert str(experiment.data.parent) not in json.dumps(result)


def test_model_is_measured_as_keras_would(experiment, result):
    model, config = load_model(experiment.model)
    windows = read_windows(experiment.data, "test", config.data)
    parameters = model(windows.inputs)
    mean = np.asarray(model.distribution(parameters).mean())
    log_probabilities = np.asarray(model.distribution(parameters).log_prob(windows.truth))
    ours = result["forecasts"]["model"]
    assert ours["mae"] == pytest.approx(np.abs(mean - windows.truth).mean(), rel=1e-4)
    assert ours["nll"] == pytest.approx(-log_probabilities.mean(), rel=1e-4)


def test_windows_are_those_of_the_files(experiment):
    _, config = load_model(experiment.model)
    windows = read_windows(experiment.data, "test", config.data)
    files = sorted((experiment.data / "test").iterdir())
    for number, simulation in ((0, 0), (7, 0), (12, 1)):
        first = (number % WINDOWS_PER_SIMULATION) % 5 * 3 * 2
        phase = (number % WINDOWS_PER_SIMULATION) // 5
        frames = np.load(files[simulation])[first + phase :: 2][:7].astype(np.float32)
        np.testing.assert_array_equal(windows.inputs[number], frames[:3])
        np.testing.assert_array_equal(windows.truth[number], frames[3:, :, :2])
        assert windows.simulations[number] == simulation


def test_fewer_windows_are_spread_over_the_split(experiment):
    _, config = load_model(experiment.model)
    every = read_windows(experiment.data, "test", config.data)
    some = read_windows(experiment.data, "test", config.data, 3)
    np.testing.assert_array_equal(some.inputs, every.inputs[[0, 10, 19]])
    assert some.simulations.tolist() == [0, 1, 1]
    more = read_windows(experiment.data, "test", config.data, 1000)
    np.testing.assert_array_equal(more.inputs, every.inputs)


@pytest.mark.usefixtures("undrawn")
def test_what_is_not_possible_is_left_out_and_said(experiment, tmp_path, capsys):
    (tmp_path / "test").mkdir()
    for path in (experiment.data / "test").iterdir():
        (tmp_path / "test" / path.name).write_bytes(path.read_bytes())
    describe_dataset(tmp_path, features=["x", "y", "mass", "charge"], frame_spacing=0.25)
    model, output = experiment.model / "model.keras", tmp_path / "output"
    arguments = [model, tmp_path, "--output", output, "--max-windows", 4]
    evaluate.main([str(argument) for argument in arguments])
    result = json.loads((output / "metrics.json").read_text())
    assert list(result["forecasts"]) == ["model", "constant position", "constant velocity"]
    assert list(result["left_out"]) == ["linear autoregression", "known law"]
    printed = capsys.readouterr().out
    assert "4 windows of" in printed
    assert "known law is left out: the data set names no law of motion." in printed
    assert "model does not beat constant velocity: MAE" in printed


def test_another_model_stands_beside(experiment, result, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    for path in experiment.model.glob("*.*"):
        (other / path.name).write_bytes(path.read_bytes())
    output = tmp_path / "output"
    arguments = [experiment.model, experiment.data, "--beside", other, "--output", output]
    evaluate.main([str(argument) for argument in arguments])
    forecasts = json.loads((output / "metrics.json").read_text())["forecasts"]
    assert list(forecasts) == ["model", "other", *list(result["forecasts"])[1:]]
    assert forecasts["other"] == forecasts["model"]
    assert forecasts["other"]["nll"] is not None
    assert "other does not beat model: MAE" in capsys.readouterr().out


def test_another_model_may_not_take_a_name(experiment):
    model, config = load_model(experiment.model)
    with pytest.raises(
        ValueError, match="others: expected names that are not taken, found 'model'"
    ):
        evaluate.evaluate(model, config, experiment.data, others={"model": model})


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("file", ["", "model.keras"])
def test_metrics_lie_beside_the_model_unless_said_otherwise(experiment, tmp_path, file):
    for path in experiment.model.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    evaluate.main([str(tmp_path / file), str(experiment.data), "--max-windows", "1"])
    assert (tmp_path / "evaluation" / "metrics.json").is_file()


def test_data_with_other_features_are_refused(experiment, tmp_path):
    (tmp_path / "test").mkdir()
    np.save(tmp_path / "test" / "a.npy", np.zeros((40, 3, 3)))
    describe_dataset(tmp_path, features=["x", "y", "radius"], frame_spacing=1.0)
    with pytest.raises(ValueError, match="the 4 features of model, found x, y, radius"):
        evaluate.main([str(experiment.model), str(tmp_path)])


@pytest.mark.parametrize("count", ["0", "-1", "some"])
def test_impossible_numbers_of_windows_are_refused(experiment, count):
    with pytest.raises(SystemExit):
        evaluate.main([str(experiment.model), str(experiment.data), "--max-windows", count])
