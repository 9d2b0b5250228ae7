import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from socialmd.config import DataConfig, ExperimentConfig
from socialmd.data import make_dataset
from socialmd.data.dataset_description import describe_dataset, save_array, simulation_name
from socialmd.data.feature_layout import FeatureBlock, FeatureLayout
from socialmd.data.load_trajectories import load_trajectories
from socialmd.training import fit, read_history
from socialmd.training.training_backup import last_backup
from tests.benchmarks.train_on_accelerator import Samples, prepare, random_rotations
from tests.world import EXPERIMENT, NUM_FRAMES, write_circles

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests/benchmarks/train_on_accelerator.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_circles(tmp_path_factory.mktemp("circles"))


@pytest.fixture(scope="module")
def sticks(tmp_path_factory):
    """Particles that have moments, turn, and have velocities, which nobody reads."""
    folder = tmp_path_factory.mktemp("sticks")
    frames = np.random.default_rng(0).normal(size=(2, NUM_FRAMES, 3, 9))
    frames[..., 2:4] /= np.linalg.norm(frames[..., 2:4], axis=-1, keepdims=True)
    frames[..., 6:] = np.abs(frames[:, :1, :, 6:])
    for number, split in enumerate(("train", "validation")):
        save_array(folder / split / simulation_name(number), frames[number])
    layout = FeatureLayout(
        features=("x", "y", "ux", "uy", "vx", "vy", "mass", "dipole", "inertia"),
        blocks=(
            FeatureBlock(name="position", size=2, kind="coordinate", predicted=True),
            FeatureBlock(name="orientation", size=2, kind="vector", predicted=True),
            FeatureBlock(name="velocity", size=2, kind="vector", given=False),
            *(FeatureBlock(name=name, static=True) for name in ("mass", "dipole", "inertia")),
        ),
    )
    describe_dataset(folder, features=layout.features, layout=layout, frame_spacing=0.1)
    return folder


@pytest.mark.parametrize("name", ["data", "sticks"])
@pytest.mark.parametrize("teacher_forcing", [False, True])
def test_batches_are_those_of_the_input_pipeline(request, name, teacher_forcing):
    data = request.getfixturevalue(name)
    config = DataConfig(**{**EXPERIMENT["data"], "num_rotations": 0})
    samples = samples_of(data, config, teacher_forcing=teacher_forcing)
    expected = list(make_dataset(data / "train", config, 4, teacher_forcing=teacher_forcing))
    assert len(samples) == len(expected)
    for index, batch in enumerate(expected):
        for found, array in zip(samples[index], batch, strict=True):
            np.testing.assert_array_equal(found, array)


def samples_of(data, config, **options):
    split = load_trajectories(data / "train")
    frames, layout = split.frames.astype("float32"), split.description.layout
    options = {"teacher_forcing": False, **options}
    return Samples(frames, split.mask, layout, config, batch_size=4, seed=0, **options)


def test_all_vectors_turn_with_the_places(sticks):
    config = DataConfig(**EXPERIMENT["data"])
    stored = samples_of(sticks, config.model_copy(update={"num_rotations": 0}))[0]
    turned = samples_of(sticks, config)[0]
    for before, after in zip(stored, turned, strict=True):
        products = [np.sum(each[..., :2] * each[..., 2:4], axis=-1) for each in (before, after)]
        np.testing.assert_allclose(*products, rtol=1e-4, atol=1e-5)
        assert np.abs(after[..., 2:4] - before[..., 2:4]).max() > 0.1
        np.testing.assert_array_equal(after[..., 4:], before[..., 4:])


def test_epochs_are_functions_of_the_seed(data):
    config = DataConfig(**EXPERIMENT["data"])
    samples = samples_of(data, config, shuffle=True)
    rest = samples_of(data, config, shuffle=True, first_batch=1)
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
