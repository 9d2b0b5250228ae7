"""What the figure of a learned interaction shows, read back from its artists."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from socialmd import plots
from socialmd.plots.style import FORECAST_COLOR, TRUTH_LINE_COLOR

DISTANCES = np.geomspace(0.01, 10, 5)
SEEN = (0.1, 9.0)
LEARNED = np.stack([-1 / DISTANCES**2, 2 / DISTANCES**2])
CURVES = np.stack([LEARNED, 1.5 * LEARNED])
PAIRS = ["attraction", "repulsion"]
MAPS = np.stack([np.arange(-8.0, 8.0).reshape(4, 4), np.ones((4, 4))])


@pytest.fixture
def ax():
    """Of the curves."""
    return plots.draw_learned_interaction(PAIRS, DISTANCES, SEEN, CURVES).axes[0]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_curves_of_pairs_are_drawn_with_their_sign(ax):
    lines = ax.lines[:4]
    assert [line.get_color() for line in lines] == [FORECAST_COLOR] * 2 + [TRUTH_LINE_COLOR] * 2
    assert [line.get_linestyle() for line in lines[2:]] == ["--", "--"]
    for line, expected in zip(lines, CURVES.reshape(4, -1), strict=True):
        np.testing.assert_allclose(line.get_data(), [DISTANCES, expected])
    assert legend(ax) == [*PAIRS, "true law", "hardly any data"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "symlog")
    assert ax.get_xlabel() == "distance (length units)"
    assert "length units per step squared" in ax.get_ylabel()
    low, high = ax.get_ylim()
    assert low < CURVES.min() < 0 < CURVES.max() < high


def test_distances_that_data_hardly_show_are_shaded(ax):
    shaded = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]
    np.testing.assert_allclose(shaded, [(0.01, 0.1), (9.0, 10.0)])
    assert ax.get_xlim() == pytest.approx((0.01, 10.0))


def test_without_a_law_there_is_one_panel():
    figure = plots.draw_learned_interaction(PAIRS, DISTANCES, SEEN, CURVES[:1])
    (panel,) = figure.axes
    assert legend(panel) == [*PAIRS, "hardly any data"]
    figure.draw_without_rendering()


def test_the_law_adds_errors_and_what_depends_on_the_direction_maps():
    errors = np.array([[0.1], [0.2], [0.4]]) * np.ones(5)
    figure = plots.draw_learned_interaction(PAIRS, DISTANCES, SEEN, CURVES, errors, MAPS, half=2.0)
    curves, quartiles, *maps, bar = figure.axes
    assert legend(curves)[:2] == PAIRS
    np.testing.assert_allclose(quartiles.lines[0].get_data(), [DISTANCES, errors[1]])
    band = quartiles.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0.1, 0.4)
    assert quartiles.get_yscale() == "log"
    assert "true" in quartiles.get_ylabel()
    assert [ax.get_title() for ax in maps] == ["learned\nattraction", "true law\nattraction"]
    for ax, expected in zip(maps, MAPS, strict=True):
        (image,) = ax.images
        np.testing.assert_array_equal(image.get_array(), expected)
        assert (image.origin, tuple(image.get_extent())) == ("lower", (-2.0, 2.0, -2.0, 2.0))
        assert image.get_clim() == (-8.0, 8.0)
        assert "length units" in ax.get_xlabel()
    red, _, blue = to_rgb(maps[0].images[0].to_rgba(8.0)[:3])
    assert red > blue  # repulsion
    assert "away from the neighbour" in bar.get_ylabel()
    figure.draw_without_rendering()


def test_a_model_that_has_learned_nothing_is_drawn():
    figure = plots.draw_learned_interaction(PAIRS, DISTANCES, SEEN, 0 * CURVES, maps=0 * MAPS)
    figure.draw_without_rendering()


@pytest.mark.parametrize("curves", [CURVES[0], CURVES[:, :1], CURVES[..., :3]])
def test_curves_of_another_shape_are_refused(curves):
    with pytest.raises(ValueError, match=r"curves: expected \[1 or 2, 2, 5\], found shape"):
        plots.draw_learned_interaction(PAIRS, DISTANCES, SEEN, curves)
