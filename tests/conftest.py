"""Fixtures for every test."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from socialmd import ExperimentConfig
from tests.world import EXPERIMENT, write_circles


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers from one fixed seed; a test should pass with any other one too."""
    return np.random.default_rng(int(os.environ.get("SOCIALMD_TEST_SEED", "17")))


@pytest.fixture
def eagerly() -> Iterator[None]:
    """For what is not run often enough to be worth compiling."""
    from tests.run_eagerly import run_eagerly  # imports TensorFlow

    with run_eagerly():
        yield


@pytest.fixture(scope="session")
def config() -> ExperimentConfig:
    """An experiment that trains in seconds."""
    return ExperimentConfig.model_validate(EXPERIMENT)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its data set; not to be written to."""
    return write_circles(tmp_path_factory.mktemp("circles"))
