"""What figures of physics show, read back from their artists."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from socialmd import plots
from socialmd.plots.style import FORECAST_COLOR, TRUTH_LINE_COLOR


@pytest.fixture
def ax():
    return plots.new_figure(4, 4)[1]


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_truth_is_dark_and_the_model_in_its_colour(ax):
    drifts = {"truth": [0.1, 0.2], "model": [0.3, 0.4]}
    plots.plot_conservation(ax, drifts, "energy drift / kinetic energy")
    assert [line.get_color() for line in ax.lines] == [TRUTH_LINE_COLOR, FORECAST_COLOR]
    assert sum(to_rgb(TRUTH_LINE_COLOR)) < 0.5  # visible on white
    np.testing.assert_allclose(ax.lines[1].get_xydata(), [[1, 0.3], [2, 0.4]])
    assert (ax.get_xlabel(), ax.get_yscale()) == ("steps ahead", "log")
    assert labels(ax) == ["truth", "model"]


def test_what_is_conserved_exactly_is_drawn_at_the_floor_and_the_legend_says_so(ax):
    plots.plot_conservation(ax, {"truth": [0.0, 1e-9], "model": [0.3, 0.4]}, "drift", floor=1e-5)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 1e-5)
    assert labels(ax) == ["truth", "model", "1e-05 or less"]


def test_without_a_floor_the_axis_is_linear(ax):
    plots.plot_conservation(ax, {"model": [0.0, 2.0]}, "kinetic energy", floor=None)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.0, 2.0])
    assert ax.get_yscale() == "linear"


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_impossible_drifts_are_refused(ax, bad):
    with pytest.raises(ValueError, match="model: expected drifts >= 0"):
        plots.plot_conservation(ax, {"model": [1.0, bad]}, "drift")


def test_nearest_distances_are_drawn_as_the_fraction_that_is_closer(ax, rng):
    distances = rng.lognormal(size=(3, 4, 50))
    plots.plot_nearest_distances(ax, {"truth": distances, "model": 2 * distances})
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
    plots.plot_nearest_distances(ax, {"model": [0.0, 0.0, 1.0, 2.0]})
    points, fractions = ax.lines[0].get_data()
    assert (points[0], fractions[0]) == (1.0, 0.75)


@pytest.mark.parametrize("bad", [[-1.0, 1.0], [np.nan, 1.0], [0.0, 0.0]])
def test_impossible_distances_are_refused(ax, bad):
    with pytest.raises(ValueError, match="model: expected distances"):
        plots.plot_nearest_distances(ax, {"model": bad})


def test_errors_are_drawn_at_the_distances_of_their_bins(ax):
    errors = {"known law": [0.2, 0.1], "model": [0.5, 0.4]}
    plots.plot_error_by_closest_approach(ax, [0.05, 0.5], errors, baselines=["known law"])
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0.05, 0.2], [0.5, 0.1]])
    assert ax.lines[1].get_color() == FORECAST_COLOR != ax.lines[0].get_color()
    assert labels(ax) == ["known law", "model"]
    assert "length units" in ax.get_xlabel()
    assert "length units" in ax.get_ylabel()


def test_quartiles_median_and_control_are_drawn_around_the_closest_approach(ax):
    quartiles = np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [5.0, 6.0, 7.0]])
    plots.plot_around_close_approaches(ax, [-1, 0, 1], quartiles, [0.5, 0.6, 0.7], "sigma")
    median, control, zero = ax.lines
    np.testing.assert_allclose(median.get_xydata(), [[-1, 2], [0, 3], [1, 4]])
    np.testing.assert_allclose(control.get_ydata(), [0.5, 0.6, 0.7])
    assert control.get_linestyle() == "--"
    assert list(zero.get_xdata()) == [0, 0]
    band = ax.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in band} == {(-1, 1), (0, 2), (1, 3), (-1, 5), (0, 6), (1, 7)}
    assert labels(ax) == ["sigma: close approaches", "sigma: control"]


def test_quartiles_of_another_shape_are_refused(ax):
    with pytest.raises(ValueError, match=r"quartiles: expected shape \(3, 2\), found \(2, 2\)"):
        plots.plot_around_close_approaches(ax, [0, 1], np.ones((2, 2)), [1.0, 1.0], "sigma")
