"""What the figures show, read back from their artists."""

import numpy as np
import pytest

from socialmd.plots import new_figure
from socialmd.reporting.measures.nearest_neighbours import plot_nearest_distances


@pytest.fixture
def ax():
    return new_figure(4, 4)[1]


def test_nearest_distances_are_drawn_as_the_fraction_that_is_closer(ax, rng):
    distances = rng.lognormal(size=(3, 4, 50))
    plot_nearest_distances(ax, {"truth": distances, "model": 2 * distances})
    points, fractions = ax.lines[0].get_data()
    for index in (0, 7, 150, len(points) - 1):
        assert fractions[index] == pytest.approx((distances <= points[index]).mean())
    assert (points[0], points[-1]) == (distances.min(), distances.max())
    assert fractions[-1] == 1.0
    np.testing.assert_allclose(ax.lines[1].get_xdata(), 2 * points)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), fractions, atol=2 / distances.size)
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert "length units" in ax.get_xlabel()


def test_coincident_particles_count_as_closer_than_any_distance(ax):
    plot_nearest_distances(ax, {"model": [0.0, 0.0, 1.0, 2.0]})
    points, fractions = ax.lines[0].get_data()
    assert (points[0], fractions[0]) == (1.0, 0.75)


@pytest.mark.parametrize("bad", [[-1.0, 1.0], [np.nan, 1.0], [0.0, 0.0]])
def test_impossible_distances_are_refused(ax, bad):
    with pytest.raises(ValueError, match="model: expected distances"):
        plot_nearest_distances(ax, {"model": bad})
