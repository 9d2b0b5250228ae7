"""What the figures show, read back from their artists."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from socialmd import plots
from socialmd.plots.style import FORECAST_COLOR


@pytest.fixture
def ax():
    return plots.new_figure(4, 4)[1]


def drawn_lines(ax):
    """Lines that have points: the legend's own do not."""
    return [line for line in ax.lines if len(line.get_xdata())]


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_coverage_is_drawn_in_percent_against_steps_with_its_nominal_level(ax):
    model, other = [[0.5, 0.4, 0.3], [0.9, 0.8, 0.7]], [[0.6, 0.6], [1.0, 1.0]]
    plots.plot_coverage(ax, {"model": model, "other": other}, [0.5, 0.95])
    low, high, *others, nominal_low, nominal_high = drawn_lines(ax)
    np.testing.assert_allclose(low.get_xydata(), [[1, 50], [2, 40], [3, 30]])
    np.testing.assert_allclose(high.get_ydata(), [90, 80, 70])
    np.testing.assert_allclose([line.get_ydata() for line in others], [[60, 60], [100, 100]])
    np.testing.assert_allclose(nominal_low.get_ydata(), 50)
    np.testing.assert_allclose(nominal_high.get_ydata(), 95)
    # A level has one style, a forecast one colour.
    assert low.get_linestyle() == others[0].get_linestyle() == nominal_low.get_linestyle()
    assert high.get_linestyle() == others[1].get_linestyle() == nominal_high.get_linestyle()
    assert low.get_linestyle() != high.get_linestyle()
    assert low.get_color() == high.get_color() == FORECAST_COLOR
    assert len({low.get_color(), others[0].get_color(), nominal_low.get_color()}) == 3
    assert legend_of(ax) == ["model", "other", "nominal 50%", "nominal 95%"]
    assert ax.get_xlabel() == "steps ahead"
    assert "%" in ax.get_ylabel()
    assert ax.get_ylim() == (0, 100)


def test_pit_is_drawn_relative_to_the_uniform_histogram(ax):
    plots.plot_pit(ax, {"model": [0.5, 0.2, 0.2, 0.1], "other": [0.25] * 4})
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
    plots.plot_spread(ax, spread, error)
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
    plots.plot_pit(ax, {str(index): [0.5, 0.5] for index in range(12)})
    assert len(ax.patches) == 12


@pytest.mark.parametrize("values", [[0.5, 0.9], [[0.5], [0.8], [0.95]]])
def test_coverage_of_another_shape_is_refused(ax, values):
    with pytest.raises(ValueError, match=r"model: expected coverage \[levels = 2, steps\]"):
        plots.plot_coverage(ax, {"model": values}, [0.5, 0.95])


@pytest.mark.parametrize("values", [[], [[0.5, 0.5]]])
def test_histogram_of_another_shape_is_refused(ax, values):
    with pytest.raises(ValueError, match=r"model: expected fractions \[bins\]"):
        plots.plot_pit(ax, {"model": values})


def test_spread_without_its_error_is_refused(ax):
    with pytest.raises(ValueError, match=r"error: expected names \['model'\], found \['other'\]"):
        plots.plot_spread(ax, {"model": [0.1]}, {"other": [0.1]})


def test_ratio_of_spread_and_error_is_drawn_beside_one(ax):
    plots.plot_spread_skill(ax, {"model": [1.5, 0.5], "other": [1.0, 4.0]})
    model, other, calibrated = drawn_lines(ax)
    np.testing.assert_allclose(model.get_xydata(), [[1, 1.5], [2, 0.5]])
    np.testing.assert_allclose(other.get_ydata(), [1.0, 4.0])
    np.testing.assert_allclose(calibrated.get_ydata(), 1.0)
    assert model.get_color() == FORECAST_COLOR != other.get_color()
    assert legend_of(ax) == ["model", "other", "calibrated"]
    assert ax.get_yscale() == "log"
