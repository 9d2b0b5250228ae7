"""A search small enough for a test."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from socialmd import ExperimentConfig, save_config
from tests.world import EXPERIMENT

DRIVER = Path(__file__).parent / "search_driver.py"
SEARCH = {
    "model": {"units": {"minimum": 2, "maximum": 9}},
    "training": {"learning_rate": {"minimum": 1e-3, "maximum": 1e-1, "scale": "log"}},
}


@pytest.fixture(scope="session")
def search_config() -> ExperimentConfig:
    """The miniature experiment and what to vary of it."""
    model = {**EXPERIMENT["model"], "grid_sizes": []}  # pooling would take most of the time
    training = {**EXPERIMENT["training"], "epochs": 2, "batch_size": 64}
    return ExperimentConfig.model_validate(
        {**EXPERIMENT, "model": model, "training": training, "search": SEARCH}
    )


@pytest.fixture
def start_search(data, tmp_path, search_config):
    """Start `search_driver.py` in the background; what still runs is killed after the test."""
    save_config(search_config, tmp_path / "search.toml")
    processes = []

    def start(seconds, trials, **environment):
        variables = {
            "CONFIG": tmp_path / "search.toml",
            "DATA": data,
            "OUTPUT": tmp_path / "search",
            "TRIALS": trials,
            **environment,
        }
        with open(tmp_path / f"log_{len(processes)}.txt", "w") as log:
            process = subprocess.Popen(
                [sys.executable, str(DRIVER), str(seconds)],
                env={**os.environ, **{name: str(value) for name, value in variables.items()}},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        processes.append(process)
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def wait_until():
    """Wait for a condition, for as long as a busy machine may need."""

    def wait(condition, what, seconds=240.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}"
            time.sleep(0.05)

    return wait
