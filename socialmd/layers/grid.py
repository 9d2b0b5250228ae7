"""Geometry of the pooling grids: relative positions, cells, distance filter.

This is the only module that computes a cell's index. All functions are written in `keras.ops`.

For particle i, a neighbour j and a square (in space: cubic) grid of side w with G cells along a
side, centred on i,

    cell = floor(((x_j - x_i) / w + 1/2) G)     along each axis, at most G - 1

A neighbour counts if it is another particle and lies on the grid: with distance filtering inside
the inscribed circle (sphere), |x_j - x_i| <= w / 2 (thesis equation 8), without it anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from keras import ops
from numpy.typing import NDArray

from socialmd.layers.pairs import compare_all
from socialmd.periodic_box import PeriodicBox
from socialmd.types import Mask, Positions, Tensor

__all__ = [
    "cell_index",
    "check_grids",
    "default_cells",
    "filter_taps",
    "find_neighbours",
    "interpolation_taps",
    "lies_on_grids",
]


def find_neighbours(
    positions: Positions,
    grid_sizes: Sequence[float],
    distance_filter: bool = True,
    mask: Mask = None,
    box: PeriodicBox | None = None,
) -> tuple[Tensor, Tensor]:
    """Which neighbours lie on which of a particle's grids, of positions [B, N, D].

    Returns:
        offsets: float32 [B, N, N, D], x_j - x_i of particle i (second axis) and j (third).
        counts: bool [B, N, N, S], whether j is pooled on grid s of i.
    """
    # Float32 whatever the compute dtype: bfloat16 could not tell neighbouring cells apart.
    offsets, are_others = compare_all(ops.cast(positions, "float32"), math.inf, mask, box)
    offsets = ops.stack(offsets, axis=-1)
    within = lies_on_grids(offsets, grid_sizes, distance_filter)
    return offsets, ops.logical_and(within, are_others[..., None])


def lies_on_grids(
    offsets: Positions, grid_sizes: Sequence[float], distance_filter: bool = True
) -> Tensor:
    """On which grids of a particle something at an offset [..., D] from it lies: bool [..., S]."""
    limits = np.asarray(grid_sizes, "float32") / 2
    if distance_filter:
        distances = ops.sum(ops.square(offsets), axis=-1)
        limits = np.square(limits)
    else:
        distances = ops.max(ops.abs(offsets), axis=-1)
    return distances[..., None] <= ops.convert_to_tensor(limits)


def cell_index(offsets: Positions, sides: Tensor, grid_cells: int) -> Tensor:
    """Cell that a neighbour at an offset [..., D] lies in, on a grid of side w [...].

    int32 [...], row * G + column, where rows count along x and columns along y; in space, the first
    axis is slowest as well. Neighbours beyond the grid get the cell nearest to them.
    """
    scaled = (offsets / sides[..., None] + 0.5) * grid_cells
    # Clipped before the cast, which a far neighbour would overflow. The far edge belongs to the
    # last cell.
    axes = ops.cast(ops.clip(ops.floor(scaled), 0, grid_cells - 1), "int32")
    index = axes[..., 0]
    for axis in range(1, offsets.shape[-1]):
        index = index * grid_cells + axes[..., axis]
    return index


def interpolation_taps(
    offsets: Positions, sides: Tensor, grid_cells: int, linear: bool = True
) -> tuple[Tensor, Tensor]:
    """Cells between whose centres a neighbour lies, and how near it is to each of them.

    Linear along each axis, "cloud in cell": shares are products over axes of one minus the distance
    to the cell's centre in cells, and sum to one. In the outer half of the outermost cells they are
    those of the border, so that a table of cells goes on constantly there.

    Of offsets [M, D] on grids of side w [M]; without `linear`, of the cell alone that the neighbour
    lies in. Numbers of the cells, int32 [M, 2**D] or [M, 1], the first axis slowest; and their
    shares, float32, differentiable in offsets if they are linear.
    """
    place = (offsets / sides[:, None] + 0.5) * grid_cells - 0.5  # in cells, centres at 0..G-1
    place = ops.clip(place, 0.0, grid_cells - 1.0)
    if linear:
        low = ops.clip(ops.floor(ops.stop_gradient(place)), 0, max(grid_cells - 2, 0))
        part = place - low
    else:
        low = ops.floor(ops.stop_gradient(place) + 0.5)
    low = ops.cast(low, "int32")
    cells = ops.zeros_like(low[:, :1])  # [M, taps so far]
    shares = ops.ones_like(offsets[:, :1])
    for axis in range(offsets.shape[-1]):
        steps = (0, 1) if linear and grid_cells > 1 else (0,)
        along = ops.stack([low[:, axis] + step for step in steps], axis=-1)  # [M, 1 or 2]
        cells = ops.reshape(
            cells[:, :, None] * grid_cells + along[:, None, :], (-1, cells.shape[1] * len(steps))
        )
        if len(steps) == 2:
            weights = ops.stack([1 - part[:, axis], part[:, axis]], axis=-1)
            shares = ops.reshape(
                shares[:, :, None] * weights[:, None, :], (-1, shares.shape[1] * 2)
            )
    return cells, shares


def filter_taps(
    grid_cells: int, kernel_size: int, strides: int, rank: int = 2
) -> tuple[int, NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Which output pixels of a "same"-padded convolution each cell reaches, and through which tap.

    Along one axis, cell c reaches pixel r through filter element a = c + p - s r, where it lies in
    0..k-1; k is the filter's size, s the stride and p the padding before the first cell.

    G' = ceil(G / s), pixels along a side of the output, and three tables over cells, row by row,
    [G**D, ceil(k / s)**D], D being the `rank`: numbers of pixel and tap, row by row as well, and
    whether that pair exists (1) or not (0; pixel and tap are then 0).
    """
    pixels = -(-grid_cells // strides)
    padding = max((pixels - 1) * strides + kernel_size - grid_cells, 0) // 2
    shifted = np.arange(grid_cells)[:, None] + padding
    pixel = shifted // strides - np.arange(-(-kernel_size // strides))  # [G, ceil(k / s)]
    tap = shifted - strides * pixel
    exists = (pixel >= 0) & (pixel < pixels) & (tap < kernel_size)

    def over_cells(along: NDArray[np.int_], size: int) -> NDArray[np.int_]:
        """Number of what has a number `along` each axis, of `size` along each."""
        numbers = along
        for _ in range(rank - 1):
            numbers = numbers[:, None, :, None] * size + along[None, :, None, :]
            numbers = numbers.reshape(len(along) * numbers.shape[0], -1)
        return numbers

    everywhere = over_cells(exists.astype(int), 2) == 2**rank - 1  # ones along all axes
    return (
        pixels,
        np.where(everywhere, over_cells(pixel, pixels), 0).astype("int32"),
        np.where(everywhere, over_cells(tap, kernel_size), 0).astype("int32"),
        everywhere.astype("float32"),
    )


def default_cells(rank: int) -> int:
    """G, cells along a side of a grid in so many dimensions, where nothing else is said."""
    return 32 if rank == 2 else 16


def check_grids(grid_sizes: Sequence[float], grid_cells: int) -> None:
    """Refuse to go on without grids, or with impossible ones."""
    if len(grid_sizes) == 0 or not all(0 < size < math.inf for size in grid_sizes):
        raise ValueError(f"grid_sizes: expected positive side lengths, found {grid_sizes}")
    if grid_cells < 1:
        raise ValueError(f"grid_cells: expected a positive integer, found {grid_cells}")
