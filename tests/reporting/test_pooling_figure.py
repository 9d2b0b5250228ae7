"""The particle is chosen by its rule, its cells are those of the definition."""

import numpy as np
import pytest

from socialmd.config import ModelConfig
from socialmd.data import Windows
from socialmd.evaluation import NotPossibleError
from socialmd.reporting.thesis_figures import draw_pooling

CELLS = 4
SIZES = (8.0, 2.0, 4.0)


def windows_of(positions):
    """Windows [W, 1, N, 2] of two simulations."""
    inputs = np.asarray(positions, "float32")[:, None]
    return Windows(inputs, inputs, np.arange(len(inputs)) + 10)


def config(**keys):
    return ModelConfig(grid_cells=CELLS, kernel_size=2, filters=(2,), grid_sizes=SIZES, **keys)


@pytest.fixture
def windows():
    """In the second one the last particle has two neighbours within 1 of it, others at most one."""
    first = [[0, 0], [0.3, 0.3], [5, 5], [9, 0]]
    second = [[0.8, 0.1], [7.5, 0.1], [-0.9, -0.1], [0, 0]]
    return windows_of([first, second])


def panels(drawing):
    """Axes of the grids."""
    return [ax for ax in drawing.figure.axes if ax.images]


@pytest.mark.parametrize("circles", [True, False])
def test_cells_hold_the_neighbours_of_the_most_crowded_particle(windows, circles):
    drawing = draw_pooling(config(distance_filter=circles), windows)
    assert "Particle 3 of test simulation 11" in drawing.shows
    offsets = windows.inputs[1, 0, :3]
    assert len(panels(drawing)) == len(SIZES)
    for ax, side in zip(panels(drawing), SIZES, strict=True):
        expected = np.zeros((CELLS, CELLS))
        for x, y in offsets:
            if (np.hypot(x, y) if circles else max(abs(x), abs(y))) <= side / 2:
                expected[int((x / side + 0.5) * CELLS), int((y / side + 0.5) * CELLS)] += 1
        assert expected.sum() == 2
        np.testing.assert_array_equal(ax.images[0].get_array().filled(0), expected.T)
        np.testing.assert_allclose(ax.collections[-2].get_offsets(), offsets)


def test_padded_particles_are_neither_chosen_nor_counted(windows):
    """Three of them, all at the origin, would be more crowded than any real particle."""
    padded = np.pad(windows.inputs, [(0, 0), (0, 0), (0, 3), (0, 0)])
    mask = np.array([[True] * 4 + [False] * 3] * 2)
    expected, found = (
        draw_pooling(config(), each)
        for each in (windows, windows._replace(inputs=padded, truth=padded, mask=mask))
    )
    assert found.shows == expected.shows
    for ours, theirs in zip(panels(found), panels(expected), strict=True):
        np.testing.assert_array_equal(ours.images[0].get_array(), theirs.images[0].get_array())


def test_models_without_grids_and_lonely_particles_are_not_drawn(windows):
    without = config().model_copy(update={"grid_sizes": ()})
    with pytest.raises(NotPossibleError, match="no grids"):
        draw_pooling(without, windows)
    with pytest.raises(NotPossibleError, match="no particle has a neighbour on its smallest"):
        draw_pooling(config(), windows_of([[[0, 0], [0, 1.1]]]))
