"""Protocols, published rows and the leak test, against what is obvious."""

import sys

import numpy as np
import pytest

from socialmd import load_config
from socialmd.benchmarks import (
    ACCURACY,
    PROTOCOLS,
    BenchmarkReport,
    benchmark_names,
    benchmark_table,
    leak_test,
    pair_accuracy,
    read_benchmark,
    trivial_forecasts,
)
from socialmd.config import DataConfig, ExperimentConfig
from socialmd.data import load_trajectories
from socialmd.data.windows import cut_windows
from socialmd.evaluation import ConstantVelocity
from socialmd.simulation import law_of, write_dataset


@pytest.fixture
def forecasts(rng):
    return rng.normal(size=(2, 4, 20, 3, 4)), rng.normal(size=(4, 20, 3, 4))  # samples, truth


def test_displacement_errors_are_means_of_distances_over_samples(forecasts):
    samples, truth = forecasts
    distances = [
        np.sqrt(sum((samples[s, w, t, i, d] - truth[w, t, i, d]) ** 2 for d in range(4)))
        for s, w, t, i in np.ndindex(2, 4, 20, 3)
    ]
    distances = np.reshape(distances, (2, 4, 20, 3))
    numbers = PROTOCOLS["displacement"].score(samples, truth)
    assert numbers == pytest.approx({"ADE": distances.mean(), "FDE": distances[:, :, 19].mean()})


def test_errors_in_normalised_units(forecasts):
    samples, truth = forecasts
    spans = [10.0, 10.0, 4.0, 4.0]
    numbers = PROTOCOLS["normalized"].score(samples[0], truth, spans)
    for step in (1, 10, 20):
        errors = [
            ((samples[0, w, step - 1, i, d] - truth[w, step - 1, i, d]) / (spans[d] / 2)) ** 2
            for w, i, d in np.ndindex(4, 3, 4)
        ]
        assert numbers[f"MSE {step}"] == pytest.approx(np.mean(errors))


def test_a_jump_and_absolute_errors(forecasts):
    samples, truth = forecasts
    squares = (samples[0] - truth) ** 2
    assert PROTOCOLS["jump"].score(samples[0], truth)["MSE"] == pytest.approx(squares[:, -1].mean())
    numbers = PROTOCOLS["errors"].score(samples[0], truth)
    assert numbers["MAE"] == pytest.approx(np.abs(samples[0] - truth).mean())
    assert numbers["median"] == pytest.approx(np.median(np.abs(samples[0] - truth)))


def test_distances_of_places_and_velocities(forecasts):
    samples, truth = forecasts
    numbers = PROTOCOLS["distances"].score(samples[0], truth)
    for name, step, first in (("place 1", 1, 0), ("place 20", 20, 0), ("velocity 20", 20, 2)):
        distances = [
            np.hypot(*(samples[0] - truth)[w, step - 1, i, first : first + 2])
            for w, i in np.ndindex(4, 3)
        ]
        assert numbers[name] == pytest.approx(np.mean(distances))


def test_pairs_are_told_apart_by_clusters_without_names(rng):
    kinds = rng.random((50, 4, 4)) < 0.5
    strengths = np.where(kinds, -3.0, 1.0) + rng.normal(scale=0.1, size=kinds.shape)
    assert pair_accuracy(strengths, kinds) == 100.0
    assert pair_accuracy(-strengths, kinds) == 100.0
    wrong = np.argwhere(~np.eye(4, dtype=bool))[:3]  # of 12 in each window
    for i, j in wrong:
        strengths[:, i, j] = np.where(kinds[:, i, j], 1.0, -3.0)
    assert pair_accuracy(strengths, kinds) == 75.0
    with pytest.raises(ValueError, match=r"kinds: expected \[windows"):
        pair_accuracy(strengths, kinds[0])


def test_the_table_has_a_column_of_pairs_if_somebody_tells_them_apart():
    benchmark = read_benchmark("nri_springs_hidden")
    seeds = [{"MSE 1": 1e-9, "MSE 10": 1e-8, "MSE 20": 1e-7, ACCURACY: 99.5}]
    numbers = {"MSE 1": 1.0, "MSE 10": 2.0, "MSE 20": 3.0}
    table = benchmark_table(benchmark, {"static": numbers}, {"interaction_lstm": seeds})
    assert "| MSE 20 | pairs, % | from |" in table
    assert "| static | 1 | 2 | 3 | - | computed here |" in table
    assert "| **1e-07** | **99.5** | here, 1 seed |" in table
    given = benchmark_table(read_benchmark("nri_springs"), {"static": numbers}, {})
    assert "pairs" not in given


@pytest.mark.parametrize("change", [lambda x: x[:, :, 1:], lambda x: x * np.nan, lambda x: x[0, 0]])
def test_refuses_forecasts_that_are_none(forecasts, change):
    samples, truth = forecasts
    with pytest.raises(ValueError, match="forecasts: expected"):
        PROTOCOLS["displacement"].score(change(samples), truth)


@pytest.mark.parametrize("name", benchmark_names())
def test_every_benchmark_is_complete(name):
    benchmark = read_benchmark(name)
    columns = set(benchmark.protocol.columns)
    assert all(set(row.numbers) - {ACCURACY} == columns for row in benchmark.rows)
    assert all(set(row) == columns for row in benchmark.expected.values())
    assert benchmark.expected  # something checks the protocol
    assert len(benchmark.checksum) == 64
    config = load_config(benchmark.configuration)
    assert config.simulation.num_frames >= config.data.minimum_frames
    assert config.simulation.velocities or not benchmark.protocol.of_velocities


def test_an_unknown_benchmark_is_refused_by_name():
    with pytest.raises(ValueError, match=r"expected one of .*geotdm_charged.*found 'geotdm'"):
        read_benchmark("geotdm")


def test_the_table_has_quoted_computed_and_trained_rows():
    benchmark = read_benchmark("geotdm_springs")
    seeds = [{"ADE": 0.1, "FDE": 0.2}, {"ADE": 0.3, "FDE": 0.2}]
    lines = benchmark_table(
        benchmark, {"static": {"ADE": 1.5, "FDE": 2.5}}, {"ours": seeds}
    ).splitlines()
    assert "| GeoTDM | 0.003 | 0.0079 | quoted [1] |" in lines
    assert "| static | 1.5 | 2.5 | computed here |" in lines
    assert "| **ours** | **0.2 ± 0.141** | **0.2 ± 0** | here, 2 seeds |" in lines
    assert lines[-2].startswith("[1] J. Han")


@pytest.mark.parametrize(("factor", "verdict"), [(1.01, "same protocol"), (1.3, "ANOTHER")])
def test_the_report_says_whether_it_is_the_same_protocol(factor, verdict):
    benchmark = read_benchmark("geotdm_springs")
    expected = benchmark.expected["constant velocity"]
    computed = {"constant velocity": {key: factor * value for key, value in expected.items()}}
    text = BenchmarkReport(benchmark, computed, {}, benchmark.checksum).in_words()
    assert verdict in text
    assert "bit for bit" in text
    assert "bit for bit" not in BenchmarkReport(benchmark, computed, {}, "0" * 64).in_words()


# === On a data set ===


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    config = ExperimentConfig.model_validate(
        {
            "system": {"num_particles": 3, "softening": 0.5, "charge_range": [0.0, 0.0]},
            "simulation": {
                "num_train": 3,
                "num_validation": 1,
                "num_test": 2,
                "num_steps": 60,
                "keep_every": 10,
                "time_step": 1e-4,
                "velocities": True,
            },
            "data": {"subsample": 1, "num_phases": 1, "input_steps": 2, "target_steps": 4},
        }
    )
    path = tmp_path_factory.mktemp("benchmark") / "data"
    write_dataset(config, path, progress=False)
    return path, config.data


def test_trivial_forecasts_are_what_they_say(dataset):
    path, config = dataset
    test, train = (load_trajectories(path / split) for split in ("test", "train"))
    windows, description = cut_windows(test, config), test.description
    found = trivial_forecasts(
        windows, cut_windows(train, config), description.layout, 1e-3, law_of(description)
    )
    x, v = test.frames[:, 1, :, :2], test.frames[:, 1, :, -2:]
    truth = np.concatenate([test.frames[:, 2:, :, :2], test.frames[:, 2:, :, -2:]], axis=-1)
    np.testing.assert_allclose(found["static"][:, 3], np.concatenate([x, v], -1), rtol=1e-6)
    moved = np.concatenate([x + 0.004 * v, v], -1)
    np.testing.assert_allclose(found["constant velocity"][:, 3], moved, rtol=1e-6)
    np.testing.assert_allclose(found["known law"], truth, rtol=1e-4, atol=1e-5)

    starts, ends = train.frames[:, 1], train.frames[:, 5]
    design, wanted = starts[..., -2:].ravel(), (ends - starts)[..., :2].ravel()
    (time,), *_ = np.linalg.lstsq(design[:, None], wanted, rcond=None)
    expected = x + time * v
    np.testing.assert_allclose(found["linear"][:, 3, :, :2], expected, rtol=1e-5, atol=1e-6)


def test_an_honest_forecast_does_not_leak(dataset):
    path, config = dataset
    assert leak_test(ConstantVelocity(), load_trajectories(path / "test"), config) == 0.0


def test_a_window_that_is_cut_too_late_leaks(dataset, monkeypatch):
    path, config = dataset

    def late(split, config, *arguments):
        windows = cut_windows(split, config, *arguments)
        shown = np.concatenate([windows.inputs[..., :2], windows.truth], axis=1)[:, 1:3]
        return windows._replace(inputs=np.concatenate([shown, windows.inputs[..., 2:]], axis=-1))

    monkeypatch.setattr(sys.modules[leak_test.__module__], "cut_windows", late)
    assert leak_test(ConstantVelocity(), load_trajectories(path / "test"), config) > 0.1


def test_the_leak_test_refuses_to_see_nothing(dataset, monkeypatch):
    path, _ = dataset
    split = load_trajectories(path / "test")
    frozen = split._replace(frames=np.zeros_like(split.frames))
    config = DataConfig(subsample=1, num_phases=1, input_steps=2, target_steps=4)
    with pytest.raises(ValueError, match="frames after the given ones"):
        leak_test(ConstantVelocity(), frozen, config)
