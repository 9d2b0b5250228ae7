"""The estimate against peaks of trainings, measured once with TensorFlow 2.21 on a CPU.

Each was three training steps on normal positions of standard deviation 2, in a process of its own.
"""

import numpy as np
import pytest

from socialmd import ExperimentConfig
from socialmd.data.dataset_description import describe_dataset, save_array
from socialmd.training.search.memory import (
    available_memory,
    check_memory,
    estimate_memory,
    largest_system,
)

SMALL = {"units": 64, "embedding_dim": 16}
SEQUENCE = {
    "model": {"kind": "sequence_lstm"},
    "data": {"input_steps": 25, "target_steps": 125},
}
PEAKS = [  # experiment, particles, MiB
    ({}, 25, 1817),
    ({"model": {"grid_sizes": [11.0], "grid_cells": 64}}, 25, 3669),
    ({"model": {**SMALL, "grid_cells": 16, "filters": [8, 16]}}, 25, 1239),
    ({"model": {**SMALL, "filters": [8, 8, 16], "downsampling": "max"}}, 25, 3213),
    ({"model": {"grid_sizes": []}}, 25, 968),
    ({"training": {"batch_size": 8}}, 25, 1133),
    ({}, 50, 3445),
    (SEQUENCE, 25, 1019),
]


@pytest.fixture
def system(rng):
    def make(num_particles):
        return np.concatenate(
            [2 * rng.normal(size=(num_particles, 2)), np.ones((num_particles, 2))], axis=1
        )

    return make


@pytest.mark.parametrize(("experiment", "num_particles", "peak"), PEAKS, ids=range(len(PEAKS)))
def test_the_estimate_is_near_what_trainings_took(experiment, num_particles, peak, system):
    config = ExperimentConfig.model_validate(experiment)
    estimates = [estimate_memory(config, system(num_particles)) / 2**20 for _ in range(20)]
    assert 0.75 < np.mean(estimates) / peak < 1.35


def test_what_does_not_fit_is_refused_and_what_does_is_not(system):
    check_memory(ExperimentConfig(), system(25), limit=4.0)
    with pytest.raises(ValueError, match=r"estimated to need .* GiB, found 1\.0 GiB"):
        check_memory(ExperimentConfig(), system(25), limit=1.0)
    huge = ExperimentConfig.model_validate({"training": {"batch_size": 10**9, "device": "cpu"}})
    with pytest.raises(ValueError, match="smaller batch_size"):
        check_memory(huge, system(25))


def test_this_machine_has_some_memory():
    assert 2**26 < available_memory() < 2**50


def test_the_largest_of_several_systems_counts(tmp_path, rng):
    for index, particles in enumerate((2, 7, 3)):
        save_array(
            tmp_path / "train" / f"simulation_{index}.npy", rng.normal(size=(4, particles, 3))
        )
    save_array(tmp_path / "test" / "simulation_3.npy", rng.normal(size=(4, 9, 3)))
    describe_dataset(tmp_path, features=("x", "y", "mass"), frame_spacing=1.0)
    frames = np.load(tmp_path / "train" / "simulation_1.npy")
    np.testing.assert_array_equal(largest_system(tmp_path), frames[-1])


def test_a_data_set_without_training_simulations_is_refused(tmp_path, rng):
    save_array(tmp_path / "test" / "simulation_0.npy", rng.normal(size=(4, 2, 2)))
    describe_dataset(tmp_path, features=("x", "y"), frame_spacing=1.0)
    with pytest.raises(FileNotFoundError, match="train: found no simulation"):
        largest_system(tmp_path)
