"""A training that is killed again and again ends as one that is left alone.

Slow: real processes run the real command, and each of them has to compile the training step anew.
Nothing less than SIGKILL to a process shows what is left on the disk.
"""

import multiprocessing
import time

import h5py
import numpy as np
import pytest

from socialmd import ExperimentConfig
from socialmd.commands import train
from socialmd.config import save_config
from socialmd.models import load
from socialmd.training import read_history
from socialmd.training.training_backup import last_backup
from tests.training.event_files import read_run
from tests.world import EXPERIMENT

# Forks from a process that has imported TensorFlow and done nothing else: fresh ones, but sooner.
pytestmark = pytest.mark.slow

PROCESSES = multiprocessing.get_context("forkserver")
NUM_STEPS, EVERY = 120, 10  # of an epoch; a backup every 10th


@pytest.fixture(scope="module")
def config_file(tmp_path_factory):
    """Two epochs of many steps: shuffled, rotated, and with samples of a mixture fed back."""
    tables = {
        **EXPERIMENT,
        "model": {**EXPERIMENT["model"], "distribution": "mixture", "feedback": "sample"},
        "data": {**EXPERIMENT["data"], "num_rotations": 40},
        "training": {**EXPERIMENT["training"], "epochs": 2, "backup_every": EVERY},
    }
    path = tmp_path_factory.mktemp("config") / "experiment.toml"
    save_config(ExperimentConfig.model_validate(tables), path)
    return path


def start_training(config_file, data, output):
    arguments = [str(path) for path in (config_file, data, output)]
    process = PROCESSES.Process(target=train.main, args=([*arguments, "--verbose", "2"],))
    process.start()
    return process


def end_of(process):
    """Its exit code."""
    process.join()
    return process.exitcode


def wait_for_backups(process, directory, count):
    """Until so many more backups have appeared."""
    seen = {last_backup(directory)[:2]}
    while len(seen) <= count:
        assert process.is_alive(), "training ended before it could be killed"
        time.sleep(0.001)
        seen.add(last_backup(directory)[:2])


@pytest.fixture(scope="module")
def trainings(config_file, data, tmp_path_factory):
    """Folders of an uninterrupted training and of one killed three times; where it was killed."""
    whole, killed = (tmp_path_factory.mktemp(name) / "output" for name in ("whole", "killed"))
    rng = np.random.default_rng(3)
    # Backups to wait for, and then seconds. First in the middle of the first epoch; then early,
    # somewhere on the way to the first step; then anywhere: in a step, a backup, a validation.
    plan = [(3, 0.0), (0, rng.uniform(0, 4)), (rng.integers(4, 9), rng.uniform(0, 0.1))]
    moments = []
    PROCESSES.set_forkserver_preload(["socialmd.commands.train"])
    undisturbed = start_training(config_file, data, whole)
    try:
        for count, delay in plan:
            process = start_training(config_file, data, killed)
            try:
                wait_for_backups(process, killed / "backup", count)
                time.sleep(delay)
            finally:
                process.kill()
            assert end_of(process) == -9
            moments.append(last_backup(killed / "backup")[:2])
        assert end_of(start_training(config_file, data, killed)) == 0
        assert end_of(undisturbed) == 0
    finally:
        undisturbed.kill()
        undisturbed.join()
    return whole, killed, moments


def arrays_of(path):
    """Every array in a file of weights."""
    arrays = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return arrays


def test_it_was_killed_in_the_middle_of_an_epoch(trainings):
    moments = trainings[2]
    assert moments == sorted(moments)
    assert moments[0][0] == 0
    assert EVERY <= moments[0][1] < NUM_STEPS - EVERY
    assert moments[-1] > moments[0]


def test_the_weights_are_the_same_bit_for_bit(trainings):
    whole, killed, _ = trainings
    expected, found = (arrays_of(folder / "best.weights.h5") for folder in (whole, killed))
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    expected, found = (load(folder).get_weights() for folder in (whole, killed))
    for array, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(other, array)


def test_the_losses_of_every_epoch_are_the_same(trainings):
    whole, killed, _ = trainings
    assert read_history(whole / "history.csv")["epoch"] == [0, 1]
    assert (killed / "history.csv").read_bytes() == (whole / "history.csv").read_bytes()


def test_tensorboard_shows_the_same_curves(trainings):
    """Each point once, though steps since the last backup were written before every kill too."""
    whole, killed, _ = trainings
    expected, found = (read_run(folder / "tensorboard" / "train") for folder in (whole, killed))
    assert list(expected["batch/loss"]) == list(range(1, 2 * NUM_STEPS + 1))
    assert expected["epoch/loss"].keys() == {0, 1}
    assert found == expected
    tags = ("epoch/loss", "forecast/mae_4_steps_ahead", "forecast/coverage_of_95_percent")
    runs = [read_run(folder / "tensorboard" / "validation") for folder in (killed, whole)]
    for tag in tags:
        assert runs[0][tag] == runs[1][tag]


def test_nothing_else_is_left_behind(trainings):
    whole, killed, _ = trainings
    expected, found = ({path.name for path in folder.iterdir()} for folder in (whole, killed))
    assert found == expected
    assert "backup" not in found
