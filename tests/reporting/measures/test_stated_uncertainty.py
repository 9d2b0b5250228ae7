"""What the figures show, read back from their artists."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from socialmd.plots import new_figure
from socialmd.plots.style import FORECAST_COLOR
from socialmd.reporting.measures.stated_uncertainty import plot_pit, plot_spread


@pytest.fixture
def ax():
    return new_figure(4, 4)[1]


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_pit_is_drawn_relative_to_the_uniform_histogram(ax):
    plot_pit(ax, {"model": [0.5, 0.2, 0.2, 0.1], "other": [0.25] * 4})
    model, other = ax.patches
    np.testing.assert_allclose(model.get_data().values, [2.0, 0.8, 0.8, 0.4])
    np.testing.assert_allclose(model.get_data().edges, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(other.get_data().values, 1.0)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 1.0)
    assert model.get_edgecolor() == to_rgba(FORECAST_COLOR) != other.get_edgecolor()
    assert legend_of(ax) == ["model", "other", "calibrated"]
    assert ax.get_ylim()[0] == 0


def test_spread_is_dashed_and_error_solid(ax):
    spread = {"model": [0.1, 0.2], "other": [0.3, 0.3]}
    error = {"other": [0.5, 0.6], "model": [0.15, 0.4]}
    plot_spread(ax, spread, error)
    model_error, model_sigma, other_error, other_sigma = ax.lines
    np.testing.assert_allclose(model_error.get_xydata(), [[1, 0.15], [2, 0.4]])
    np.testing.assert_allclose(model_sigma.get_xydata(), [[1, 0.1], [2, 0.2]])
    np.testing.assert_allclose(other_error.get_ydata(), [0.5, 0.6])
    np.testing.assert_allclose(other_sigma.get_ydata(), [0.3, 0.3])
    assert model_error.get_linestyle() == other_error.get_linestyle() == "-"
    assert model_sigma.get_linestyle() == other_sigma.get_linestyle() == "--"
    assert model_error.get_color() == model_sigma.get_color() == FORECAST_COLOR
    assert other_error.get_color() == other_sigma.get_color() != FORECAST_COLOR
    assert ax.get_yscale() == "log"
    assert "length units" in ax.get_ylabel()
    assert legend_of(ax)[:2] == ["model, error", "model, predicted sigma"]


def test_colours_do_not_run_out(ax):
    plot_pit(ax, {str(index): [0.5, 0.5] for index in range(12)})
    assert len(ax.patches) == 12


@pytest.mark.parametrize("values", [[], [[0.5, 0.5]]])
def test_histogram_of_another_shape_is_refused(ax, values):
    with pytest.raises(ValueError, match=r"model: expected fractions \[bins\]"):
        plot_pit(ax, {"model": values})


def test_spread_without_its_error_is_refused(ax):
    with pytest.raises(ValueError, match=r"error: expected names \['model'\], found \['other'\]"):
        plot_spread(ax, {"model": [0.1]}, {"other": [0.1]})
