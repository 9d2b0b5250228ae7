"""Particles placed by hand, with the cells that they lie in written out."""

import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers.grid import cell_index, filter_taps, find_neighbours, interpolation_taps
from tests import reference

NOWHERE = None
# On a grid of 4 x 4 cells and side 4 around the origin: cells of side 1, circle of radius 2.
HAND_PLACED = {
    "inside a cell": ((0.5, 0.5), (2, 2)),
    "x counts rows, y columns": ((-0.5, 1.25), (1, 3)),
    "on top of the particle": ((0.0, 0.0), (2, 2)),
    "on a cell's edge, belongs above": ((1.0, 0.5), (3, 2)),
    "on a lower edge": ((-1.0, -1.0), (1, 1)),
    "just below an edge": ((1.0 - 2.0**-20, 0.5), (2, 2)),
    "on the circle, right": ((2.0, 0.0), (3, 2)),
    "on the circle, left": ((-2.0, 0.0), (0, 2)),
    "on the circle, top": ((0.0, 2.0), (2, 3)),
    "on the circle, bottom": ((0.0, -2.0), (2, 0)),
    "just outside the circle": ((np.nextafter(np.float32(2), np.float32(3)), 0.0), NOWHERE),
    "in the square's corner, outside the circle": ((1.5, -1.5), NOWHERE),
    "far away": ((1e30, -1e30), NOWHERE),
}
IN_THE_SQUARE = {
    "between circle and square": ((1.5, -1.5), (3, 0)),
    "on the square's corner": ((2.0, 2.0), (3, 3)),
    "on the opposite corner": ((-2.0, -2.0), (0, 0)),
    "just outside the square": ((0.0, np.nextafter(np.float32(2), np.float32(3))), NOWHERE),
    "far away": ((1e30, 0.0), NOWHERE),
}

# Centres of the same cells at -1.5, -0.5, 0.5 and 1.5; how near a neighbour is to which of them.
INTERPOLATED = {
    "on a centre": ((0.5, -0.5), {(2, 1): 1}),
    "between two rows": ((0.75, -0.5), {(2, 1): 0.75, (3, 1): 0.25}),
    "between two columns": ((0.5, -1.25), {(2, 0): 0.75, (2, 1): 0.25}),
    "between four centres": (
        (0.0, 0.25),
        {(1, 1): 0.125, (2, 1): 0.125, (1, 2): 0.375, (2, 2): 0.375},
    ),
    "in the outer half of the last row": ((1.75, 0.75), {(3, 2): 0.75, (3, 3): 0.25}),
    "on two borders": ((2.0, -2.0), {(3, 0): 1}),
    "on the outermost centres": ((-1.5, 1.5), {(0, 3): 1}),
    "beyond the grid": ((1e30, -3e38), {(3, 0): 1}),
    "in space, between two planes": ((0.5, -0.5, 0.75), {(2, 1, 2): 0.75, (2, 1, 3): 0.25}),
    "in space, between four": (
        (0.0, 1.75, -1.25),
        {(1, 3, 0): 0.375, (2, 3, 0): 0.375, (1, 3, 1): 0.125, (2, 3, 1): 0.125},
    ),
    "in space, between eight": (
        (0.0, 0.0, 0.0),
        {(1 + a, 1 + b, 1 + c): 0.125 for a in (0, 1) for b in (0, 1) for c in (0, 1)},
    ),
}


def cell_of_neighbour(offset, sides=(4.0,), grid_cells=4, distance_filter=True):
    """Cell of a second particle at `offset` from the first, at the origin; nothing if dropped."""
    positions = np.float32([[(0.0, 0.0), offset]])
    offsets, counts = find_neighbours(positions, sides, distance_filter)
    cell = cell_index(offsets[:, :, :, None, :], np.float32(sides), grid_cells)
    cells = [divmod(int(index), grid_cells) for index in cell[0, 0, 1]]
    return [
        one if counted else NOWHERE for one, counted in zip(cells, counts[0, 0, 1], strict=True)
    ]


@pytest.mark.parametrize(("offset", "cell"), HAND_PLACED.values(), ids=HAND_PLACED)
def test_cell_with_distance_filter(offset, cell):
    assert cell_of_neighbour(offset) == [cell]


@pytest.mark.parametrize(("offset", "cell"), IN_THE_SQUARE.values(), ids=IN_THE_SQUARE)
def test_cell_without_distance_filter(offset, cell):
    assert cell_of_neighbour(offset, distance_filter=False) == [cell]


@pytest.mark.parametrize("offset", [(3.0, 4.0), (-4.0, 3.0), (-3.0, -4.0)])
def test_pythagorean_neighbour_is_on_the_circle(offset):
    row, column = reference.cell_of(np.array(offset), 10.0, 16)
    assert cell_of_neighbour(offset, sides=(10.0,), grid_cells=16) == [(row, column)]


def test_one_neighbour_lies_in_another_cell_on_each_stacked_grid():
    """At (1.25, -0.5): outside the smallest circle, near the centre of the largest grid."""
    assert cell_of_neighbour((1.25, -0.5), sides=(16.0, 8.0, 4.0, 2.0)) == [
        (2, 1),
        (2, 1),
        (3, 1),
        NOWHERE,
    ]


def test_cells_equal_the_definition_everywhere(rng):
    positions = rng.uniform(-3.0, 3.0, size=(3, 6, 2)).astype("float32")
    mask = rng.uniform(size=(3, 6)) < 0.7
    sides = (5.0, 3.1, 0.9)
    for distance_filter in (True, False):
        offsets, counts = find_neighbours(positions, sides, distance_filter, mask)
        cell = np.asarray(cell_index(offsets[:, :, :, None, :], np.float32(sides), 7))
        counts = np.asarray(counts)
        assert cell.shape == counts.shape == (3, 6, 6, 3)
        for b, i, j, s in np.ndindex(cell.shape):
            offset = positions[b, j].astype(float) - positions[b, i]
            expected = (
                i != j and mask[b, j] and reference.is_on_grid(offset, sides[s], distance_filter)
            )
            assert counts[b, i, j, s] == expected
            if expected:
                row, column = reference.cell_of(offset, sides[s], 7)
                assert cell[b, i, j, s] == row * 7 + column
            else:
                assert 0 <= cell[b, i, j, s] < 7 * 7


def test_no_particle_is_its_own_neighbour():
    _, counts = find_neighbours(np.zeros((2, 3, 2)), (4.0,))
    np.testing.assert_array_equal(
        counts[..., 0], np.broadcast_to(~np.eye(3, dtype=bool), (2, 3, 3))
    )


def test_positions_that_are_no_numbers_count_nowhere():
    positions = np.float32([[(0.0, 0.0), (np.nan, 0.0), (0.5, np.inf), (0.25, 0.25)]])
    _, counts = find_neighbours(positions, (4.0,))
    assert np.asarray(counts)[0, 0, :, 0].tolist() == [False, False, False, True]


@pytest.mark.parametrize(("offset", "expected"), INTERPOLATED.values(), ids=INTERPOLATED)
def test_shares_of_cells_between_whose_centres_a_neighbour_lies(offset, expected):
    dims = len(offset)
    cells, shares = interpolation_taps(np.float32([offset]), np.float32([4.0]), 4)
    assert cells.dtype == "int32"
    assert cells.shape == shares.shape == (1, 2**dims)
    total = np.zeros(4**dims)
    np.add.at(total, cells[0], shares[0])
    found = {np.unravel_index(cell, dims * (4,)): total[cell] for cell in np.flatnonzero(total)}
    assert found == expected


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("grid_cells", [1, 2, 5, 16])
def test_shares_are_parts_of_one(rng, dims, grid_cells):
    offsets = rng.uniform(-3, 3, size=(200, dims)).astype("float32")
    sides = rng.uniform(1, 5, size=200).astype("float32")
    cells, shares = (np.asarray(array) for array in interpolation_taps(offsets, sides, grid_cells))
    assert cells.shape == shares.shape == (200, 2**dims if grid_cells > 1 else 1)
    assert cells.min() >= 0
    assert cells.max() < grid_cells**dims
    assert shares.min() >= 0
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("dims", [2, 3])
def test_shares_interpolate_products_of_coordinates_and_their_gradients(rng, dims):
    """x y (z) is linear along each axis; beyond the outermost centres it goes on constantly."""
    grid_cells = 5
    sides = rng.uniform(1, 5, size=(300, 1)).astype("float32")
    offsets = tf.constant(sides * rng.uniform(-0.5, 0.5, size=(300, dims)).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(offsets)
        cells, shares = interpolation_taps(offsets, sides[:, 0], grid_cells)
        axes = np.stack(np.unravel_index(cells, dims * (grid_cells,)), axis=-1)  # [M, taps, D]
        centres = ((axes + 0.5) / grid_cells - 0.5) * sides[:, None]
        found = tf.reduce_sum(shares * np.prod(centres, axis=-1), axis=1)
    outermost = (0.5 - 0.5 / grid_cells) * sides
    inside = np.clip(offsets, -outermost, outermost)
    others = [np.prod(np.delete(inside, axis, axis=1), axis=1) for axis in range(dims)]
    by_offset = np.where(np.abs(offsets) < outermost, np.stack(others, axis=-1), 0)
    np.testing.assert_allclose(found, np.prod(inside, axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tape.gradient(found, offsets), by_offset, rtol=1e-4, atol=1e-4)
    assert np.any(by_offset == 0)
    assert np.any(by_offset != 0)


def test_without_interpolation_a_neighbour_is_in_its_cell_alone(rng):
    """Also on edges of cells, which are multiples of 1/2 here, and a rounding beside them."""
    edges = np.float32(rng.integers(-10, 11, size=(500, 2)) / 2)
    offsets = np.concatenate(
        [edges, *(np.nextafter(edges, np.float32(end)) for end in (-9, 9)), edges / np.float32(3)]
    )
    sides = np.full(len(offsets), 4.0, "float32")
    cells, shares = interpolation_taps(offsets, sides, 8, linear=False)
    np.testing.assert_array_equal(cells[:, 0], cell_index(offsets, sides, 8))
    np.testing.assert_array_equal(shares, np.ones((2000, 1)))


def test_without_interpolation_in_space(rng):
    offsets = rng.uniform(-2, 2, size=(200, 3)).astype("float32")
    cells, _ = interpolation_taps(offsets, np.full(200, 4.0, "float32"), 6, linear=False)
    expected = [
        np.ravel_multi_index(reference.cell_of(offset, 4.0, 6), (6, 6, 6)) for offset in offsets
    ]
    np.testing.assert_array_equal(cells[:, 0], expected)


@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("grid_cells", [5, 8])
def test_filter_taps_are_those_of_a_convolution(grid_cells, kernel_size, strides):
    """A one in a single cell comes out as the filter's taps, each at its pixel."""
    pixels, pixel, tap, exists = filter_taps(grid_cells, kernel_size, strides)
    numbered = 1.0 + np.arange(kernel_size**2).reshape(kernel_size, kernel_size, 1, 1)
    for cell in range(grid_cells**2):
        image = np.zeros((grid_cells, grid_cells, 1))
        image[divmod(cell, grid_cells)] = 1.0
        expected = reference.convolve(image, numbered, np.zeros(1), strides)
        output = np.zeros(pixels**2)
        np.add.at(output, pixel[cell], (1.0 + tap[cell]) * exists[cell])
        np.testing.assert_array_equal(output, expected.reshape(-1))
