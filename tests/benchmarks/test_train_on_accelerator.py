import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from socialmd.config import DataConfig, ExperimentConfig
from socialmd.data import make_dataset
from socialmd.data.load_trajectories import load_trajectories
from socialmd.training import fit, read_history
from socialmd.training.training_backup import last_backup
from tests.benchmarks.train_on_accelerator import Samples, prepare, random_rotations
from tests.world import EXPERIMENT, write_circles

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests/benchmarks/train_on_accelerator.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_circles(tmp_path_factory.mktemp("circles"))


@pytest.mark.parametrize("teacher_forcing", [False, True])
def test_batches_are_those_of_the_input_pipeline(data, teacher_forcing):
    config = DataConfig(**{**EXPERIMENT["data"], "num_rotations": 0})
    frames, _, mask, *_ = load_trajectories(data / "train")
    samples = Samples(frames.astype("float32"), mask, 2, config, 4, teacher_forcing, seed=0)
    expected = list(make_dataset(data / "train", config, 4, teacher_forcing=teacher_forcing))
    assert len(samples) == len(expected)
    for index, batch in enumerate(expected):
        for found, array in zip(samples[index], batch, strict=True):
            np.testing.assert_array_equal(found, array)


def test_epochs_are_functions_of_the_seed(data):
    config = DataConfig(**EXPERIMENT["data"])
    frames, _, mask, *_ = load_trajectories(data / "train")
    arguments = (frames.astype("float32"), mask, 2, config, 4, False)
    samples = Samples(*arguments, seed=0, shuffle=True)
    rest = Samples(*arguments, seed=0, shuffle=True, first_batch=1)
    first = samples[1][0]
    np.testing.assert_array_equal(rest[0][0], first)
    samples.begin_epoch(1)
    assert np.abs(samples[1][0] - first).max() > 0.1
    samples.begin_epoch(0)
    np.testing.assert_array_equal(samples[1][0], first)


@pytest.mark.parametrize("dims", [2, 3])
def test_rotations_are_uniform(dims):
    matrices = random_rotations(np.random.default_rng(0), 20_000, dims).astype("float64")
    products = matrices @ np.swapaxes(matrices, 1, 2)
    np.testing.assert_allclose(products, np.broadcast_to(np.eye(dims), products.shape), atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(matrices), 1.0, atol=1e-6)
    np.testing.assert_allclose(matrices.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose(np.square(matrices).mean(axis=0), 1 / dims, atol=0.03)


def test_training_goes_on_where_an_accelerator_stopped(data, tmp_path):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("needs the extra socialmd[jax]")
    config = ExperimentConfig(**EXPERIMENT)
    prepare(config, data, tmp_path / "ready.npz")
    command = [sys.executable, SCRIPT, "train", tmp_path / "ready.npz", "--minutes", "0"]
    done = subprocess.run(
        [*command, "--output", tmp_path / "output"],
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert last_backup(tmp_path / "output/backup")[:2] == (0, 1)
    fit(config, data, tmp_path / "output", verbose=0)
    assert read_history(tmp_path / "output/history.csv")["epoch"] == [0, 1, 2]
