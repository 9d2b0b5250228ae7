"""What the figures show, read back from their artists."""

import numpy as np
import pytest

from socialmd.plots import new_figure
from socialmd.plots.style import FORECAST_COLOR
from socialmd.reporting.measures.sampled_futures import plot_spread_skill


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
