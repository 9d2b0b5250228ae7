import gc
import os
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config as tensorflow_config

from socialmd.claim import FolderInUseError, claim
from socialmd.config import ManyBodySystem, TrainingConfig
from socialmd.data import make_dataset, read_windows
from socialmd.models import load
from socialmd.training import compile_model, fit, read_history
from socialmd.training.device import on_device
from socialmd.training.training_backup import last_backup
from tests.run_eagerly import run_eagerly
from tests.training.event_files import read_run
from tests.world import write_circles


@pytest.fixture
def log_left_open():
    """Keras' CSVLogger leaves its file open when training is interrupted: closed at once here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


def with_training(config, **options):
    training = TrainingConfig(**{**config.training.model_dump(), **options})
    return config.model_copy(update={"training": training})


class Interrupt(keras.callbacks.Callback):
    """Stops a training as a killed process does: in the middle of an epoch."""

    def on_train_batch_begin(self, batch, logs=None):
        if self.model.optimizer.iterations.numpy() == 4:  # of 3 batches an epoch
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def trained(config, data, tmp_path_factory):
    """Folder and model of one complete training; tests only look at them."""
    folder = tmp_path_factory.mktemp("trained")
    return folder, fit(config, data, folder, verbose=0)


@pytest.fixture(scope="module")
def eager_config(config):
    """For trainings that are not compiled: no pooling, which would be most of each step."""
    model = config.model.model_copy(update={"grid_sizes": ()})
    return config.model_copy(update={"model": model})


@pytest.fixture(scope="module")
def uninterrupted(eager_config, data, tmp_path_factory):
    """Folder and model of what an interrupted training has to end as."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    with run_eagerly():
        return folder, fit(eager_config, data, folder, verbose=0)


def test_training_leaves_a_model_a_log_and_its_configuration(config, data, trained):
    folder, model = trained
    loaded = load(folder)
    loaded_config = loaded.experiment
    # What is said of the system that we simulate ourselves does not hold for these data.
    others = {"system": loaded_config.system, "simulation": loaded_config.simulation}
    assert loaded_config == config.model_copy(update=others)
    assert loaded_config.system == ManyBodySystem()
    inputs, _ = next(iter(make_dataset(data / "test", config.data, 4)))
    np.testing.assert_array_equal(loaded(inputs), model(inputs))
    history = read_history(folder / "history.csv")
    assert history["epoch"] == [0, 1, 2]
    assert {"loss", "mae", "val_loss", "val_mae"} <= set(history)
    assert not (folder / "backup").exists()


def test_a_trained_model_is_recalibrated_on_the_validation_split(config, data, trained):
    _, model = trained
    kept = np.array(model.sigma_factors)
    assert (kept != 1.0).all()
    as_stored = config.data.model_copy(update={"num_rotations": 0})
    model.recalibrate(make_dataset(data / "validation", as_stored, 4))
    np.testing.assert_allclose(kept, model.sigma_factors, rtol=1e-3)


def test_the_best_weights_are_kept(config, data, trained):
    folder, _ = trained
    model = load(folder)
    compile_model(model, config.training)
    validation = make_dataset(data / "validation", config.data, config.training.batch_size)
    loss = model.evaluate(validation, verbose=0, return_dict=True)["loss"]
    best = min(read_history(folder / "history.csv")["val_loss"])
    np.testing.assert_allclose(loss, best, rtol=1e-5)


@pytest.mark.usefixtures("log_left_open", "eagerly")
def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    eager_config, data, uninterrupted, tmp_path
):
    """Bit for bit, though in a process that has done much else before."""
    folder, expected = uninterrupted
    config = with_training(eager_config, backup_every=1)
    with pytest.raises(KeyboardInterrupt):
        fit(config, data, tmp_path, callbacks=[Interrupt()], verbose=0)
    assert not (tmp_path / "model.keras").exists()
    assert last_backup(tmp_path / "backup")[:2] == (1, 1)
    resumed = fit(config, data, tmp_path, verbose=0)
    for ours, theirs in zip(resumed.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert read_history(tmp_path / "history.csv") == read_history(folder / "history.csv")
    for run in ("train", "validation", "best_baseline"):
        found, whole = (read_run(path / "tensorboard" / run) for path in (tmp_path, folder))
        # Where it stopped shows nowhere; the configurations do differ, in `backup_every`.
        assert found.pop("configuration", {}).keys() == whole.pop("configuration", {}).keys()
        assert str(found) == str(whole)


@pytest.mark.usefixtures("eagerly")
def test_a_paused_training_leaves_a_model_and_ends_as_an_uninterrupted_one(
    eager_config, data, uninterrupted, tmp_path
):
    _, expected = uninterrupted
    paused = fit(eager_config, data, tmp_path, verbose=0, stop_after=1)
    assert read_history(tmp_path / "history.csv")["epoch"] == [0]
    assert last_backup(tmp_path / "backup")[:2] == (1, 0)
    loaded = load(tmp_path)
    for ours, theirs in zip(loaded.weights, paused.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    (tmp_path / "best.weights.h5").unlink()  # the model holds the same
    again = fit(eager_config, data, tmp_path, verbose=0, stop_after=1)
    assert again.densities == ("marginal",)
    for ours, theirs in zip(load(tmp_path).weights, paused.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    resumed = fit(eager_config, data, tmp_path, verbose=0)
    for ours, theirs in zip(resumed.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not (tmp_path / "backup").exists()


def test_a_pause_before_the_first_epoch_is_refused(config, data, tmp_path):
    with pytest.raises(ValueError, match="stop_after: expected at least 1, found 0"):
        fit(config, data, tmp_path, verbose=0, stop_after=0)


def test_a_complete_training_is_not_repeated(config, data, trained, capsys):
    folder, _ = trained
    before = (folder / "model.keras").stat().st_mtime_ns
    fit(config, data, folder, verbose=0)
    assert "nothing to do" in capsys.readouterr().out
    assert (folder / "model.keras").stat().st_mtime_ns == before


def test_two_processes_do_not_train_in_one_folder(config, data, tmp_path):
    with claim(tmp_path), pytest.raises(FolderInUseError, match="it is in use by process"):
        fit(config, data, tmp_path, verbose=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("eagerly")
def test_a_lost_log_of_epochs_is_not_accepted(eager_config, data, tmp_path, monkeypatch):
    """With it the smallest loss would be lost, and better weights replaced by worse ones."""
    synced, fsync = [], os.fsync

    def record(file):
        synced.append(os.fstat(file).st_ino)
        fsync(file)

    monkeypatch.setattr(os, "fsync", record)
    fit(eager_config, data, tmp_path, verbose=0, stop_after=1)
    log = tmp_path / "history.csv"
    assert log.stat().st_ino in synced  # a power cut would not have taken it
    log.write_bytes(b"")
    with pytest.raises(ValueError, match=r"history\.csv: expected the 1 epochs .* found 0"):
        fit(eager_config, data, tmp_path, verbose=0)


def test_another_experiments_folder_is_refused(config, data, trained):
    folder, _ = trained
    with pytest.raises(ValueError, match="another configuration"):
        fit(with_training(config, seed=5), data, folder, verbose=0)


@pytest.mark.usefixtures("eagerly")
def test_training_stops_early_without_improvement(eager_config, data, tmp_path):
    # A learning rate at which nothing improves after the first epochs.
    config = with_training(eager_config, epochs=6, patience=2, learning_rate=1e-12)
    fit(config, data, tmp_path, verbose=0)
    losses = read_history(tmp_path / "history.csv")["val_loss"]
    assert len(losses) < 6
    assert len(losses) - 1 - int(np.argmin(losses)) == 2


@pytest.mark.usefixtures("log_left_open", "eagerly")
def test_a_loss_that_is_not_finite_stops_training_and_names_the_batch(eager_config, data, tmp_path):
    class Poison(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 2:
                weight = self.model.trainable_weights[0]
                weight.assign(np.full(weight.shape, np.nan))

    with pytest.raises(RuntimeError, match="epoch 0, training batch 2"):
        fit(eager_config, data, tmp_path, callbacks=[Poison()], verbose=0)
    assert not (tmp_path / "model.keras").exists()


@pytest.mark.usefixtures("log_left_open", "eagerly")
def test_a_validation_loss_that_is_not_finite_keeps_no_weights(eager_config, data, tmp_path):
    class Poison(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            weight = self.model.trainable_weights[0]
            weight.assign(np.full(weight.shape, np.nan))

    with pytest.raises(RuntimeError, match="epoch 0, validation batch 0"):
        fit(eager_config, data, tmp_path, callbacks=[Poison()], verbose=0)
    assert not (tmp_path / "best.weights.h5").exists()


def test_tensorboard_shows_batches_epochs_forecasts_and_what_is_trained(config, data, trained):
    folder, model = trained
    train, validation = (read_run(folder / "tensorboard" / run) for run in ("train", "validation"))
    history = read_history(folder / "history.csv")
    for name in ("loss", "mae"):
        for run, key in ((train, name), (validation, f"val_{name}")):
            assert list(run[f"epoch/{name}"].values()) == pytest.approx(history[key], rel=1e-6)
    assert {"batch/gradient_norm", "batch/learning_rate", "weight_norm/all"} <= train.keys()
    assert list(train["batch/loss"]) == list(range(1, 10))  # three epochs of three
    assert b"subsample = 2" in train["configuration"][0]
    assert b"frame_spacing" in train["data"][0]
    assert len(validation["forecast/example"]) == 3
    best = int(np.argmin(history["val_loss"]))
    windows = read_windows(data, "validation", config.data, config.training.batch_size)
    positions, _ = model.rollout(windows.inputs)
    expected = np.abs(np.array(positions) - windows.truth)[:, -1].mean()
    assert validation["forecast/mae_4_steps_ahead"][best] == pytest.approx(expected, rel=1e-4)


def test_missing_data_leaves_no_output(config, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        fit(config, tmp_path / "nowhere", tmp_path / "output", verbose=0)
    assert not (tmp_path / "output").exists()


@pytest.mark.usefixtures("eagerly")
def test_a_training_interrupted_before_the_model_is_saved_only_saves_it(
    eager_config, data, tmp_path, monkeypatch
):
    config = with_training(eager_config, epochs=1)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("socialmd.models.SocialLSTM.save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fit(config, data, tmp_path, verbose=0)
    log = (tmp_path / "history.csv").read_text()
    fit(config, data, tmp_path, verbose=0)
    assert (tmp_path / "model.keras").is_file()
    assert (tmp_path / "history.csv").read_text() == log


def test_other_data_are_refused(config, data, trained, tmp_path):
    folder, _ = trained
    other = write_circles(tmp_path / "other", seed=2)
    with pytest.raises(ValueError, match="other data"):
        fit(config, other, folder, verbose=0)


def test_grids_much_wider_than_the_data_are_refused(config, data, tmp_path):
    model = config.model.model_copy(update={"grid_sizes": (100.0, 1.0)})
    with pytest.raises(ValueError, match=r"model\.grid_sizes: .*found 100\.0"):
        fit(config.model_copy(update={"model": model}), data, tmp_path / "output", verbose=0)
    assert not (tmp_path / "output").exists()


def test_xla_that_cannot_compile_is_refused(config, data, tmp_path, monkeypatch):
    """Asked for by the user, operations are deterministic, and Keras does without XLA."""
    monkeypatch.setattr(tensorflow_config, "is_op_determinism_enabled", lambda: True)
    with pytest.raises(ValueError, match=r"training\.jit_compile: expected false, found true"):
        fit(with_training(config, jit_compile=True), data, tmp_path / "output", verbose=0)
    assert not (tmp_path / "output").exists()


def test_a_gpu_that_is_not_there_is_refused(config, data, tmp_path, monkeypatch):
    cpu = tf.config.PhysicalDevice("/physical_device:CPU:0", "CPU")
    monkeypatch.setattr(
        "tensorflow.config.list_physical_devices", lambda kind="CPU": [cpu] * (kind == "CPU")
    )
    with pytest.raises(ValueError, match=r"training\.device: expected a GPU, found only .*CPU:0"):
        fit(with_training(config, device="gpu"), data, tmp_path / "output", verbose=0)
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("device", "placement"), [("cpu", "/device:CPU:0"), ("auto", ""), ("gpu", "")]
)
def test_only_a_cpu_has_to_be_asked_for(device, placement, monkeypatch):
    """TensorFlow takes the GPU by itself where there is one."""
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind=None: [gpu])
    with tf.Graph().as_default(), on_device(device):
        assert tf.zeros(1).device == placement
