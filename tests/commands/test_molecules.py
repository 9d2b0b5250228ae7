"""The first experiment in miniature: slices of different particle numbers, and configurations in
space, through training, evaluation and forecast."""

import json
import re
import tomllib

import numpy as np
import pytest

from socialmd import ExperimentConfig, load_config, save_config
from socialmd.commands import evaluate, predict, train
from socialmd.data import describe_dataset
from socialmd.data.dataset_description import save_array, simulation_name
from tests.run_eagerly import run_eagerly

DATA = {
    "subsample": 1,
    "num_phases": 1,
    "input_steps": 3,
    "target_steps": 4,
    "window_shift": 3,
    "num_rotations": 1,
}
TRAINING = {"batch_size": 8, "epochs": 1, "gradient_clip_norm": 1.0}
SEQUENCE = {"kind": "sequence_lstm", "mlp_units": [6], "lstm_units": [5, 4], "length_scale": 20.0}
SOCIAL = {
    "prediction": "displacement",
    "units": 6,
    "embedding_dim": 4,
    "grid_cells": 8,
    "grid_sizes": [40.0, 10.0],
    "filters": [2, 3],
    "length_scale": 20.0,
}


pytestmark = pytest.mark.usefixtures("eagerly")


def write_molecules(folder, spatial_dims):
    """Four simulations of 3, 4, 5 and 4 molecules of two kinds that wander: [20, n, D + 2]."""
    rng = np.random.default_rng(5)
    numbers = zip(("train", "train", "validation", "test"), (3, 4, 5, 4), strict=True)
    for index, (split, count) in enumerate(numbers):
        start = rng.normal(scale=15.0, size=(1, count, spatial_dims))
        walk = start + np.cumsum(rng.normal(size=(20, count, spatial_dims)), axis=0)
        kinds = np.eye(2)[rng.integers(0, 2, size=count)]
        frames = np.concatenate([walk, np.broadcast_to(kinds, (20, count, 2))], axis=-1)
        save_array(folder / split / simulation_name(index), frames)
    describe_dataset(
        folder,
        features=(*"xyz"[:spatial_dims], "OQL", "ONC"),
        frame_spacing=1.0,
        spatial_dims=spatial_dims,
        length_unit="angstrom",
        time_unit="nanosecond",
    )
    return folder


def train_on(folder, data, model):
    save_config(
        ExperimentConfig.model_validate({"data": DATA, "model": model, "training": TRAINING}),
        folder.with_suffix(".toml"),
    )
    with run_eagerly():
        train.main([str(folder.with_suffix(".toml")), str(data), str(folder), "--verbose", "0"])
    return folder


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    """Data in two dimensions, and both kinds of model trained on them."""
    root = tmp_path_factory.mktemp("plane")
    data = write_molecules(root / "slices", 2)
    models = [train_on(root / name, data, m) for name, m in (("seq", SEQUENCE), ("soc", SOCIAL))]
    return data, models


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """The same in three dimensions, where only the sequence model is at home."""
    root = tmp_path_factory.mktemp("space")
    data = write_molecules(root / "whole", 3)
    return data, train_on(root / "seq", data, SEQUENCE)


def test_both_models_train_on_systems_of_different_sizes(plane):
    for folder in plane[1]:
        history = np.genfromtxt(folder / "history.csv", delimiter=",", names=True)
        assert np.isfinite(history["val_loss"])
        assert (folder / "losses.png").stat().st_size > 1000


@pytest.mark.usefixtures("coarse_figures")
def test_evaluation_leaves_padded_particles_out(plane, tmp_path, capsys):
    """And what needs equally many in all systems; errors are those of the particles that are."""
    data, models = plane
    arguments = [*map(str, models), str(data), str(tmp_path), "--num-samples", "2"]
    evaluate.main([*arguments, "--split", "test"])
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["forecasts"].keys() >= {"seq", "soc", "constant position"}
    frames = np.load(data / "test" / simulation_name(3))[..., :2]
    starts = range(0, 20 - 7 + 1, 3)
    errors = [np.abs(frames[s + 3 : s + 7] - frames[s + 2]) for s in starts]
    expected = pytest.approx(np.mean(errors), rel=1e-5)
    assert metrics["forecasts"]["constant position"]["mae"] == expected
    assert "close approaches" in metrics["left_out"]
    assert (tmp_path / "figures" / "forecast.gif").is_file()
    # Lengths are in the data's unit, and nothing is said of the system that we simulate ourselves.
    assert metrics["units"]["mae, median_error"] == "angstrom, per coordinate"
    printed = capsys.readouterr().out
    assert "errors in angstrom" in printed
    report = re.sub(r"data:image/[^\"]*", "", (tmp_path / "report.html").read_text())
    assert "angstrom" in report
    for foreign in ("length units", "units of length", "coulomb", "known law, which"):
        assert foreign not in report
    for model in models:
        tables = tomllib.loads((model / "config.toml").read_text())
        assert not tables.keys() & {"system", "simulation"}
    dependence = metrics["dependence"]
    baselines = {"constant position", "constant velocity", "linear autoregression"}
    assert dependence.keys() == {"seq", "soc", *baselines}
    for name in ("seq", "soc"):
        sentence = metrics["verdict"][name]["sentence"]
        assert sentence.startswith(f"1 simulation is too few to tell whether {name} beats ")
        assert sentence in printed
        assert f"Forecasts of {name} for different pasts vary " in printed
    assert "variance / truth" in report
    for name in ("configurations", "dependence"):
        assert (tmp_path / "figures" / f"{name}.png").stat().st_size > 5_000


@pytest.mark.usefixtures("coarse_figures")
def test_evaluation_in_space(space, tmp_path, capsys):
    """All is measured as in the plane; pictures are of x and y."""
    data, model = space
    evaluate.main([str(model), str(data), str(tmp_path), "--split", "validation"])
    found = json.loads((tmp_path / "metrics.json").read_text())
    frames = np.load(data / "validation" / simulation_name(2))[..., :3]
    starts = range(0, 20 - 7 + 1, 3)
    errors = [np.abs(frames[s + 3 : s + 7] - frames[s + 2]) for s in starts]
    expected = pytest.approx(np.mean(errors), rel=1e-5)
    assert found["forecasts"]["constant position"]["mae"] == expected
    assert found["verdict"]["seq"]["sentence"] in capsys.readouterr().out
    assert found["dependence"]["constant velocity"]["variance_ratio_per_step"][-1] > 0
    assert found["left_out"].keys() >= {"known law", "Langevin dynamics", "conservation"}
    assert 0 < found["calibration"]["seq"]["recalibrated"]["overall_coverage"][0] < 1
    assert found["samples"]["seq"]["energy_score"] > 0
    assert found["transport"]["all"]["truth"]["diffusion"] > 0
    figures = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert figures >= {"errors", "forecast", "gallery_worst", "configurations", "nearest_distances"}
    assert "of three coordinates, x and y" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.usefixtures("coarse_figures")
def test_without_a_test_split_the_validation_split_is_evaluated(tmp_path):
    for split in ("train", "validation"):
        (tmp_path / split).mkdir()
        np.save(tmp_path / split / "a.npy", np.zeros((3, 2, 2)))
    describe_dataset(tmp_path, features=["x", "y"], frame_spacing=1.0)
    assert evaluate.default_split(tmp_path) == "validation"
    (tmp_path / "test").mkdir()
    np.save(tmp_path / "test" / "a.npy", np.zeros((3, 2, 2)))
    describe_dataset(tmp_path, features=["x", "y"], frame_spacing=1.0)
    assert evaluate.default_split(tmp_path) == "test"


def test_forecast_in_space_for_viewers(space, tmp_path):
    data, model = space
    file = data / "test" / simulation_name(3)
    predict.main([str(model), str(file), str(tmp_path), "--start-frame", "0"])
    assert np.load(tmp_path / "forecast.npy").shape == (4, 4, 3)
    for name in ("forecast.xyz", "truth.xyz", "forecast.pdb", "truth.pdb"):
        assert (tmp_path / name).is_file()


def test_models_and_data_of_different_dimensions_are_refused(plane, space, tmp_path):
    with pytest.raises(ValueError, match=r"expected trajectories in 3 dimensions, as seq"):
        evaluate.main([str(space[1]), str(plane[0]), str(tmp_path)])


@pytest.mark.parametrize(
    "name", ["sequence_2d", "sequence_3d", "molecules_2d", "molecules_2d_alone"]
)
def test_configurations_of_the_first_experiment(name):
    config = load_config(f"models/{name}.toml")
    assert (config.data.input_steps, config.data.target_steps) == (25, 125)
    assert config.training.epochs == 30
