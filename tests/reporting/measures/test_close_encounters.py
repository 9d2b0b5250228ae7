"""What the figures show, read back from their artists."""

from types import SimpleNamespace

import numpy as np
import pytest

from socialmd.plots import new_figure
from socialmd.plots.style import FORECAST_COLOR
from socialmd.reporting.measures.close_encounters import (
    plot_around_close_approaches,
    plot_error_by_closest_approach,
)


@pytest.fixture
def ax():
    return new_figure(4, 4)[1]


def labels(ax):
    return ax.get_legend_handles_labels()[1]


def test_errors_are_drawn_at_the_distances_of_their_bins(ax):
    errors = {"known law": [0.2, 0.1], "model": [0.5, 0.4]}
    plot_error_by_closest_approach(ax, [0.05, 0.5], errors)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0.05, 0.2], [0.5, 0.1]])
    assert ax.lines[1].get_color() == FORECAST_COLOR != ax.lines[0].get_color()
    assert labels(ax) == ["known law", "model"]
    assert "length units" in ax.get_xlabel()
    assert "length units" in ax.get_ylabel()


def test_quartiles_median_and_control_are_drawn_around_the_closest_approach(ax):
    around = SimpleNamespace(
        offsets=[-1, 0, 1],
        lower=[1.0, 2.0, 3.0],
        median=[2.0, 3.0, 4.0],
        upper=[5.0, 6.0, 7.0],
        control=[0.5, 0.6, 0.7],
    )
    plot_around_close_approaches(ax, around, "sigma", FORECAST_COLOR)
    median, control, zero = ax.lines
    np.testing.assert_allclose(median.get_xydata(), [[-1, 2], [0, 3], [1, 4]])
    np.testing.assert_allclose(control.get_ydata(), [0.5, 0.6, 0.7])
    assert control.get_linestyle() == "--"
    assert list(zero.get_xdata()) == [0, 0]
    band = ax.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in band} == {(-1, 1), (0, 2), (1, 3), (-1, 5), (0, 6), (1, 7)}
    assert labels(ax) == ["sigma: close approaches", "sigma: control"]
