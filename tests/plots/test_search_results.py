import numpy as np
import pytest

from socialmd.plots import new_figure, plot_importances, plot_loss_surface, plot_search_progress


@pytest.fixture
def ax():
    return new_figure(5, 4)[1]


def curve(ax, label):
    (line,) = (line for line in ax.lines if line.get_label() == label)
    return line.get_xydata()


def test_progress_shows_trials_failures_and_the_best_so_far(ax):
    plot_search_progress(ax, [0.5, None, 0.9, 0.2, 0.4, 90.0])
    np.testing.assert_allclose(curve(ax, "trial"), [[1, 0.5], [3, 0.9], [4, 0.2], [5, 0.4]])
    np.testing.assert_allclose(curve(ax, "best so far")[:, 1], [0.5, 0.5, 0.5, 0.2, 0.2, 0.2])
    assert curve(ax, "failed")[:, 0].tolist() == [2]
    assert curve(ax, "beyond")[:, 0].tolist() == [6]
    assert ax.get_ylim()[1] < 2.0
    assert "NLL" in ax.get_ylabel()


def test_progress_begins_with_failures_too(ax):
    plot_search_progress(ax, [None, 1.0, 1.0])
    np.testing.assert_allclose(curve(ax, "best so far")[:, 1], [np.nan, 1.0, 1.0])
    with pytest.raises(ValueError, match="has not failed, found none"):
        plot_search_progress(ax, [None, None])


def test_importances_are_bars_in_percent_with_the_first_on_top(ax):
    plot_importances(ax, {"rate": 0.7, "units": 0.3})
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([70.0, 30.0])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["rate", "units"]
    assert ax.yaxis_inverted()


def test_a_surface_has_a_dot_for_each_trial_and_a_ring_around_the_best(ax, rng):
    units, rates = rng.integers(16, 64, 20), 10 ** rng.uniform(-4, -2, 20)
    losses = rng.normal(size=20)
    plot_loss_surface(ax, list(units), list(rates), list(losses), "units", "rate")
    surface, dots = ax.collections
    np.testing.assert_allclose(dots.get_offsets(), np.stack([units, rates], axis=1))
    highest = 2 * np.median(losses) - losses.min()  # beyond which all look alike
    np.testing.assert_allclose(dots.get_array(), np.minimum(losses, highest))
    (ring,) = ax.lines
    best = losses.argmin()
    np.testing.assert_allclose(ring.get_xydata(), [[units[best], rates[best]]])
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    assert ax.get_xlabel() == "units"
    assert dots.norm.vmax == surface.norm.vmax == pytest.approx(highest)


def test_the_ground_is_the_mean_of_the_trials_nearby(ax):
    """Two in one place, one far away, each in the middle of a cell's neighbourhood."""
    plot_loss_surface(ax, [0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 2.0, 1.5], "a", "b")
    surface, _ = ax.collections
    ground = surface.get_array().reshape(60, 60)
    edges = np.linspace(-0.08, 1.08, 61)
    near = np.digitize(0.0, edges) - 1
    far = np.digitize(1.0, edges) - 1
    assert ground[near, near] == pytest.approx(1.5)
    assert ground[far, far] == pytest.approx(1.5)
    assert ground.mask[near, far]
    assert ground.mask[far, near]


def test_a_logarithmic_axis_is_divided_evenly_in_ratios(ax):
    rates = [1e-4, 1e-2]
    plot_loss_surface(ax, rates, [0.0, 1.0], [1.0, 3.0], "rate", "b")
    surface, _ = ax.collections
    corners = surface.get_coordinates()[0, :, 0]
    ratios = corners[1:] / corners[:-1]
    np.testing.assert_allclose(ratios, ratios[0])
    ground = surface.get_array().reshape(60, 60)
    column = np.digitize(rates[0], corners) - 1
    row = np.digitize(0.0, np.linspace(-0.08, 1.08, 61)) - 1
    assert ground[row, column] == pytest.approx(1.0, abs=1e-3)


def test_names_have_ticks_of_their_own(ax):
    kinds = ["position", "acceleration", "position", "displacement"]
    plot_loss_surface(ax, kinds, [8, 16, 32, 16], [3.0, 1.0, 2.0, 1.5], "prediction", "units")
    ticks = [label.get_text() for label in ax.get_xticklabels()]
    assert ticks == ["acceleration", "displacement", "position"]
    np.testing.assert_allclose(ax.collections[-1].get_offsets()[:, 0], [2, 0, 2, 1])


@pytest.mark.parametrize("values", [[5, 5, 5], [1, 2, 3]], ids=["a point", "a line"])
def test_values_that_span_no_surface_are_drawn_too(ax, values):
    plot_loss_surface(ax, values, values, [3.0, 1.0, 2.0], "a", "b")
    surface, _ = ax.collections
    assert np.isfinite(surface.get_array().compressed()).all()


def test_a_loss_is_needed_for_each_trial(ax):
    with pytest.raises(ValueError, match="found 2, 1 and 2"):
        plot_loss_surface(ax, [1, 2], [1], [0.0, 1.0], "a", "b")
