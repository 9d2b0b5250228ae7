"""What README and docs show runs: in miniature, or, where that would take hours, up to its parsing.

The README's script is in `tests/test_readme.py`.
"""

import importlib
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from socialmd import ExperimentConfig
from socialmd.config import save_config
from socialmd.models import export_saved_model
from tests.miniature import EXPERIMENT
from tests.models.tiny import tiny_inputs, tiny_model
from tests.training.no_log import no_log

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SIMULATION = {
    "num_train": 110,
    "num_validation": 10,
    "num_test": 2,
    "num_steps": 40,
    "time_step": 1e-4,
    "keep_every": 1,
}
SEARCH = {"epochs": 1, "training": {"learning_rate": {"minimum": 1e-4, "maximum": 1e-2}}}

COMMAND = r"(?:python pipelines/|(?<![\w/.])socialmd )(\w+)(?:\.py)?([^\n'\";&]*)"


def blocks(language):
    """File, line and text of each block."""
    return [
        pytest.param(match[1], id=f"{path.stem}:{text[: match.start()].count(chr(10)) + 1}")
        for path in FILES
        for text in [path.read_text("utf-8")]
        for match in re.finditer(rf"(?ms)^```{language}\n(.*?)^```", text)
    ]


def commands(text):
    """Name and words of each command in lines of a shell."""
    joined = text.replace("\\\n", " ")
    for match in re.finditer(
        r"(?:python pipelines/|(?<![\w/.])socialmd )(\w+)(?:\.py)?([^\n'\";&]*)", joined
    ):
        yield match[1], shlex.split(match[2], comments=True)


@pytest.mark.parametrize("text", blocks("bash"))
def test_shells_and_pipelines_understand_every_command(text):
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    for name, words in commands(text):
        words = [word.replace("$SLURM_ARRAY_TASK_ID", "3") for word in words]
        importlib.import_module(f"socialmd.commands.{name}")._parse(words)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with `models/` in miniature, in which commands are typed."""
    training = {"batch_size": 512, "epochs": 1, "gradient_clip_norm": 1.0}
    experiment = {**EXPERIMENT, "simulation": SIMULATION, "training": training}
    for name in ("thesis", "mixture", "search"):
        tables = {**experiment, **({"search": SEARCH} if name == "search" else {})}
        save_config(ExperimentConfig.model_validate(tables), tmp_path / f"models/{name}.toml")
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def type_commands(text, **changes):
    for name, words in commands(text):
        words = [changes.get(word, word) for word in words]
        importlib.import_module(f"socialmd.commands.{name}").main(words)


@pytest.mark.usefixtures("workplace", "coarse_figures")
def test_the_commands_of_the_readme_run_one_after_the_other():
    [text] = [p.values[0] for p in blocks("bash") if "pipelines/predict.py" in p.values[0]]
    with no_log():
        type_commands(text)
    assert Path("report/report.html").is_file()
    assert Path("forecast/forecast.npy").is_file()
    assert Path("exported/saved_model.pb").is_file()


@pytest.mark.usefixtures("workplace")
def test_the_search_of_the_readme_runs():
    [text] = [p.values[0] for p in blocks("bash") if "searches/tpe/best.toml" in p.values[0]]
    with no_log():
        type_commands(text, **{"44": "1"})
    assert Path("runs/best/model.keras").is_file()


def test_the_search_of_the_documentation_runs(data, workplace):
    """With KerasTuner's own tuner, on a model that is built from the data's shape."""
    [text] = [p.values[0] for p in blocks("python") if "keras_tuner.Tuner" in p.values[0]]
    (workplace / "data").mkdir()
    (workplace / "data" / "monopoles").symlink_to(data)
    short = {
        "max_trials=40": "max_trials=1",
        "epochs=10": "epochs=1",
        '"units", 32, 128, step=32': '"units", 4, 8',
    }
    for long, brief in short.items():
        assert long in text
        text = text.replace(long, brief)
    names = {}
    exec(compile(text, "docs/tuning.md", "exec"), names)
    assert names["tuner"].get_best_hyperparameters()[0].values.keys() == {"units", "grid_size"}


def test_the_clients_of_the_documentation_run(rng, workplace):
    export_saved_model(tiny_model(rng), "served/monopoles/1")
    inputs = tiny_inputs(rng)
    names = {"inputs": tf.constant(inputs), "frames": inputs[0]}
    texts = [p.values[0] for p in blocks("python") if "loaded" in p.values[0]]
    assert len(texts) == 2
    for text in texts:
        exec(compile(text, "docs/serving.md", "exec"), names)
    np.testing.assert_allclose(names["positions"], names["answer"]["positions"][0], atol=1e-5)
