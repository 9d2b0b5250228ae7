"""What the figures show, read back from their artists."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from socialmd.plots import new_figure
from socialmd.plots.style import FORECAST_COLOR, TRUTH_LINE_COLOR
from socialmd.reporting.measures.conserved_quantities import plot_conservation


@pytest.fixture
def ax():
    return new_figure(4, 4)[1]


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_truth_is_dark_and_the_model_in_its_colour(ax):
    drifts = {"truth": [0.1, 0.2], "model": [0.3, 0.4]}
    plot_conservation(ax, drifts, "energy drift / kinetic energy", "Energy")
    assert [line.get_color() for line in ax.lines] == [TRUTH_LINE_COLOR, FORECAST_COLOR]
    assert sum(to_rgb(TRUTH_LINE_COLOR)) < 0.5  # visible on white
    np.testing.assert_allclose(ax.lines[1].get_xydata(), [[1, 0.3], [2, 0.4]])
    assert (ax.get_xlabel(), ax.get_yscale()) == ("steps ahead", "log")
    assert labels(ax) == ["truth", "model"]


def test_what_is_conserved_exactly_is_drawn_at_the_floor_and_the_legend_says_so(ax):
    plot_conservation(
        ax, {"truth": [0.0, 1e-9], "model": [0.3, 0.4]}, "drift", "Momentum", floor=1e-5
    )
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 1e-5)
    assert labels(ax) == ["truth", "model", "1e-05 or less"]


def test_without_a_floor_the_axis_is_linear(ax):
    plot_conservation(ax, {"model": [0.0, 2.0]}, "kinetic energy", "Energy", floor=None)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.0, 2.0])
    assert ax.get_yscale() == "linear"


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_impossible_drifts_are_refused(ax, bad):
    with pytest.raises(ValueError, match="model: expected drifts >= 0"):
        plot_conservation(ax, {"model": [1.0, bad]}, "drift", "Momentum")
