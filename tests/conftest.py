"""Fixtures for every test."""

import os

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers from one fixed seed; a test should pass with any other one too."""
    return np.random.default_rng(int(os.environ.get("SOCIALMD_TEST_SEED", "17")))
