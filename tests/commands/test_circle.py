"""A mixture against one Gaussian in miniature; trainings are real ones."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from socialmd import ExperimentConfig, save_config
from socialmd.commands import circle
from socialmd.data import dataset_writer
from socialmd.models import build_model, load
from socialmd.simulation import CircleWalk
from tests.run_eagerly import run_eagerly
from tests.world import EXPERIMENT

TRAINED = ("gaussian", "mixture")  # each takes its time; the third is another mixture
WALK = CircleWalk()
SIMULATION = {"num_train": 2, "num_validation": 1, "num_test": 2, "num_steps": 22, "keep_every": 1}
DATA = {
    "subsample": 1,
    "num_phases": 1,
    "input_steps": 2,
    "target_steps": 1,
    "window_shift": 1,
    "num_rotations": 1,
}
MODEL = {**EXPERIMENT["model"], "grid_sizes": [], "prediction": "position", "num_components": 2}
CONFIG = ExperimentConfig.model_validate(
    {
        "simulation": SIMULATION,
        "data": DATA,
        "model": MODEL,
        "training": {"batch_size": 16, "epochs": 1},
    }
)


class Experiment(NamedTuple):
    """Arguments of the script."""

    config: Path
    output: Path

    def run(self, *options):
        with pytest.MonkeyPatch.context() as patch, run_eagerly():
            patch.setattr(circle, "DISTRIBUTIONS", TRAINED)
            circle.main([str(argument) for argument in (*self, *options)])

    @property
    def numbers(self):
        return json.loads((self.output / "circle.json").read_text())


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """The experiment after one seed."""
    folder = tmp_path_factory.mktemp("circle")
    save_config(CONFIG, folder / "circle.toml")
    experiment = Experiment(folder / "circle.toml", folder / "output")
    experiment.run("--seeds", 1)
    return experiment


@pytest.fixture(scope="module")
def windows():
    """Two given positions and the one that followed, of the test split: [40, 3, 2]."""
    frames = WALK.simulate(5, 22, seed=0)[3:, :, 0].astype(np.float32)
    return np.concatenate([[path[i : i + 3] for i in range(20)] for path in frames])


def with_changed(section, **changes):
    values = getattr(CONFIG, section).model_copy(update=changes)
    return CONFIG.model_copy(update={section: values})


def test_numbers_are_those_of_the_exact_density_and_of_the_models(experiment, windows):
    numbers = experiment.numbers
    exact = WALK.log_density(windows[:, 1], windows[:, 2])
    assert numbers["test_windows"] == 40
    assert numbers["exact_nll"] == pytest.approx(-exact.mean(), abs=1e-4)
    assert tuple(numbers["nll"]) == TRAINED

    model = load(experiment.output / "gaussian" / "seed_0")
    assert model.experiment.model.distribution == "gaussian"
    parameters = np.asarray(model(windows[:, :2, None]))[:, 0, 0]  # [40, 5]
    expected = []
    for (x, y, sigma_x, sigma_y, z), position in zip(parameters, windows[:, 2], strict=True):
        covariance = np.tanh(z) * sigma_x * sigma_y
        matrix = [[sigma_x**2, covariance], [covariance, sigma_y**2]]
        expected.append(-stats.multivariate_normal([x, y], matrix).logpdf(position))
    assert numbers["nll"]["gaussian"] == pytest.approx([np.mean(expected)], abs=1e-3)
    weights = numbers["trainable_parameters"]
    assert weights["gaussian"] == sum(np.size(weight) for weight in model.trainable_weights)
    assert weights["gaussian"] < weights["mixture"]


def test_networks_that_have_hardly_been_trained_are_far_from_the_exact_density(experiment):
    for (nll,) in experiment.numbers["nll"].values():
        assert np.isfinite(nll)
        assert nll > experiment.numbers["exact_nll"] + 0.5


def test_each_distribution_has_its_folder_and_nothing_else_is_left(experiment):
    names = {path.name for path in experiment.output.iterdir()}
    assert names == {"data", "circle.json", "circle.png", *TRAINED}
    for name in TRAINED:
        model = load(experiment.output / name / "seed_0")
        assert model.experiment == circle.with_variant(CONFIG, name, 0)
    with Image.open(experiment.output / "circle.png") as image:
        assert min(image.size) > 400
    assert str(experiment.output.parent) not in (experiment.output / "circle.json").read_text()


def test_nothing_is_done_again(experiment, capsys):
    before = experiment.numbers
    files = [path for path in experiment.output.rglob("*") if path.suffix in {".npy", ".keras"}]
    times = [path.stat().st_mtime_ns for path in files]
    assert len(files) == 5 + 2
    experiment.run("--seeds", 1)
    printed = capsys.readouterr().out
    assert printed.count("is complete; nothing to do.") == 2
    assert [path.stat().st_mtime_ns for path in files] == times
    for name, (nll,) in before["nll"].items():
        assert experiment.numbers["nll"][name] == pytest.approx([nll], abs=1e-5)
        assert f"| {name} | {before['trainable_parameters'][name]} | {nll:.3f} |" in printed


def test_variants_differ_in_distribution_and_seed_only():
    for name in ("gaussian", "mixture", "correlated_mixture"):
        assert name in circle.DISTRIBUTIONS
        variant = circle.with_variant(CONFIG, name, 7)
        assert build_model(variant).distribution_name == name
        assert variant.training.seed == 7
        assert variant.training.epochs == CONFIG.training.epochs
        assert variant.data == CONFIG.data


def test_data_set_is_written_once(tmp_path):
    folder = tmp_path / "set"
    circle.write_data(CONFIG, WALK, folder)
    expected = WALK.simulate(5, 22, seed=0)
    np.testing.assert_array_equal(np.load(folder / "test/simulation_00004.npy"), expected[4])
    description = (folder / "dataset.json").read_bytes()
    with pytest.raises(ValueError, match=r"dataset\.json: .*simulation\.seed: expected 1, found 0"):
        circle.write_data(with_changed("simulation", seed=1), WALK, folder)
    with pytest.raises(ValueError, match=r"law\.angle_noise: expected 0\.5, found "):
        circle.write_data(CONFIG, CircleWalk(angle_noise=0.5), folder)
    assert (folder / "dataset.json").read_bytes() == description


def test_an_interrupted_data_set_is_not_there(tmp_path, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    folder = tmp_path / "output" / "set"
    with monkeypatch.context() as patch:
        patch.setattr(dataset_writer, "describe_dataset", interrupt)
        with pytest.raises(KeyboardInterrupt):
            circle.write_data(CONFIG, WALK, folder)
    assert list(folder.parent.iterdir()) == []
    circle.write_data(CONFIG, WALK, folder)
    assert len(list(folder.rglob("*.npy"))) == 5


def test_a_folder_that_is_no_data_set_is_refused(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/notes.txt").touch()
    with pytest.raises(ValueError, match=r"expected no file of another origin, found .*notes\.txt"):
        circle.write_data(CONFIG, WALK, tmp_path / "set")


@pytest.mark.parametrize(
    ("section", "key"),
    [("simulation", "keep_every"), ("data", "subsample"), ("data", "target_steps")],
)
def test_other_frames_than_the_next_are_refused(section, key, tmp_path):
    save_config(with_changed(section, **{key: 2}), tmp_path / "circle.toml")
    with pytest.raises(ValueError, match=f"{section}.{key}: expected 1, found 2"):
        circle.main([str(tmp_path / "circle.toml"), str(tmp_path / "output")])
    assert not (tmp_path / "output").exists()


def test_table_has_means_and_deviations_over_seeds():
    report = {
        "exact_nll": -0.5,
        "nll": {"gaussian": [1.0, 1.25], "mixture": [0.5, 0.25]},
        "trainable_parameters": {"gaussian": 10, "mixture": 20},
    }
    # Gains of 0.5 and 1.0, of each seed over the Gaussian of the same one.
    assert circle.make_table(report).splitlines()[2:] == [
        "| gaussian | 10 | 1.125 ± 0.177 |  | 1.625 ± 0.177 |",
        "| mixture | 20 | 0.375 ± 0.177 | 0.750 ± 0.354 | 0.875 ± 0.177 |",
        "| exact density |  | -0.500 |  |  |",
    ]
