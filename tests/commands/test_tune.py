import json

import matplotlib.image
import numpy as np
import pytest

from socialmd import load_config, save_config
from socialmd.commands import tune
from socialmd.training.search import read_trials, trial_tuner
from tests.training.search.conftest import search_config  # noqa: F401


@pytest.fixture
def search(search_config, data, tmp_path, monkeypatch):  # noqa: F811
    """Arguments of the script; trainings are pretended, and the third fails."""

    def pretend(_, task):
        if task.folder.name == "trial_02":
            return 1
        loss = abs(task.values["model.units"] - 5) + 10 * task.values["training.learning_rate"]
        (task.folder / "history.csv").write_text(f"epoch,val_loss\n0,{loss}\n")
        return 0

    monkeypatch.setattr(trial_tuner, "run_apart", pretend)
    save_config(search_config, tmp_path / "search.toml")
    return [str(path) for path in (tmp_path / "search.toml", data, tmp_path / "search")]


def test_a_search_is_summed_up_and_drawn(search, tmp_path, capsys):
    tune.main([*search, "--trials", "14"])
    printed = capsys.readouterr().out
    assert "14 trials: 13 complete, 1 failed" in printed
    assert "trial_02: failed: ended with status 1" in printed
    folder = tmp_path / "search"
    complete = [record for record in read_trials(folder) if record.status == "COMPLETED"]
    best = min(complete, key=lambda record: record.losses["val_loss"])
    assert f"best: {best.name}, validation NLL {best.losses['val_loss']:.4f}" in printed
    assert load_config(folder / "best.toml").model.units == best.values["model.units"]
    importances = json.loads((folder / "importances.json").read_text())
    assert sum(importances.values()) == pytest.approx(1.0)
    # It is what the pretended loss depends on most.
    assert next(iter(importances)) == "model.units"
    for name in ("progress", "surfaces", "importances"):
        assert np.ptp(matplotlib.image.imread(folder / f"{name}.png")[..., :3]) > 0.5


def test_few_trials_have_no_importances(search, tmp_path, capsys):
    tune.main([*search, "--trials", "2", "--algorithm", "random"])
    assert "2 trials: 2 complete, 0 failed" in capsys.readouterr().out
    assert (tmp_path / "search" / "progress.png").is_file()
    assert not (tmp_path / "search" / "importances.json").exists()


def test_a_worker_leaves_the_results_to_the_chief(search, tmp_path, capsys, monkeypatch):
    tune.main([*search, "--trials", "2"])
    (tmp_path / "search" / "trials.csv").unlink()
    for name, value in (("TUNER_ID", "worker1"), ("ORACLE_IP", "10.0.0.1"), ("ORACLE_PORT", "1")):
        monkeypatch.setenv(f"KERASTUNER_{name}", value)
    tune.main([*search, "--trials", "2"])  # complete: there is no chief to ask
    assert "No more trials for this worker" in capsys.readouterr().out
    assert not (tmp_path / "search" / "trials.csv").exists()


@pytest.mark.parametrize("option", [["--trials", "0"], ["--algorithm", "annealing"]])
def test_impossible_options_are_refused(search, option, capsys):
    with pytest.raises(SystemExit):
        tune.main([*search, *option])
    assert option[0] in capsys.readouterr().err
