"""Particles that point somewhere, from the simulation to the report, in miniature."""

import json

import ase.io
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import socialmd
from socialmd.commands import evaluate, export, predict, simulate, train
from socialmd.config import ExperimentConfig, save_config
from socialmd.data import load_trajectories
from socialmd.models import load
from socialmd.reporting import FigureFolder
from socialmd.reporting.measures import conserved_quantities, forecast_gallery, long_rollouts
from tests.commands.conftest import save_coarsely
from tests.run_eagerly import run_eagerly
from tests.training.no_log import no_log

SYSTEM = {"num_particles": 4, "softening": 0.3, "dipole_range": [0.1, 0.3], "box_size": 3.0}
SIMULATION = {"num_train": 2, "num_validation": 1, "num_test": 2, "num_steps": 360}
DATA = {"subsample": 1, "num_phases": 1, "input_steps": 3, "target_steps": 4, "window_shift": 3}
MODELS = {
    "learned": {
        "kind": "interaction_lstm",
        "orientation": True,
        "cutoff": 5.0,
        "minimum_distance": 0.2,
        "num_intervals": 8,
        "units": 3,
        "channels": 2,
        "hidden_units": 4,
        "substeps": 1,
    },
    "pooled": {
        "orientation": True,
        "prediction": "acceleration",
        "units": 4,
        "embedding_dim": 3,
        "grid_sizes": [6.0, 3.0],
        "grid_cells": 8,
        "filters": [2, 3],
        "kernel_size": 2,
    },
}
DRAWN = ("orientations", "poses", "interaction_0")
PHASES = [{"feedback": "truth", "loss": "student_t"}, {"feedback": "mean"}]


def draw_nothing(path, *_, **__):
    """Stands for an animation."""
    path.write_bytes(b"GIF89a")


def save_some(folder, figure, name):
    """Stands for `FigureFolder.save`: draws what other tests do not."""
    if name in DRAWN:
        return save_coarsely(folder, figure, name)
    folder.path.mkdir(parents=True, exist_ok=True)
    file = folder.path / f"{name}.png"
    Image.new("RGB", (2, 2)).save(file)
    return file


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """Data, two models, and a report."""
    root = tmp_path_factory.mktemp("dipoles")
    with pytest.MonkeyPatch.context() as patch, run_eagerly(), no_log():
        patch.setattr(FigureFolder, "save", save_some)
        patch.setattr(forecast_gallery, "animate_forecast", draw_nothing)
        patch.setattr(long_rollouts, "LONG", 2)
        patch.setattr(conserved_quantities, "LONG", 2)
        for name, model in MODELS.items():
            config = ExperimentConfig.model_validate(
                {
                    "system": SYSTEM,
                    "simulation": {**SIMULATION, "time_step": 1e-4, "keep_every": 20},
                    "data": {**DATA, "num_rotations": 1},
                    "model": model,
                    "training": {"epochs": 1, "batch_size": 4}
                    | ({"phases": PHASES} if name == "learned" else {}),
                }
            )
            save_config(config, root / f"{name}.toml")
            simulate.main([str(root / f"{name}.toml"), str(root / "data")])
            words = [str(root / f"{name}.toml"), str(root / "data"), str(root / name)]
            train.main([*words, "--verbose", "0"])
        words = [*(str(root / name) for name in MODELS), str(root / "data"), str(root / "report")]
        evaluate.main([*words, "--num-samples", "2", "--sampled-windows", "2"])
    return root


def test_the_report_says_how_far_orientations_are_off(experiment):
    found = json.loads((experiment / "report/metrics.json").read_text())
    of_all = found["orientations"]
    assert of_all.keys() == {*MODELS, "constant position", "constant velocity", "known law"}
    assert of_all["known law"]["mean_angle"] < 0.2 * of_all["constant velocity"]["mean_angle"]
    for name in MODELS:
        assert len(of_all[name]["coverage"]) == 3
        assert len(of_all[name]["mean_angle_per_step"]) == 4
        assert found["recalibrated_orientations"][name]["nll"] is not None
    assert found["forecasts"].keys() == {*of_all, "linear autoregression"}
    assert found["calibration"].keys() == set(MODELS)
    drifts = {name: each["energy_drift"] for name, each in found["conservation"].items()}
    assert drifts["linear autoregression"] is None  # it knows no orientations
    assert max(drifts["truth"][:-1]) < 0.1 < max(drifts["constant velocity"][:-1])
    assert all(len(drifts[name]) == 4 for name in MODELS)
    report = (experiment / "report/report.html").read_text()
    assert "Which way particles point" in report
    assert "degrees in half of all cases" in report
    figures = {path.stem for path in (experiment / "report/figures").iterdir()}
    assert figures >= {"orientations", "poses", "calibration"}


def test_viewers_see_where_particles_point(experiment, tmp_path):
    file = experiment / "data/test/simulation_00003.npy"
    words = [str(experiment / "learned"), str(file), str(tmp_path), "--start-frame", "4"]
    predict.main([*words, "--num-samples", "2"])
    turned = np.load(tmp_path / "orientations.npy")
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), 1.0, atol=1e-5)
    assert np.load(tmp_path / "samples.npy").shape == (2, 4, 4, 4)
    atoms = ase.io.read(tmp_path / "forecast.xyz", "-1")
    np.testing.assert_allclose(atoms.arrays["orientation_x"], turned[-1, :, 0], atol=1e-6)
    true = np.load(file)[10, :, -2:]
    np.testing.assert_allclose(
        np.cos(np.radians(atoms.arrays["angle_error"])), (turned[-1] * true).sum(-1), atol=1e-4
    )
    followed = ase.io.read(tmp_path / "truth.xyz", "-1")
    np.testing.assert_allclose(followed.arrays["orientation_y"], true[:, 1], atol=1e-6)


def test_one_call_forecasts_them_too(experiment):
    frames = load_trajectories(experiment / "data/test").frames[0, :3]
    found = socialmd.forecast(frames, experiment / "learned", num_steps=2)
    assert found.positions.shape == (2, 4, 2)
    np.testing.assert_allclose(np.linalg.norm(found.orientations, axis=-1), 1.0, atol=1e-5)


def test_an_export_forecasts_poses(experiment, tmp_path):
    export.main([str(experiment / "learned"), str(tmp_path / "saved")])
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    frames = load_trajectories(experiment / "data/test").frames[:1, :3].astype("float32")
    found = loaded.rollout(tf.constant(frames), tf.constant(2))["positions"]
    expected, _ = load(experiment / "learned").rollout(frames, 2)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    longer = frames * np.where(np.arange(8) < 6, 1, 2).astype("float32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected unit vectors in features"):
        loaded.rollout(tf.constant(longer), tf.constant(2))
    frames[0, 1, 2, 3] += 1.0  # a charge
    with pytest.raises(tf.errors.InvalidArgumentError, match="stay the same in all frames"):
        loaded.rollout(tf.constant(frames), tf.constant(2))
