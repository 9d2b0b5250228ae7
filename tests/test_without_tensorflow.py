"""Commands on Keras' JAX backend, in an environment in which TensorFlow is not installed."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import keras
import numpy as np
import pytest

from socialmd.config import ExperimentConfig, load_config, save_config
from socialmd.data import make_dataset
from socialmd.models import load
from socialmd.training import fit, read_history
from tests.training.event_files import read_run
from tests.world import EXPERIMENT

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
RUN = "from socialmd.commands.main import main; main()"
WITHOUT = ("tensorflow", "tf_keras")  # beginnings of names


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """What is installed here, but for TensorFlow and TensorFlow Probability."""
    site = tmp_path_factory.mktemp("site")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(WITHOUT):
            (site / path.name).symlink_to(path)
    return site


@pytest.fixture(scope="module")
def run(site, tmp_path_factory):
    """Run Python there, in one folder, without what is installed by the usual way."""
    folder = tmp_path_factory.mktemp("without_tensorflow")
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    environment |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}", "KERAS_HOME": str(folder)}
    # Nearly all of the time, XLA compiles.
    environment |= {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    environment |= {"JAX_COMPILATION_CACHE_DIR": str(folder / "compiled")}
    environment |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}

    def run(*words, backend="jax"):
        return subprocess.run(
            [sys.executable, "-S", "-c", *words],
            cwd=folder,
            env={**environment, "KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
            check=False,
        )

    run.folder = folder
    return run


@pytest.fixture(scope="module")
def experiment(run):
    """Folder in which data were made, a model was trained, paused in between, and evaluated."""
    config = {
        **EXPERIMENT,
        "simulation": {"num_train": 3, "num_validation": 2, "num_test": 2}
        | {"num_steps": 4000, "time_step": 1e-4, "keep_every": 100},
        "training": {**EXPERIMENT["training"], "batch_size": 5, "epochs": 2},
    }
    save_config(ExperimentConfig.model_validate(config), run.folder / "tiny.toml")

    def type_in(command):
        done = run(RUN, *command.split())
        assert done.returncode == 0, f"{command}: {done.stderr}"

    type_in("simulate tiny.toml data")
    type_in("train tiny.toml data run --verbose 0 --stop-after 1")
    shutil.copytree(run.folder / "run", run.folder / "paused")
    type_in("train tiny.toml data run --verbose 0")
    type_in("evaluate run data report --num-samples 2 --sampled-windows 2")
    type_in("predict run data/test/simulation_00005.npy forecast --start-frame 0 --num-steps 6")
    return run.folder


def test_tensorflow_is_not_there(run):
    assert run("import jax, keras").returncode == 0
    assert "No module named 'tensorflow'" in run("import tensorflow").stderr


def test_a_training_ends_and_is_logged(experiment):
    history = read_history(experiment / "run/history.csv")
    assert history["epoch"] == [0, 1]
    assert all(np.isfinite(values).all() for values in history.values())
    train, validation = (
        read_run(experiment / "run/tensorboard" / name) for name in ("train", "validation")
    )
    data = load_config(experiment / "tiny.toml").data
    sizes = [len(targets) for _, targets in make_dataset(experiment / "data/train", data, 5)]
    assert sizes[-1] < sizes[0] == 5
    by_epoch = np.reshape(list(train["batch/loss"].values()), (2, -1))
    means = np.average(by_epoch, axis=1, weights=sizes)
    assert list(train["epoch/loss"].values()) == pytest.approx(means, rel=1e-5)
    assert np.unique(by_epoch).size == by_epoch.size
    assert (np.array(list(train["batch/gradient_norm"].values())) > 0).all()
    assert list(validation["epoch/loss"]) == [0, 1]


def test_the_report_has_numbers_of_this_backend(experiment):
    numbers = json.loads((experiment / "report/metrics.json").read_text())
    assert np.isfinite(numbers["forecasts"]["run"]["mae"])
    assert "jax" in (experiment / "report/report.html").read_text()


def test_weights_and_forecasts_move_to_tensorflow(experiment):
    assert keras.backend.backend() == "tensorflow"
    model = load(experiment / "run")
    frames = np.load(experiment / "data/test/simulation_00005.npy")[0:6:2]
    found = np.load(experiment / "forecast/forecast.npy")
    positions, _ = model.rollout(frames[np.newaxis].astype("float32"), 6)
    np.testing.assert_allclose(found, positions[0], rtol=1e-4, atol=1e-5)


def test_a_paused_training_goes_on_on_tensorflow_as_it_would_have(experiment):
    config = load_config(experiment / "tiny.toml")
    fit(config, experiment / "data", experiment / "paused", verbose=0)
    expected, found = (
        read_history(experiment / name / "history.csv") for name in ("run", "paused")
    )
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-3), name
    assert (experiment / "paused/model.keras").is_file()


def test_what_is_missing_is_said(run):
    message = run(RUN, "train", "tiny.toml", "data", "run", backend="tensorflow").stderr
    assert message.count("\n") == 1
    assert "found tensorflow, which is not; " in message
    assert 'pip install "socialmd[tensorflow]", or set KERAS_BACKEND=jax' in message


def test_what_needs_tensorflow_says_so(experiment, run):
    done = run(RUN, "export", "run", "exported")
    assert done.returncode == 1
    assert done.stderr == (
        "error: expected TensorFlow as the backend of Keras to export a SavedModel, found jax; "
        "set KERAS_BACKEND=tensorflow\n"
    )
    assert not (experiment / "exported").exists()
