"""What the figures show, read back from their artists; and what fails on its own."""

from types import SimpleNamespace

import numpy as np
import pytest

from socialmd.data import Windows
from socialmd.plots import new_figure
from socialmd.plots.style import FORECAST_COLOR
from socialmd.reporting import ForecastEvaluation
from socialmd.reporting.measures import sampled_futures
from socialmd.reporting.measures.sampled_futures import SampledFutures, plot_spread_skill


@pytest.fixture
def ax():
    return new_figure(4, 4)[1]


def drawn_lines(ax):
    """Lines that have points: the legend's own do not."""
    return [line for line in ax.lines if len(line.get_xdata())]


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_ratio_of_spread_and_error_is_drawn_beside_one(ax):
    plot_spread_skill(ax, {"model": [1.5, 0.5], "other": [1.0, 4.0]})
    model, other, calibrated = drawn_lines(ax)
    np.testing.assert_allclose(model.get_xydata(), [[1, 1.5], [2, 0.5]])
    np.testing.assert_allclose(other.get_ydata(), [1.0, 4.0])
    np.testing.assert_allclose(calibrated.get_ydata(), 1.0)
    assert model.get_color() == FORECAST_COLOR != other.get_color()
    assert legend_of(ax) == ["model", "other", "calibrated"]
    assert ax.get_yscale() == "log"


def test_futures_of_one_model_that_fail_are_no_matter_of_the_others(monkeypatch, rng):
    """Samples of a density that was trained in closed loop may explode."""

    def measure(model, windows, num_samples, name):
        if name == "exploding":
            raise ValueError("covariances: expected positive definite matrices")
        return windows.truth, {"": (name, "coverage")}

    monkeypatch.setattr(sampled_futures, "_measure_futures", measure)
    truth = rng.normal(size=(3, 4, 2, 2))
    windows = Windows(truth[:, :2], truth, np.arange(3))
    models = dict.fromkeys(("exploding", "good"), SimpleNamespace(reason_against_samples=None))
    evaluation = ForecastEvaluation.__new__(ForecastEvaluation)
    evaluation.forecasts = SimpleNamespace(windows=windows, models=models)
    evaluation.num_samples, evaluation.max_sampled = 2, 3
    evaluation.numbers = {"calibration": {"exploding": {"as trained": 1}, "good": {}}}
    evaluation.left_out, evaluation.cautions = {}, {}
    found = SampledFutures().compute(evaluation)
    assert found["samples"] == {"good": "good"}
    assert found["one_future"].keys() == {"good"}
    assert found["calibration"] == {
        "exploding": {"as trained": 1},
        "good": {"sampled": "coverage"},
    }
    assert "positive definite" in evaluation.left_out["sampled futures of exploding"]
