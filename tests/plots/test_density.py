import numpy as np
import pytest
from matplotlib.colors import to_rgb

from socialmd import plots
from socialmd.plots.style import FORECAST_COLOR, TRUTH_COLOR

EXTENT = (-2.0, 2.0, -3.0, 3.0)
PAST = np.array([[0.0, 1.0], [0.5, 0.5]])
FOLLOWING = np.array([[1.0, 0.0], [1.1, 0.2], [0.9, -0.1]])
MEANS = np.array([[1.0, 0.1], [0.0, -1.0]])


@pytest.fixture
def density():
    """Largest where y is large and x is small."""
    return np.arange(12.0).reshape(4, 3)[:, ::-1]


def labels(ax):
    return ax.get_legend_handles_labels()[1]


def test_density_is_an_image_with_y_upwards(density):
    _, ax = plots.new_figure(4, 4)
    image = plots.plot_density(ax, density, EXTENT, PAST, FOLLOWING, title="Exact")
    assert image is ax.images[0]
    assert image.origin == "lower"
    assert tuple(image.get_extent()) == EXTENT
    assert (*ax.get_xlim(), *ax.get_ylim()) == EXTENT
    np.testing.assert_array_equal(image.get_array(), density)
    assert image.get_clim() == (0.0, 11.0)
    assert ax.get_title() == "Exact"
    assert "length units" in ax.get_xlabel()


def test_axes_of_one_colour_scale_can_be_compared(density):
    colours = []
    for factor in (1.0, 0.25):
        _, ax = plots.new_figure(4, 4)
        image = plots.plot_density(ax, factor * density, EXTENT, PAST, FOLLOWING, largest=20.0)
        colours.append(image.norm(5.0))
        assert image.get_clim() == (0.0, 20.0)
    assert colours == [0.5, 0.5]  # the root of a quarter


def test_positions_lie_where_they_are(density):
    _, ax = plots.new_figure(4, 4)
    plots.plot_density(ax, density, EXTENT, PAST, FOLLOWING, MEANS)
    following, last, means = ax.collections
    np.testing.assert_array_equal(following.get_offsets(), FOLLOWING)
    np.testing.assert_array_equal(last.get_offsets(), PAST[-1:])
    np.testing.assert_array_equal(means.get_offsets(), MEANS)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), PAST)
    assert to_rgb(following.get_facecolor()[0][:3]) == to_rgb(TRUTH_COLOR)
    assert to_rgb(means.get_facecolor()[0][:3]) == to_rgb(FORECAST_COLOR)
    assert "means of the Gaussians" in labels(ax)


def test_means_may_be_left_out(density):
    _, ax = plots.new_figure(4, 4)
    plots.plot_density(ax, density, EXTENT, PAST, FOLLOWING)
    assert sorted(labels(ax)) == ["given positions", "last given position", "true next positions"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_impossible_densities_are_refused(bad):
    _, ax = plots.new_figure(4, 4)
    with pytest.raises(ValueError, match="density: expected finite numbers of at least 0"):
        plots.plot_density(ax, [[0.0, bad]], EXTENT, PAST, FOLLOWING)


@pytest.mark.parametrize("shape", [(3,), (0, 4), (2, 2, 1)])
def test_a_density_that_is_no_image_is_refused(shape):
    _, ax = plots.new_figure(4, 4)
    with pytest.raises(ValueError, match="density: expected an image"):
        plots.plot_density(ax, np.zeros(shape), EXTENT, PAST, FOLLOWING)
