"""Two devices that share each batch train as one device does.

TensorFlow divides a CPU into two devices only before it does anything else, so all trainings run in
one process of their own; tests look at what it has written. Systems are of two and three particles,
so devices average over different numbers of them, and the last batch of an epoch holds one sample,
so one of the devices has nothing to do.
"""

import functools
import multiprocessing
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd import ExperimentConfig
from socialmd.config import TrainingConfig
from socialmd.data import make_dataset
from socialmd.data.dataset_description import describe_dataset, save_array, simulation_name
from socialmd.models import SequenceLSTM, load
from socialmd.training import fit, read_history
from socialmd.training.device import _mirrored, on_device
from socialmd.training.training_backup import last_backup
from tests.run_eagerly import run_eagerly
from tests.training.no_log import no_log
from tests.world import EXPERIMENT

pytestmark = pytest.mark.slow

PROCESSES = multiprocessing.get_context("forkserver")
BATCH_SIZE = 4
PARTICLES = {"train": (3, 2, 3, 3, 2, 3, 2, 3, 3), "validation": (2, 3, 3)}  # of each simulation
MODELS = {
    "social_lstm": EXPERIMENT["model"],
    "sequence_lstm": {"kind": "sequence_lstm", "mlp_units": [5], "lstm_units": [6], "dropout": 0.3},
}


def write_systems(directory):
    """Simulations of two or three particles, [40, n, 4], of one window each."""
    rng = np.random.default_rng(4)
    for split, counts in PARTICLES.items():
        for index, count in enumerate(counts):
            angle = (
                rng.uniform(0, 6, count) + rng.uniform(0.05, 0.3, count) * np.arange(40)[:, None]
            )
            path = np.stack([np.cos(angle), np.sin(angle)], axis=-1) + rng.normal(size=(count, 2))
            constant = np.broadcast_to(rng.uniform(0.5, 1.5, (count, 2)), (40, count, 2))
            frames = np.concatenate([path, constant], axis=-1)
            save_array(directory / split / simulation_name(index), frames)
    describe_dataset(directory, features=("x", "y", "mass", "charge"), frame_spacing=0.1)
    return directory


def experiment(model, replicas, epochs=1):
    """Three steps an epoch, with gradients that are clipped in each."""
    return ExperimentConfig.model_validate(
        {
            **EXPERIMENT,
            "data": {
                "subsample": 2,
                "num_phases": 1,
                "input_steps": 3,
                "target_steps": 3,
                "window_shift": 20,
                "num_rotations": 1,
            },
            "model": MODELS[model],
            "training": {
                "batch_size": BATCH_SIZE,
                "epochs": epochs,
                "gradient_clip_norm": 0.1,
                "replicas": replicas,
                "device": "cpu",
            },
        }
    )


def train_all(data, folder):
    """What tests look at, in a process that has done nothing yet."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])
    with run_eagerly():
        with no_log():
            fit(experiment("social_lstm", 1), data, folder / "one", verbose=0)
        fit(experiment("social_lstm", 2), data, folder / "two", verbose=0)
    config = experiment("sequence_lstm", 2, epochs=2)
    with no_log(), mock.patch.object(SequenceLSTM, "recalibrate"):
        # Compiled, as every training is. The others are not, which would take most of their time.
        fit(config, data, folder / "whole", verbose=0)
        with run_eagerly():
            fit(config, data, folder / "paused", verbose=0, stop_after=1)
            assert last_backup(folder / "paused" / "backup")[:2] == (1, 0)
            fit(config, data, folder / "paused", verbose=0)


@pytest.fixture(scope="module")
def systems(tmp_path_factory):
    return write_systems(tmp_path_factory.mktemp("systems"))


@pytest.fixture(scope="module")
def trainings(systems, tmp_path_factory):
    """Folder of the folders of all trainings."""
    folder = tmp_path_factory.mktemp("trainings")
    PROCESSES.set_forkserver_preload(["socialmd.commands.train"])
    process = PROCESSES.Process(target=train_all, args=(systems, folder))
    process.start()
    try:
        process.join()
    finally:
        process.kill()
    assert process.exitcode == 0
    return folder


def test_the_last_batch_has_nothing_for_the_second_device(systems):
    data = experiment("social_lstm", 2).data
    sizes = {
        split: [len(targets) for _, targets in make_dataset(systems / split, data, BATCH_SIZE)]
        for split in PARTICLES
    }
    assert sizes == {"train": [4, 4, 1], "validation": [3]}


def check_same(found, expected):
    """Whether two trainings have the same losses and weights, up to rounding.

    Sums over a batch are rounded otherwise where two devices have added up a half each: by about
    1e-7 of their size. Nadam divides gradients by their own size, so where one is all but zero, a
    weight may differ by more than that, but not by more than a small part of an update, of 1e-3.
    """
    logs = [read_history(folder / "history.csv") for folder in (found, expected)]
    assert logs[0].keys() == logs[1].keys() >= {"loss", "mae", "val_loss", "val_mae"}
    for name, values in logs[1].items():
        np.testing.assert_allclose(logs[0][name], values, rtol=1e-5, err_msg=name)
    models = [load(folder) for folder in (found, expected)]
    for ours, theirs in zip(models[0].weights, models[1].weights, strict=True):
        # Factors are searched for until they are known to so many digits.
        rtol = 1e-3 if ours.name == "sigma_factors" else 1e-5
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-6, err_msg=ours.path)


def test_two_devices_train_as_one_does(trainings):
    """Scales and recalibration included, which are among the weights."""
    check_same(trainings / "two", trainings / "one")


def test_an_interrupted_training_on_two_devices_ends_as_an_uninterrupted_one(trainings):
    """Seeds of dropout included, and whether it is compiled or not."""
    check_same(trainings / "paused", trainings / "whole")
    assert read_history(trainings / "paused" / "history.csv")["epoch"] == [0, 1]


def test_one_device_reads_what_two_have_written(systems, trainings):
    model = keras.saving.load_model(trainings / "two" / "model.keras")  # with its optimizer
    assert int(model.optimizer.iterations) == 3
    assert model.optimizer.global_clipnorm == pytest.approx(0.1)
    data = experiment("social_lstm", 2).data
    validation = make_dataset(systems / "validation", data, BATCH_SIZE)
    with run_eagerly():
        loss = model.evaluate(validation, verbose=0, return_dict=True)["loss"]
    logged = read_history(trainings / "two" / "history.csv")["val_loss"]
    np.testing.assert_allclose(logged, [loss], rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 5}, "batch_size: expected a multiple of replicas = 2, found 5"),
        ({"precision": "mixed_float16"}, "replicas = 2, found mixed_float16"),
        ({"jit_compile": True}, "jit_compile: expected false for replicas = 2, found true"),
        ({"replicas": 0}, "greater than or equal to 1"),
    ],
)
def test_what_devices_cannot_share_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**{"replicas": 2, **options})


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_more_devices_than_there_are_are_refused(device, systems, tmp_path, monkeypatch):
    cpu = tf.config.PhysicalDevice("/physical_device:CPU:0", "CPU")
    monkeypatch.setattr(
        "tensorflow.config.list_physical_devices", lambda kind: [cpu] * (kind == "CPU")
    )
    config = experiment("social_lstm", 2)
    training = config.training.model_copy(update={"device": device})
    config = config.model_copy(update={"training": training})
    message = r"training\.replicas: expected at most 1, .* CPU devices \(.*CPU:0\), found 2"
    with pytest.raises(ValueError, match=message):
        fit(config, systems, tmp_path / "output", verbose=0)
    assert not (tmp_path / "output").exists()


def test_gpus_share_a_batch_where_there_are_any(monkeypatch):
    """As far as can be seen without them: how many there are is asked for, not how many CPUs."""
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: [gpu])
    logical = {"GPU": [tf.config.LogicalDevice("/device:GPU:0", "GPU")]}
    monkeypatch.setattr("tensorflow.config.list_logical_devices", logical.__getitem__)
    with pytest.raises(ValueError, match=r"GPU devices \(/device:GPU:0\), found 2"):
        on_device("auto", replicas=2)


def test_a_process_cannot_change_the_number_of_devices(monkeypatch):
    """TensorFlow itself would fail in the first step, with a message about groups of devices."""
    cpus = [tf.config.LogicalDevice(f"/device:CPU:{number}", "CPU") for number in range(3)]
    monkeypatch.setattr("tensorflow.config.list_logical_devices", lambda kind: cpus)
    monkeypatch.setattr("tensorflow.distribute.MirroredStrategy", mock.MagicMock())
    monkeypatch.setattr(
        "socialmd.training.device._mirrored", functools.cache(_mirrored.__wrapped__)
    )
    on_device("cpu", replicas=2)
    on_device("cpu", replicas=2)
    with pytest.raises(ValueError, match=r"training\.replicas: expected as many .* found 3"):
        on_device("cpu", replicas=3)
