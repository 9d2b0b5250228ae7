"""In miniature, where there is no GPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from socialmd.config import ExperimentConfig, save_config
from socialmd.data import make_dataset
from socialmd.simulation import write_dataset
from tests.benchmarks.gpu import count_steps
from tests.world import EXPERIMENT

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config():
    simulation = {"num_train": 3, "num_validation": 2, "num_test": 1}
    simulation |= {"num_steps": 4000, "time_step": 1e-4, "keep_every": 100}
    training = {**EXPERIMENT["training"], "epochs": 2}
    return ExperimentConfig.model_validate(
        {**EXPERIMENT, "simulation": simulation, "training": training}
    )


def test_steps_are_counted_before_there_are_data(config, tmp_path):
    write_dataset(config, tmp_path / "data")
    dataset = make_dataset(tmp_path / "data/train", config.data, config.training.batch_size)
    assert count_steps(config, config.training.schedule[0]) == 2 * len(dataset)


@pytest.mark.slow
def test_phases_are_measured_and_a_training_gets_the_rest(config, tmp_path):
    save_config(config, tmp_path / "tiny.toml")
    write_dataset(config, tmp_path / "data")
    command = [sys.executable, ROOT / "tests/benchmarks/gpu.py", tmp_path / "output"]
    command += ["--models", tmp_path / "tiny.toml", "--steps", "3"]
    command += ["--train", tmp_path / "tiny.toml", tmp_path / "data"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "output/gpu.json").read_text())
    assert row["whole_phase"] > row["first_step"] > row["step"] > 0
    assert row["peak_memory"] > 1e7
    assert row["made"] > 0
    assert "| tiny" in (tmp_path / "output/gpu.md").read_text()
    assert (tmp_path / "output/tiny/model.keras").is_file()
