"""Comparisons in miniature: trainings in this process, but for those that need their own."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from socialmd import ExperimentConfig, save_config
from socialmd.commands import compare
from socialmd.data import make_dataset
from socialmd.evaluation import ConstantVelocity, ForecastMetrics
from socialmd.models import load
from socialmd.training import compile_model, read_history
from tests.run_eagerly import run_eagerly
from tests.world import EXPERIMENT, write_circles

RUN_APART = compare.run_apart
# No pooling, which would take most of the time.
MODEL = {**EXPERIMENT["model"], "grid_sizes": [], "prediction": "position"}
TRAINING = {**EXPERIMENT["training"], "epochs": 2, "patience": 1}
BASE = ExperimentConfig.model_validate({**EXPERIMENT, "model": MODEL, "training": TRAINING})
COMPARISONS = """
[width]
title = "Units of the LSTM"
[width.variants]
narrow = { units = 3 }

[pooling]
title = "With and without pooling"
[pooling.variants]
stacked = { grid_sizes = [4.0, 1.0] }
none = { grid_sizes = [] }
"""


class Experiment(NamedTuple):
    """Arguments of the script."""

    comparisons: Path
    base: Path
    data: Path
    output: Path

    def run(self, *options):
        with run_eagerly():
            compare.main([str(argument) for argument in (*self, *options)])

    @property
    def numbers(self):
        return json.loads((self.output / "comparison.json").read_text())

    def table(self, title):
        """Rows of one table, by variant."""
        section = (self.output / "comparison.md").read_text().split(f"## {title}\n\n")[1]
        header, _, *rows = [line.strip("| ") for line in section.split("\n\n")[0].splitlines()]
        columns = header.split(" | ")
        return {
            row.split(" | ")[0]: dict(zip(columns, row.split(" | "), strict=True)) for row in rows
        }


@pytest.fixture(scope="module")
def trainings():
    """Trains in this process, and lists what it trained."""
    trained = []

    def run_here(train, run, data, verbose):
        trained.append((run.variant, run.seed))
        train(run, data, verbose)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "run_apart", run_here)
        yield trained


@pytest.fixture(scope="module")
def experiment(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    (folder / "comparisons.toml").write_text(COMPARISONS)
    save_config(BASE, folder / "base.toml")
    return Experiment(folder / "comparisons.toml", folder / "base.toml", data, folder / "output")


@pytest.fixture(scope="module")
def compared(experiment, trainings):
    """The experiment after one seed of one comparison."""
    experiment.run("--seeds", 1, "--only", "width")
    assert trainings == [("reference", 0), ("narrow", 0)]
    return experiment


def keras_evaluation(experiment, variant):
    """Loss and mean absolute error on the test split, as Keras computes them."""
    model = load(experiment.output / variant / "seed_0")
    config = model.experiment
    compile_model(model, config.training)
    as_stored = config.data.model_copy(update={"num_rotations": 0})
    test = make_dataset(experiment.data / "test", as_stored, 7)
    inputs, targets = (np.concatenate(arrays) for arrays in zip(*test, strict=True))
    loss, mae = model.evaluate(inputs, targets, verbose=0)
    return model, loss, mae


@pytest.mark.parametrize("variant", ["reference", "narrow"])
def test_numbers_are_those_of_the_trained_models(compared, variant):
    model, loss, mae = keras_evaluation(compared, variant)
    folder = compared.output / variant / "seed_0"
    numbers = compared.numbers["trainings"][variant]["0"]
    assert numbers["test"]["nll"] == pytest.approx(loss, rel=1e-3)
    assert numbers["test"]["mae"] == pytest.approx(mae, rel=1e-3)
    assert numbers["parameters"] == model.count_params() - 7  # scales and factors are not learned
    assert numbers["history"] == read_history(folder / "history.csv")
    assert len(numbers["history"]["val_mae"]) == TRAINING["epochs"]
    assert numbers["training"] == json.loads((folder / "measurements.json").read_text())
    assert numbers["training"]["measured_steps"] == 2 * 3 - 1

    row = compared.table("Units of the LSTM")[variant]
    assert row["test MAE"] == f"{numbers['test']['mae']:.4f}"
    assert row["median error"] == f"{numbers['test']['median_error']:.4f}"
    assert row["parameters"] == str(numbers["parameters"])
    assert row["ms per step"] == f"{1000 * numbers['training']['seconds_per_step']:.0f}"
    assert row["settings"] == f"units = {6 if variant == 'reference' else 3}"


def test_constant_velocity_stands_beside_them(compared):
    as_stored = BASE.data.model_copy(update={"num_rotations": 0})
    ((inputs, truth),) = make_dataset(compared.data / "test", as_stored, 100)
    expected = ForecastMetrics.from_arrays(truth, ConstantVelocity().rollout(inputs, 4)[0])
    found = compared.numbers["constant_velocity"]
    assert found["test"]["mae"] == pytest.approx(expected.mae)
    assert f"{expected.mae:.4f}" in (compared.output / "comparison.md").read_text()
    assert found["validation"]["mae"] != found["test"]["mae"]


def test_report_shows_what_is_there_and_no_paths(compared):
    files = {path.name for path in compared.output.iterdir()}
    expected = {"comparison.md", "comparison.json", "width.png", "reference", "narrow"}
    assert files == expected
    with Image.open(compared.output / "width.png") as image:
        assert min(image.size) > 300
    for name in ("comparison.md", "comparison.json"):
        text = (compared.output / name).read_text()
        assert str(compared.data.parent) not in text
        assert str(compared.output.parent) not in text


def test_only_what_is_missing_is_trained(compared, trainings, capsys):
    """A seed is added, and one training was interrupted after it was trained."""
    trainings.clear()
    before = compared.numbers["trainings"]
    (compared.output / "narrow" / "seed_0" / "test.json").unlink()
    compared.run("--summary-only")
    printed = capsys.readouterr().out
    assert "narrow, seed 0: not complete, left out" in printed
    assert trainings == []
    assert list(compared.numbers["trainings"]) == ["reference"]

    compared.run("--seeds", 2, "--only", "width")
    printed = capsys.readouterr().out
    assert trainings == [("narrow", 0), ("reference", 1), ("narrow", 1)]
    assert "[1/4] reference, seed 0: complete" in printed
    after = compared.numbers["trainings"]
    for variant in ("reference", "narrow"):
        assert list(after[variant]) == ["0", "1"]
        assert after[variant]["0"]["history"] == before[variant]["0"]["history"]
        errors = [after[variant][seed]["test"]["mae"] for seed in "01"]
        assert errors[0] != errors[1]
        row = compared.table("Units of the LSTM")[variant]
        assert row["seeds"] == "2"
        assert row["test MAE"] == f"{np.mean(errors):.4f} ± {np.std(errors, ddof=1):.4f}"


def test_each_training_has_a_process_and_may_fail_alone(compared, tmp_path, monkeypatch, capfd):
    """One can be trained, but not evaluated; the next one's turn comes nevertheless."""
    monkeypatch.setattr(compare, "run_apart", RUN_APART)
    data = write_circles(tmp_path / "data")
    for file in (data / "test").iterdir():
        file.unlink()
    model = BASE.model.model_copy(update={"grid_sizes": (4.0, 1.0)})
    runs = [
        compare.make_run("stacked", BASE.model_copy(update={"model": model}), 0, tmp_path),
        compare.make_run("reference", BASE, 0, compared.output),
    ]
    ballast = np.ones(1_500_000_000, np.uint8)  # of this process, not of that one
    assert compare.train_all(runs, data) == [str(runs[0].folder)]
    printed, errors = capfd.readouterr()
    assert "FileNotFoundError" in errors
    assert "[1/2] stacked, seed 0: failed after" in printed
    assert "[2/2] reference, seed 0: complete" in printed
    assert not runs[0].is_complete
    assert len(read_history(runs[0].folder / "history.csv")["val_loss"]) == TRAINING["epochs"]
    measurements = json.loads((runs[0].folder / "measurements.json").read_text())
    assert 1e8 < measurements["peak_memory_bytes"] < ballast.nbytes


def test_early_stopping_is_off_and_each_seed_another_training():
    config = compare.make_run("reference", BASE, 7, Path("output")).config
    assert config.training.patience == config.training.epochs == 2
    assert config.training.seed == 7
    assert config.model == BASE.model
    assert config.data == BASE.data


def refused(experiment, trainings, *options, error=ValueError, match):
    """The script ends with this error, and nothing was trained."""
    trainings.clear()
    with pytest.raises(error, match=match):
        experiment.run(*options)
    assert trainings == []


def test_phases_are_not_stopped_early_either():
    phases = [{"feedback": "truth", "epochs": 3, "patience": 1}, {"feedback": "mean"}]
    base = ExperimentConfig.model_validate(
        {**EXPERIMENT, "model": MODEL, "training": {**TRAINING, "phases": phases}}
    )
    run = compare.make_run("reference", base, 0, Path("output"))
    assert [phase.patience for phase in run.config.training.schedule] == [3, 2]


def test_variants_trained_in_phases_are_drawn_by_steps_ahead(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(compare, "plot_errors", lambda ax, curves, *rest: drawn.append(curves))
    seeds = [
        {"test": {"median_error_per_step": [0.1, error], "nll_per_step": [-1.0, nll]}}
        for error, nll in ((0.2, 0.0), (0.4, 3.0))
    ]
    trainings = {"reference": seeds, "less": seeds[:1]}
    compare.draw(tmp_path / "parts.png", "Parts", trainings, None, str)
    errors, likelihoods = drawn
    assert list(errors) == ["reference", "less"]
    np.testing.assert_allclose(errors["reference"], [0.1, 0.3])
    np.testing.assert_allclose(likelihoods["reference"], [-1.0, 1.5])
    with Image.open(tmp_path / "parts.png") as image:
        assert min(image.size) > 200


def test_unknown_comparisons_are_refused(experiment, trainings):
    refused(
        experiment, trainings, "--only", "width", "pooled",
        match="--only: expected some of width, pooling, found pooled",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("variant", "match"),
    [
        ("{ kernel = 2 }", r"other\.toml: a\.variants\.b: kernel: unknown key, expected one of"),
        ("{ kernel_size = 9 }", r"other\.toml: a\.variants\.b: kernel_size: .*found 9"),
    ],
)
def test_impossible_variants_are_refused(experiment, trainings, tmp_path, variant, match):
    (tmp_path / "other.toml").write_text(f'[a]\ntitle = "A"\nvariants.b = {variant}')
    other = experiment._replace(comparisons=tmp_path / "other.toml", output=tmp_path / "output")
    refused(other, trainings, match=match)
    assert not other.output.exists()


def test_incomplete_data_are_refused(experiment, trainings, tmp_path):
    data = write_circles(tmp_path / "data")
    for file in (data / "test").iterdir():
        file.unlink()
    other = experiment._replace(data=data, output=tmp_path / "output")
    refused(other, trainings, error=FileNotFoundError, match="test")
    nowhere = other._replace(data=tmp_path / "nowhere")
    refused(nowhere, trainings, error=FileNotFoundError, match="nowhere")


def test_a_summary_of_nothing_is_refused(experiment, trainings, tmp_path):
    other = experiment._replace(output=tmp_path / "output")
    refused(
        other, trainings, "--summary-only",
        error=FileNotFoundError, match="output: found no complete training",
    )  # fmt: skip


def test_trainings_with_other_settings_or_data_are_refused(compared, trainings, tmp_path):
    changed = COMPARISONS.replace("units = 3", "units = 4")
    (tmp_path / "changed.toml").write_text(changed)
    match = "narrow/seed_0: holds the training of another configuration"
    other = compared._replace(comparisons=tmp_path / "changed.toml")
    refused(other, trainings, "--only", "pooling", match=match)
    refused(other, trainings, "--summary-only", match=match)
    other = compared._replace(data=write_circles(tmp_path / "data", seed=2))
    refused(other, trainings, match="holds a training on other data")


@pytest.mark.parametrize("count", ["0", "-1", "some"])
def test_impossible_numbers_of_seeds_are_refused(experiment, count):
    with pytest.raises(SystemExit):
        experiment.run("--seeds", count)
