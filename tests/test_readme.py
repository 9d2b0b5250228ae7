"""What the README shows runs."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest

from socialmd import ExperimentConfig, save_config
from socialmd.models import load
from socialmd.training import fit, read_history
from tests.miniature import EXPERIMENT
from tests.run_eagerly import run_eagerly
from tests.training.no_log import no_log

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize(
    ("prediction", "grid_sizes", "mode"),
    [("position", [4.0, 1.0], contextlib.nullcontext), ("acceleration", [], run_eagerly)],
    ids=["position", "acceleration"],
)
def test_the_script_trains_a_model(prediction, grid_sizes, mode, data, tmp_path, monkeypatch):
    (script,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    experiment = {
        **EXPERIMENT,
        "model": {**EXPERIMENT["model"], "prediction": prediction, "grid_sizes": grid_sizes},
        "training": {"batch_size": 4, "epochs": 2, "gradient_clip_norm": 1.0},
    }
    config = ExperimentConfig.model_validate(experiment)
    save_config(config, tmp_path / "models/mixture.toml")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "monopoles").symlink_to(data)
    monkeypatch.chdir(tmp_path)

    names = {}
    script = script.replace("num_steps=200", "num_steps=20")
    with mode(), no_log():
        exec(compile(script, str(README), "exec"), names)
        fit(config, data, tmp_path / "runs/same", verbose=0)

    losses = names["history"].history["val_loss"]
    assert len(losses) == 2
    assert min(losses) < min(read_history("runs/same/history.csv")["val_loss"]) + 0.3
    assert names["futures"].shape[:1] == (10,)
    assert names["positions"].shape[1:] == (20, 3, 2)
    model = load("runs/mine")
    np.testing.assert_array_equal(model(names["inputs"]), names["model"](names["inputs"]))


@pytest.mark.parametrize(
    "path", [README, *README.parent.glob("saved_models/**/README.md")], ids=lambda p: p.parent.name
)
def test_pictures_and_links_to_files_exist(path):
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text("utf-8"))
    files = [link for link in links if "://" not in link]
    assert files
    assert [file for file in files if not (path.parent / file).exists()] == []


def test_every_path_in_the_readme_exists():
    root = README.parent
    text = README.read_text()
    folders = "pipelines|models|tests|socialmd|docs|saved_models"
    paths = re.findall(rf"(?<![\w/])(?:{folders})/[\w/]+\.(?:py|toml|png|gif)", text)
    assert paths
    assert [path for path in paths if not (root / path).exists()] == []
