"""What the figures show, read back from their artists."""

import numpy as np
import pytest

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


@pytest.mark.parametrize("values", [[0.5, 0.9], [[0.5], [0.8], [0.95]]])
def test_coverage_of_another_shape_is_refused(ax, values):
    with pytest.raises(ValueError, match=r"model: expected coverage \[levels = 2, steps\]"):
        plots.plot_coverage(ax, {"model": values}, [0.5, 0.95])
