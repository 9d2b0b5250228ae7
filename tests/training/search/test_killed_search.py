"""A search that is killed and started again makes the trials of one that was not, each once."""

import json

import pytest

from socialmd.training.search import read_trials, search_hyperparameters, trial_tuner
from tests.training.search.search_driver import pretend

TRIALS = 14  # more than the random ones


def ended(folder):
    """Names and losses of the trials that have ended, in that order."""
    file = folder / "ended.txt"
    return [line.split() for line in file.read_text().splitlines()] if file.is_file() else []


def test_a_trial_may_be_killed_between_its_result_and_its_end(
    data, tmp_path, search_config, monkeypatch
):
    def interrupt(tuner, _):
        tuner.save()
        raise KeyboardInterrupt

    monkeypatch.setattr(trial_tuner, "run_apart", pretend)
    with monkeypatch.context() as patch:
        patch.setattr(trial_tuner.TrialTuner, "on_trial_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            search_hyperparameters(search_config, data, tmp_path, max_trials=1)
    search_hyperparameters(search_config, data, tmp_path, max_trials=1)
    assert [record.status for record in read_trials(tmp_path)] == ["COMPLETED"]


def test_a_killed_search_goes_on_where_it_was(
    data, tmp_path, search_config, start_search, wait_until, monkeypatch
):
    interrupted = tmp_path / "search"
    process = start_search(0.1, TRIALS)
    wait_until(lambda: len(ended(interrupted)) >= 11, "eleven trials")
    process.kill()
    process.wait()
    state = json.loads((interrupted / "oracle.json").read_text())
    assert 11 <= len(state["trials"]) < TRIALS
    monkeypatch.setattr(trial_tuner, "run_apart", pretend)
    search_hyperparameters(search_config, data, interrupted, max_trials=TRIALS)

    assert [record.status for record in read_trials(interrupted)] == ["COMPLETED"] * TRIALS
    # One may have ended, and its process been killed, before the search could note it.
    assert TRIALS <= len(ended(interrupted)) <= TRIALS + 1

    whole = tmp_path / "whole"
    search_hyperparameters(search_config, data, whole, max_trials=TRIALS)
    assert {tuple(each) for each in ended(interrupted)} == {tuple(each) for each in ended(whole)}
    for name in ("trials.csv", "best.toml"):
        assert (interrupted / name).read_bytes() == (whole / name).read_bytes()
