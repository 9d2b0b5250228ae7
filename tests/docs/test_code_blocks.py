"""Every code block of README and pages runs: in miniature, or, if it takes hours, is parsed."""

import contextlib
import importlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd import ExperimentConfig, load_config, save_config
from socialmd.evaluation.baselines import BASELINES
from socialmd.models import export_saved_model, load
from socialmd.reporting.measure import MEASURES
from socialmd.simulation import simulate
from socialmd.training import fit, read_history
from tests.docs.documents import (
    CARDS,
    PAGES,
    README,
    ROOT,
    blocks,
    commands,
    indented,
    inline,
    name,
    prompts,
    run_python,
    type_commands,
)
from tests.run_eagerly import run_eagerly
from tests.tiny_models import tiny_inputs, tiny_model
from tests.training.no_log import no_log
from tests.world import EXPERIMENT

DOCS = ROOT / "docs"
SHELL = [
    pytest.param(text, id=f"{name(path)}:{number}")
    for path in (README, *PAGES, *CARDS)
    for number, text in enumerate(blocks(path, "bash"))
]


def test_every_block_is_of_a_kind_that_is_tested():
    """Output, in `text`, is shown as it was."""
    for path in (README, *PAGES):
        kinds = [blocks(path, kind) for kind in ("bash", "json", "python", "text", "toml")]
        assert sum(map(len, kinds)) == len(blocks(path)), path.name


# === Shells ===


@pytest.mark.parametrize("text", SHELL)
def test_bash_understands_every_block(text):
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


@pytest.mark.parametrize("path", [README, *PAGES, *CARDS], ids=name)
def test_every_command_takes_the_arguments_that_are_shown(path):
    texts = [*blocks(path, "bash"), "\n".join(indented(path)), *inline(path)]
    texts += [prompts(text) for text in blocks(path, "text")]
    for text in texts:
        for command, words in commands(text):
            importlib.import_module(f"socialmd.commands.{command}")._parse(words)


@pytest.mark.usefixtures("workplace", "coarse_figures")
def test_a_model_is_trained_evaluated_and_exported_in_steps():
    [text] = [text for text in blocks(DOCS / "training.md", "bash") if "socialmd predict" in text]
    with no_log():
        type_commands(text)
    assert Path("report/report.html").is_file()
    assert Path("forecast/forecast.npy").is_file()
    assert Path("exported/saved_model.pb").is_file()


@pytest.mark.usefixtures("workplace")
def test_a_search_is_made_and_its_best_trial_trained():
    text = blocks(DOCS / "tuning.md", "bash")[0]
    assert "searches/tpe/best.toml" in text
    with no_log():
        type_commands(text, **{"44": "1"})
    assert Path("runs/best/model.keras").is_file()


# === Python ===


def test_every_page_with_python_is_run_below():
    pages = {path.stem for path in (README, *PAGES) if blocks(path, "python")}
    assert pages == {"README", "data", "extending", "multipoles", "serving", "training", "tuning"}


def test_an_expansion_is_compared_with_the_exact_sum(capsys):
    names = {}
    run_python(DOCS / "multipoles.md", {}, names)
    assert np.sum(names["terms"]) == pytest.approx(0.05, rel=0.01)
    assert "[" in capsys.readouterr().out


def test_the_readme_forecasts_and_describes(workplace, capsys):
    """With a shipped model as it is, on a system such as it was trained on."""
    reference = load_config(ROOT / "models/thesis.toml")
    schedule = reference.simulation.model_dump(include={"time_step", "keep_every"})
    frames = simulate(reference.system, 1, num_steps=700_000, seed=1, **schedule)[0]
    for folder in ("quickstart_output/data/test", "data/mine/train"):
        (workplace / folder).mkdir(parents=True)
        np.save(workplace / folder / "simulation_00036.npy", frames)
    names = {}
    run_python(README, {'"radius"': '"mass", "charge"'}, names)
    assert names["error"].shape == (30, 25)
    assert np.median(names["error"][0]) < 1e-4
    assert capsys.readouterr().out.count("[") == 2  # errors, sigmas
    assert (workplace / "data/mine/dataset.json").is_file()


@pytest.mark.parametrize(
    ("prediction", "grid_sizes", "mode"),
    [("position", [4.0, 1.0], contextlib.nullcontext), ("acceleration", [], run_eagerly)],
    ids=["position", "acceleration"],
)
def test_the_script_trains_a_model(prediction, grid_sizes, mode, monopoles, workplace):
    experiment = {
        **EXPERIMENT,
        "model": {**EXPERIMENT["model"], "prediction": prediction, "grid_sizes": grid_sizes},
        "training": {"batch_size": 4, "epochs": 2, "gradient_clip_norm": 1.0},
    }
    config = ExperimentConfig.model_validate(experiment)
    save_config(config, workplace / "models/mixture.toml")
    names = {}
    with mode(), no_log():
        run_python(DOCS / "training.md", {"num_steps=200": "num_steps=20"}, names)
        fit(config, monopoles, workplace / "runs/same", verbose=0)

    losses = names["history"].history["val_loss"]
    assert len(losses) == 2
    assert min(losses) < min(read_history("runs/same/history.csv")["val_loss"]) + 0.3
    assert names["futures"].shape[:1] == (10,)
    assert names["positions"].shape[1:] == (20, 3, 2)
    model = load("runs/mine")
    np.testing.assert_array_equal(model(names["inputs"]), names["model"](names["inputs"]))


@pytest.mark.usefixtures("coarse_figures", "workplace")
def test_trajectories_of_ones_own_are_trained_on_and_judged(capsys):
    run_python(DOCS / "data.md", {}, {})
    [text] = blocks(DOCS / "data.md", "bash")
    with no_log():
        type_commands(text)
    assert "micrometre" in Path("report/report.html").read_text()
    assert "known law: left out" in capsys.readouterr().out
    assert Path("forecast/forecast.xyz").is_file()


@pytest.fixture
def nothing_registered():
    """What is registered meanwhile is forgotten."""
    registers = (BASELINES, MEASURES, keras.saving.get_custom_objects())
    with contextlib.ExitStack() as stack:
        for register in registers:
            stack.enter_context(mock.patch.dict(register))
        yield
    sys.modules.pop("my_module", None)


@pytest.mark.usefixtures("coarse_figures", "monopoles", "nothing_registered")
def test_models_baselines_and_measures_of_ones_own_stand_in_a_report(workplace, monkeypatch):
    page = DOCS / "extending.md"
    *module, training = blocks(page, "python")
    Path("my_module.py").write_text("\n".join(module))
    monkeypatch.syspath_prepend(workplace)
    exec(compile(training, page.name, "exec"), {})
    type_commands(blocks(page, "bash")[0])
    numbers = json.loads(Path("report/metrics.json").read_text())
    assert numbers["reach"].keys() == numbers["forecasts"].keys() > {"damped", "time average"}
    assert "How far particles go." in Path("report/report.html").read_text()
    assert load("runs/damped").num_trainable_parameters == 4


@pytest.mark.usefixtures("monopoles")
def test_kerastuner_searches_with_our_oracle():
    """With KerasTuner's own tuner, on a model that is built from the data's shape."""
    shorter = {
        "max_trials=40": "max_trials=1",
        "epochs=10": "epochs=1",
        '"units", 32, 128, step=32': '"units", 4, 8',
    }
    [text] = blocks(DOCS / "tuning.md", "python")
    assert all(long in text for long in shorter)
    names = {}
    run_python(DOCS / "tuning.md", shorter, names)
    assert names["tuner"].get_best_hyperparameters()[0].values.keys() == {"units", "grid_size"}


@pytest.mark.usefixtures("workplace")
def test_clients_get_forecasts(rng):
    export_saved_model(tiny_model(rng), "served/monopoles/1")
    inputs = tiny_inputs(rng)
    Path("data/monopoles/test").mkdir(parents=True)
    np.save("data/monopoles/test/simulation_00120.npy", rng.normal(size=(200, 25, 4)))
    names = {"inputs": tf.constant(inputs), "frames": inputs[0]}
    run_python(DOCS / "serving.md", {}, names)
    np.testing.assert_allclose(names["positions"], names["answer"]["positions"][0], atol=1e-5)
    with np.load("windows.npz") as windows:
        assert (windows["inputs"].shape, windows["mask"].shape) == ((2, 5, 25, 4), (2, 25))


# === Files ===


def test_tables_are_those_of_a_configuration():
    [text] = [text for path in PAGES for text in blocks(path, "toml")]
    search = ExperimentConfig.model_validate(tomllib.loads(text)).search
    assert search.epochs == 5


def test_the_model_gives_the_answer_that_is_shown():
    request, answer = map(json.loads, blocks(DOCS / "serving.md", "json"))
    inputs = dict(request["inputs"])
    num_steps = inputs.pop("num_steps")
    arrays = {"inputs": np.array(inputs["inputs"], "float32"), "mask": np.array(inputs["mask"])}
    answered = load("acceleration").rollout(arrays, num_steps=num_steps)
    real = arrays["mask"][:, None, :, None]  # an exported model gives zeros elsewhere
    for key, found in zip(("positions", "parameters"), answered, strict=True):
        np.testing.assert_allclose(real * found, answer["outputs"][key], atol=2e-4)
