"""What the figure of the pooling grids shows, read back from its artists."""

import numpy as np
import pytest

from socialmd import plots

SIZES = (4.0, 8.0)
# Two neighbours in one cell of the larger grid, right of and below the particle; one is within
# reach of the smaller grid.
OFFSETS = [[1.5, -0.5], [3.0, -1.0]]


@pytest.fixture
def counts():
    """[2, 2, 2], first cell axis along x."""
    cells = np.zeros((2, 2, 2))
    cells[0, 1, 0] = 1
    cells[1, 1, 0] = 2
    return cells


@pytest.fixture
def axes():
    return plots.new_figure(8, 4, columns=2)[1]


def lines_of(ax):
    """Lines by their labels; the first line of each."""
    return {line.get_label(): np.array(line.get_data()) for line in ax.lines}


def test_occupied_cells_lie_where_the_neighbours_are(axes, counts):
    plots.plot_stacked_grids(axes, OFFSETS, counts, SIZES)
    for ax, side, count in zip(axes, SIZES, (1, 2), strict=True):
        (image,) = ax.images
        assert (image.origin, tuple(image.get_extent())) == ("lower", (-side / 2, side / 2) * 2)
        shown = image.get_array()  # rows along y
        assert shown[0, 1] == count
        assert shown.mask.tolist() == [[True, False], [True, True]]
        np.testing.assert_allclose(ax.collections[-2].get_offsets(), OFFSETS)
        np.testing.assert_allclose(ax.collections[-1].get_offsets(), [[0, 0]])
        assert "length units" in ax.get_xlabel()
        assert "length units" in ax.get_ylabel()
    assert [ax.get_title() for ax in axes] == [
        "Side 4: 1 of 2 neighbours",
        "Side 8: 2 of 2 neighbours",
    ]


def test_equal_counts_have_equal_colours_on_all_grids(axes, counts):
    image = plots.plot_stacked_grids(axes, OFFSETS, counts, SIZES)
    assert image is axes[1].images[0]
    colors = [ax.images[0].to_rgba([1, 2]) for ax in axes]
    np.testing.assert_array_equal(colors[0], colors[1])
    assert np.abs(colors[0][0] - colors[0][1]).max() > 0.1


def test_the_circle_is_inscribed_and_the_next_grid_is_the_smaller_one(axes, counts):
    plots.plot_stacked_grids(axes, OFFSETS, counts, SIZES)
    small, large = map(lines_of, axes)
    np.testing.assert_allclose(np.hypot(*small["distance filter"]), 2.0)
    np.testing.assert_allclose(np.hypot(*large["distance filter"]), 4.0)
    np.testing.assert_allclose(np.abs(large["next grid"]), 2.0)
    assert "next grid" not in small


def test_without_a_distance_filter_there_is_no_circle(axes, counts):
    plots.plot_stacked_grids(axes, OFFSETS, counts, SIZES, distance_filter=False)
    assert list(lines_of(axes[1])) == ["next grid"]


def test_cells_that_belong_to_no_axes_are_refused(axes, counts):
    with pytest.raises(ValueError, match=r"\[S, G, G\] for 2 axes and 1 sizes, found .*\(2, 2, 2"):
        plots.plot_stacked_grids(axes, OFFSETS, counts, SIZES[:1])
    with pytest.raises(ValueError, match=r"counts: expected \[S, G, G\].*found shape \(2, 2\)"):
        plots.plot_stacked_grids(axes, OFFSETS, counts[0], SIZES)
    with pytest.raises(ValueError, match="counts: expected a neighbour in some cell, found none"):
        plots.plot_stacked_grids(axes, OFFSETS, 0 * counts, SIZES)
