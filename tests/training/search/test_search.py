"""A whole search in miniature, with real trainings."""

import csv
import functools

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from socialmd import load_config
from socialmd.claim import FolderInUseError, claim
from socialmd.data.dataset_description import describe_dataset, save_array
from socialmd.models import load
from socialmd.training import read_history
from socialmd.training.search import read_trials, search_hyperparameters, trial_tuner
from socialmd.training.search.run_trial import FAILURE, train_trial, write_failure
from tests.run_eagerly import run_eagerly

TRIALS = 2


def train_here(_, task):
    """In this process, compiling nothing; a reason for a failure as the other process leaves it."""
    try:
        with run_eagerly():
            train_trial(task)
    except Exception as error:
        write_failure(task.folder, f"{type(error).__name__}: {error}")
        return 1
    return 0


@pytest.fixture(scope="module")
def searched(search_config, data, tmp_path_factory):
    """Folder of a search by the tree-structured Parzen estimator."""
    folder = tmp_path_factory.mktemp("search") / "tpe"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial_tuner, "run_apart", train_here)
        search_hyperparameters(search_config, data, folder, max_trials=TRIALS)
    return folder


def rows(folder):
    with open(folder / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_each_trial_is_a_training_with_its_values(searched):
    assert [row["trial"] for row in rows(searched)] == [f"trial_{index}" for index in range(TRIALS)]
    for row in rows(searched):
        model = load(searched / row["trial"])
        config = model.experiment
        assert row["status"] == "COMPLETED"
        assert config.model.units == model.cell.units == int(row["model.units"])
        assert config.training.learning_rate == float(row["training.learning_rate"])
        assert config.search is None
        history = read_history(searched / row["trial"] / "history.csv")
        assert float(row["val_loss"]) == min(history["val_loss"])
        assert row["epochs"] == "2"
        assert float(row["peak_memory_bytes"]) > 1e8


def test_the_best_trial_becomes_an_experiment(searched, search_config):
    losses = {row["trial"]: float(row["val_loss"]) for row in rows(searched)}
    best = load_config(searched / "best.toml")
    trial = load_config(searched / min(losses, key=losses.get) / "config.toml")
    assert (best.model, best.training, best.data) == (trial.model, trial.training, trial.data)
    assert best.training.epochs == search_config.training.epochs


def test_tensorboard_knows_values_and_results(searched):
    for record in read_trials(searched):
        events = EventAccumulator(str(searched / record.name / "tensorboard" / "search"))
        events.Reload()
        (content,) = (
            events.SummaryMetadata(tag).plugin_data.content
            for tag in events.Tags()["tensors"]
            if "session_start" in tag
        )
        data = plugin_data_pb2.HParamsPluginData.FromString(content)
        hparams = data.session_start_info.hparams
        assert hparams["model.units"].number_value == record.values["model.units"]
        assert np.isclose(
            hparams["training.learning_rate"].number_value, record.values["training.learning_rate"]
        )
        (loss,) = events.Tensors("search/val_loss")
        value = tf.make_ndarray(loss.tensor_proto)
        assert np.isclose(value, record.losses["val_loss"])


def test_a_complete_search_is_left_alone_and_a_longer_one_goes_on(
    searched, search_config, data, tmp_path, monkeypatch
):
    calls = []

    def count(function, task):
        calls.append(task.folder.name)
        return train_here(function, task)

    monkeypatch.setattr(trial_tuner, "run_apart", count)
    before = rows(searched)
    search_hyperparameters(search_config, data, searched, max_trials=TRIALS)
    assert calls == []
    assert rows(searched) == before
    records = search_hyperparameters(search_config, data, searched, max_trials=TRIALS + 1)
    assert calls == [f"trial_{TRIALS}"]
    assert len(records) == len(rows(searched)) == TRIALS + 1
    assert rows(searched)[:TRIALS] == before


def test_trials_that_fail_are_recorded_and_skipped(search_config, data, tmp_path, monkeypatch):
    """Not finite, without a reason: the next one's turn comes."""

    def fail(_, task):
        assert task.memory_gib == 0.5
        if task.folder.name == "trial_0":
            write_failure(task.folder, "RuntimeError: expected a finite loss, found nan")
            return 1
        return -9

    monkeypatch.setattr(trial_tuner, "run_apart", fail)
    folder = tmp_path / "search"
    search = search_config.search.model_copy(update={"memory_gib": 0.5})
    config = search_config.model_copy(update={"search": search})
    records = search_hyperparameters(config, data, folder, "random", max_trials=5)
    assert [record.status for record in records] == ["FAILED"] * 5
    assert "found nan" in rows(folder)[0]["reason"]
    assert "signal 9, perhaps for want of memory" in rows(folder)[1]["reason"]
    assert not (folder / "best.toml").exists()


def test_a_trial_ends_when_its_time_is_over(search_config, data, tmp_path, monkeypatch):
    search = search_config.search.model_copy(update={"minutes": 1e-9})
    training = search_config.training.model_copy(update={"epochs": 50})
    config = search_config.model_copy(update={"search": search, "training": training})
    monkeypatch.setattr(trial_tuner, "run_apart", train_here)
    (record,) = search_hyperparameters(config, data, tmp_path / "search", max_trials=1)
    assert record.status == "COMPLETED"
    assert record.num_epochs == 1
    assert load_config(tmp_path / "search" / "best.toml").training.epochs == 50


def test_hyperband_trains_the_better_trials_for_longer(search_config, data, tmp_path, monkeypatch):
    tasks, copied = [], {}

    def pretend(_, task):
        """As many epochs as asked for, continued from what is there."""
        tasks.append(task)
        if (task.folder / "config.toml").is_file():
            copied[task.folder.name] = (task.folder / "config.toml").read_text()
        losses = [
            f"{epoch},{task.values['model.units'] - 0.1 * epoch}" for epoch in range(task.epochs)
        ]
        (task.folder / "history.csv").write_text("\n".join(["epoch,val_loss", *losses]))
        (task.folder / "config.toml").write_text(task.folder.name)
        return 0

    monkeypatch.setattr(trial_tuner, "run_apart", pretend)
    search = search_config.search.model_copy(update={"epochs": 9})
    config = search_config.model_copy(update={"search": search})
    folder = tmp_path / "search"
    records = search_hyperparameters(config, data, folder, "hyperband", max_trials=16)
    assert {record.num_epochs for record in records} == {1, 3, 9}
    assert len(records) == 16
    numbers = {record.name: record.trial.hyperparameters.values for record in records}
    shorter, longer = ([task for task in tasks if task.epochs == epochs] for epochs in (1, 3))
    # The first bracket begins with nine of one epoch, of which the three best get three.
    best = sorted(task.values["model.units"] for task in shorter[:9])[:3]
    promoted = [task for task in longer if "trial_id" in str(numbers[task.folder.name])]
    assert sorted(task.values["model.units"] for task in promoted)[:3] == best
    for task in promoted:  # not trained anew: the folder of the shorter training was copied
        earlier = numbers[task.folder.name]["tuner/trial_id"]
        assert copied[task.folder.name] == f"trial_{earlier}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithm": "annealing"}, "expected one of tpe, bayesian"),
        ({"max_trials": 0}, "at least 1, found 0"),
        ({"algorithm": "random"}, "a search with tpe"),
    ],
)
def test_impossible_searches_are_refused(searched, search_config, data, change, message):
    before = (searched / "oracle.json").read_bytes()
    with pytest.raises(ValueError, match=message):
        search_hyperparameters(search_config, data, searched, **change)
    assert (searched / "oracle.json").read_bytes() == before


@pytest.mark.parametrize("missing", ["TUNER_ID", "ORACLE_IP", "ORACLE_PORT"])
def test_a_worker_that_knows_no_chief_does_not_search_alone(
    searched, search_config, data, missing, monkeypatch
):
    for name in {"TUNER_ID", "ORACLE_IP", "ORACLE_PORT"} - {missing}:
        monkeypatch.setenv(f"KERASTUNER_{name}", "worker1")
    with pytest.raises(ValueError, match=f"KERASTUNER_{missing}: expected in the environment"):
        search_hyperparameters(search_config, data, searched)


def test_two_processes_do_not_make_one_search(searched, search_config, data):
    with claim(searched, name="chief"), pytest.raises(FolderInUseError, match="chief there is in"):
        search_hyperparameters(search_config, data, searched)


def test_another_search_is_not_mixed_into_a_folder(searched, search_config, data, config, tmp_path):
    training = search_config.training.model_copy(update={"seed": 5})
    with pytest.raises(ValueError, match="another configuration"):
        search_hyperparameters(
            search_config.model_copy(update={"training": training}), data, searched
        )
    with pytest.raises(ValueError, match=r"a table \[search\]"):
        search_hyperparameters(config, data, tmp_path / "none")
    with pytest.raises(FileNotFoundError, match=r"dataset\.json"):
        search_hyperparameters(search_config, tmp_path / "nowhere", tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("given", "missing"), [("train", "validation"), ("validation", "train")])
def test_a_data_set_that_lacks_a_split_is_refused(given, missing, search_config, tmp_path, rng):
    save_array(tmp_path / given / "simulation_0.npy", rng.normal(size=(4, 2, 2)))
    describe_dataset(tmp_path, features=("x", "y"), frame_spacing=1.0)
    with pytest.raises(FileNotFoundError, match=f"{missing}: found no simulation"):
        search_hyperparameters(search_config, tmp_path, tmp_path / "search")


@pytest.mark.parametrize("algorithm", ["bayesian", "random"])
def test_other_algorithms_search_too(algorithm, search_config, data, tmp_path, monkeypatch):
    def pretend(_, task):
        loss = abs(task.values["model.units"] - 5) + task.values["training.learning_rate"]
        (task.folder / "history.csv").write_text(f"epoch,val_loss\n0,{loss}\n")
        return 0

    monkeypatch.setattr(trial_tuner, "run_apart", pretend)
    search = functools.partial(search_hyperparameters, search_config, data, algorithm=algorithm)
    whole = search(tmp_path / "whole", max_trials=9)
    search(tmp_path / "parts", max_trials=5)
    parts = search(tmp_path / "parts", max_trials=9)
    assert len({tuple(record.values.values()) for record in whole}) == 9
    assert [record.values for record in parts] == [record.values for record in whole]
    assert not list(tmp_path.glob(f"*/*/{FAILURE}"))
