"""In miniature, where there is no GPU."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from socialmd.config import ExperimentConfig, save_config
from socialmd.data import make_dataset
from socialmd.simulation import write_dataset
from tests.benchmarks.gpu import StepTimes, count_steps
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


def test_a_gpu_is_watched_from_the_second_step_on_in_every_pass(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 30; echo 50; exec sleep 100\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    times = StepTimes(steps=4)
    wait = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.3))
    x = np.ones((3, 1), "float32")
    for _ in range(2):
        model.fit(x, x, batch_size=1, verbose=0, callbacks=[times, wait])
    assert len(times.seconds) == 5
    assert times.busy == [30.0, 50.0] * 2


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
