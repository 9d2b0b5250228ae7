"""The whole way in miniature: simulate, train, evaluate, export, as the first command does it."""

import json
import re

import pytest
from PIL import Image

from socialmd import ExperimentConfig
from socialmd.commands import quickstart
from socialmd.config import save_config
from tests.world import EXPERIMENT

SIMULATION = {
    "num_train": 2,
    "num_validation": 1,
    "num_test": 2,
    "num_steps": 40,
    "time_step": 1e-4,
    "keep_every": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart")
    experiment = {**EXPERIMENT, "simulation": SIMULATION}
    save_config(ExperimentConfig.model_validate(experiment), folder / "config.toml")
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("coarse_figures")
def test_quickstart_does_everything_and_says_where_it_is(folder, capsys, monkeypatch):
    output = folder / "output"
    arguments = [str(output), "--config", str(folder / "config.toml")]
    quickstart.main(arguments)
    printed = capsys.readouterr().out

    for script in ("simulate", "train", "evaluate", "export"):
        assert f"$ socialmd {script}" in printed
    for name, rival in (
        ("quickstart", "[a-z ]+, the best baseline"),
        ("interaction", "[a-z ]+, the best baseline"),
        ("interaction", "quickstart"),
    ):
        assert re.search(f"2 simulations are too few to tell whether {name} beats {rival}", printed)
    shown = [line.split()[0] for line in printed.split("Look at\n")[1].splitlines()]
    assert len(shown) == 7
    for name in shown:
        path = folder / name
        assert path.exists()
        if path.suffix in {".png", ".gif"}:
            with Image.open(path) as image:
                assert min(image.size) > 200
    metrics = json.loads((output / "evaluation" / "metrics.json").read_text())
    assert set(metrics["forecasts"]) == {
        "quickstart",
        "interaction",
        "constant position",
        "constant velocity",
        "linear autoregression",
        "known law",
    }

    run = quickstart.run_command
    monkeypatch.setattr(  # the other two would only take their time again
        quickstart,
        "run_command",
        lambda name, *rest: name in ("simulate", "train") and run(name, *rest),
    )
    quickstart.main(arguments)  # nothing is simulated or trained twice
    again = capsys.readouterr().out
    assert "already complete" in again
    assert "nothing to do" in again
