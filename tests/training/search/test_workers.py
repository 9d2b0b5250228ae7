"""A chief and two workers, each a process: KerasTuner's own service, on this machine."""

import socket
import threading
import time
from collections import Counter

import keras_tuner
import pytest
from keras_tuner.engine.base_tuner import BaseTuner

from socialmd.training.search import read_trials
from socialmd.training.search.durable_oracle import DurableOracle

TRIALS = 8


@pytest.fixture
def service():
    """Environment variables of a search on many machines, without the name of this one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": port, "SILENCE": 3}


@pytest.mark.slow
def test_all_trials_are_made_once_though_a_worker_is_killed(
    tmp_path, service, start_search, wait_until
):
    folder = tmp_path / "search"
    victim = start_search(600.0, TRIALS, KERASTUNER_TUNER_ID="victim", **service)
    time.sleep(1.0)  # the chief is late
    chief = start_search(0.0, TRIALS, KERASTUNER_TUNER_ID="chief", **service)
    wait_until(lambda: list(folder.glob("trial_*/started.txt")), "a trial of the worker")
    worker = start_search(1.0, TRIALS, KERASTUNER_TUNER_ID="worker", **service)
    wait_until(lambda: (folder / "ended.txt").is_file(), "a trial of the other worker")
    victim.kill()

    assert worker.wait(240) == 0
    assert chief.wait(240) == 0
    names = Counter(line.split()[0] for line in (folder / "ended.txt").read_text().splitlines())
    records = read_trials(folder)
    assert [record.status for record in records] == ["COMPLETED"] * TRIALS
    assert names == Counter(record.name for record in records)
    assert (folder / "trials.csv").is_file()
    assert (folder / "best.toml").is_file()
    # Whoever comes now does not wait for a chief.
    late = start_search(0.0, TRIALS, KERASTUNER_TUNER_ID="late", **service)
    assert late.wait(240) == 0


def make_oracle(tmp_path):
    kind = type("oracle", (DurableOracle, keras_tuner.oracles.RandomSearchOracle), {})
    space = keras_tuner.HyperParameters()
    space.Float("x", 0.0, 1.0)
    oracle = kind(keras_tuner.Objective("loss", "min"), max_trials=3, seed=1, hyperparameters=space)
    oracle.verbose = 0
    oracle.file = tmp_path / "search" / "oracle.json"
    BaseTuner(oracle, directory=str(tmp_path), project_name="search")
    return oracle


def test_only_trials_of_silent_workers_are_given_to_others(tmp_path):
    oracle = make_oracle(tmp_path)
    silent, busy = (oracle.create_trial(name).trial_id for name in ("silent", "busy"))
    time.sleep(0.2)
    oracle.get_trial(busy)
    assert oracle.release_lost_trials(0.1) == [silent]
    assert oracle.release_lost_trials(0.1) == []
    assert list(oracle.ongoing_trials) == ["busy"]
    assert oracle.tuner_ids == {"busy"}
    assert oracle.create_trial("other").trial_id == silent


def test_a_chief_that_comes_back_leaves_running_trials_to_their_workers(tmp_path, monkeypatch):
    running = make_oracle(tmp_path).create_trial("worker").trial_id
    for name, value in (("ORACLE_IP", "127.0.0.1"), ("ORACLE_PORT", "0"), ("TUNER_ID", "chief")):
        monkeypatch.setenv(f"KERASTUNER_{name}", value)
    oracle = make_oracle(tmp_path)
    oracle.reload()
    assert oracle.create_trial("other").trial_id != running
    assert oracle.create_trial("worker").trial_id == running
    monkeypatch.delenv("KERASTUNER_ORACLE_IP")
    alone = make_oracle(tmp_path)
    alone.reload()
    assert {alone.create_trial(f"new{index}").trial_id for index in range(2)} >= {running}


def test_a_damaged_state_is_refused_by_name(tmp_path):
    oracle = make_oracle(tmp_path)
    oracle.save()
    path = tmp_path / "search" / "oracle.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(ValueError, match=r"oracle\.json: not the state of a search"):
        make_oracle(tmp_path).reload()


def test_saving_while_requests_come_in_does_not_fail(tmp_path):
    """The service's thread makes trials while the chief looks for lost ones."""
    oracle = make_oracle(tmp_path)
    errors = []

    def look():
        try:
            for _ in range(50):
                oracle.release_lost_trials(60.0)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    for index in range(3):
        oracle.create_trial(f"worker{index}")
    thread.join()
    assert errors == []
