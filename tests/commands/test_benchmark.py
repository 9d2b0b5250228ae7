"""A public benchmark in miniature: its data, two trainings, somebody's forecasts."""

import json

import numpy as np
import pytest

from socialmd import load_config
from socialmd.commands import benchmark
from socialmd.config import ExperimentConfig

SMALL = {"num_train": 6, "num_validation": 2, "num_test": 3}


def in_miniature(name):
    """The configuration of a benchmark, of few systems, for a short training."""
    config = load_config(name).model_dump()
    config["simulation"] |= SMALL
    config["model"] |= {"substeps": 2, "units": 4, "channels": 2, "hidden_units": 4}
    if config["model"]["field"]:
        config["model"]["field"]["cells"] = 8
    config["training"]["batch_size"] = 4
    first, *others = config["training"]["phases"]
    densities = [phase for phase in others if phase["loss"] == "negative_log_likelihood"]
    config["training"]["phases"] = [
        {**phase, "epochs": 1, "patience": 1, "substeps": 1} for phase in (first, *densities[:1])
    ]
    return ExperimentConfig.model_validate(config)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command, trainings in this process."""
    trained = []

    def here(function, config, *arguments):
        trained.append(config.training.seed)
        function(config, *arguments)
        return 0

    monkeypatch.setattr(benchmark, "load_config", in_miniature)
    monkeypatch.setattr(benchmark, "run_apart", here)

    def run(name, *options):
        output = tmp_path / name
        benchmark.main([name, "--output", str(output), "--verbose", "0", *map(str, options)])
        return output, json.loads((output / "benchmark.json").read_text())

    run.trained = trained
    return run


@pytest.mark.slow
def test_data_trainings_table_and_leak(run):
    output, report = run("geotdm_charged", "--seeds", 2)
    assert run.trained == [0, 1]
    ours = report["trained"]
    assert list(ours) == ["interaction_lstm", "interaction_lstm, 5 futures"]
    for seeds in ours.values():
        assert len(seeds) == 2
        assert all(seed["leak"] == 0.0 for seed in seeds)
        assert all(np.isfinite([seed["ADE"], seed["FDE"]]).all() for seed in seeds)
    first, second = ours["interaction_lstm"]
    assert first["ADE"] != second["ADE"]
    assert report["computed"]["known law"]["ADE"] < report["computed"]["constant velocity"]["ADE"]
    text = (output / "benchmark.md").read_text()
    assert "| GeoTDM | 0.11 | 0.258 | quoted [1] |" in text
    assert "here, 2 seeds |" in text
    assert (output / "errors.png").stat().st_size > 10_000

    run("geotdm_charged", "--seeds", 2)  # all is there
    assert run.trained == [0, 1]
    given = np.load(output / "given.npy")
    assert given.shape == (3, 10, 5, 5)


@pytest.mark.slow
def test_places_and_velocities(run):
    _, report = run("nri_charged", "--seeds", 1)
    (ours,) = report["trained"]["interaction_lstm"]
    assert ours["leak"] == 0.0
    assert set(ours) >= {"MSE 1", "MSE 10", "MSE 20"}
    assert report["computed"]["known law"]["MSE 1"] < 1e-9 < report["computed"]["static"]["MSE 1"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nri_charged_hidden", "nri_springs_hidden", "aether_charged"])
def test_what_is_hidden_is_inferred(run, name):
    output, report = run(name, "--seeds", 1)
    (ours,) = report["trained"]["interaction_lstm"]
    assert ours["leak"] == 0.0
    assert 50.0 <= ours["pairs, %"] <= 100.0
    assert "known law" not in report["computed"]
    given = np.load(output / "given.npy")
    layout = benchmark.read_description(output / "data").layout
    hidden = layout.columns(given=False)
    assert len(hidden) == (5 if "springs" in name else 1)
    assert given.shape[-1] == len(layout.features) - len(hidden)


def test_forecasts_of_others_are_scored(run, tmp_path):
    output, _ = run("egnn_charged", "--score", write_zeros(tmp_path, (3, 10, 5, 3)))
    assert not run.trained
    config = in_miniature("egnn_charged")
    split = benchmark.load_trajectories(output / "data" / "test")
    truth = benchmark.cut_windows(split, config.data).truth
    np.save(tmp_path / "theirs.npy", truth + 0.1)
    _, report = run("egnn_charged", "--score", tmp_path / "theirs.npy")
    assert report["trained"]["theirs"][0]["MSE"] == pytest.approx(0.01, rel=1e-5)


def write_zeros(folder, shape):
    np.save(folder / "zeros.npy", np.zeros(shape))
    return folder / "zeros.npy"


def test_another_model_keeps_the_protocol(tmp_path):
    other = tmp_path / "other.toml"
    other.write_text("[data]\ninput_steps = 3\nnum_rotations = 2\n[training]\nepochs = 7\n")
    config = benchmark._experiment("geotdm_charged", str(other))
    assert config.data.input_steps == 10
    assert config.data.num_rotations == 2
    assert config.model.kind == "social_lstm"
    assert config.training.epochs == 7
    assert config.system == load_config("geotdm_charged").system


def test_names_are_listed_and_wrong_ones_refused(capsys, tmp_path):
    benchmark.main(["list"])
    assert "geotdm_gravity" in capsys.readouterr().out
    with pytest.raises(ValueError, match="--output: expected a folder"):
        benchmark.main(["geotdm_charged"])
    with pytest.raises(ValueError, match="expected one of monopoles"):
        benchmark.main(["geotdm", "--output", str(tmp_path)])
