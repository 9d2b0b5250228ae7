"""Geometry of the pooling grids: relative positions, cells, distance filter.

This is the only module that computes a cell's index. All functions are written in `keras.ops`.

For particle i, a neighbour j and a square grid of side w with G x G cells, centred on i,

    cell = floor(((x_j - x_i) / w + 1/2) G)     along each axis, at most G - 1

A neighbour counts if it is another particle and lies on the grid: with distance filtering inside
the inscribed circle, |x_j - x_i| <= w / 2 (thesis equation 8), without it anywhere in the square.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

__all__ = ["assign_cells", "filter_taps"]


def assign_cells(
    positions: Any,
    grid_sizes: Sequence[float],
    grid_cells: int,
    distance_filter: bool = True,
    mask: Any | None = None,
) -> tuple[Any, Any]:
    """Cell of every neighbour on every particle's grids.

    Args:
        positions: [B, N, 2], in units of length.
        grid_sizes: side lengths w_1..w_S, in units of length.
        grid_cells: G, cells along a side.
        distance_filter: count only neighbours within w / 2; otherwise all on the square.
        mask: bool [B, N], false for padded particles, which are nobody's neighbours.

    Returns:
        cell: int32 [B, N, N, S], index row * G + column of neighbour j (third axis) on grid s of
            particle i (second axis), where `row` counts along x and `column` along y.
            Zero where `counts` is false.
        counts: bool [B, N, N, S], whether j is pooled there.
    """
    sides = ops.convert_to_tensor(np.asarray(grid_sizes, "float32"))  # [S]
    # Float32 whatever the compute dtype: bfloat16 could not tell neighbouring cells apart.
    positions = ops.cast(positions, "float32")
    offsets = positions[:, None, :, :] - positions[:, :, None, :]  # [B, N, N, 2], x_j - x_i
    relative = offsets[:, :, :, None, :] / sides[:, None]  # [B, N, N, S, 2]
    if distance_filter:
        counts = ops.sum(ops.square(relative), axis=-1) <= 0.25
    else:
        counts = ops.max(ops.abs(relative), axis=-1) <= 0.5
    others = ops.logical_not(ops.eye(ops.shape(positions)[1], dtype="bool"))  # [N, N]
    counts = ops.logical_and(counts, others[None, :, :, None])
    if mask is not None:
        counts = ops.logical_and(counts, ops.cast(mask, "bool")[:, None, :, None])
    # A far neighbour's index would overflow int32 on its way to being dropped.
    relative = ops.where(counts[..., None], relative, 0.0)
    axes = ops.cast(ops.floor((relative + 0.5) * grid_cells), "int32")
    axes = ops.clip(axes, 0, grid_cells - 1)  # the far edge belongs to the last cell
    cell = axes[..., 0] * grid_cells + axes[..., 1]
    return ops.where(counts, cell, 0), counts


def filter_taps(
    grid_cells: int, kernel_size: int, strides: int
) -> tuple[int, NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Which output pixels of a "same"-padded convolution each cell reaches, and through which tap.

    Along one axis, cell c reaches pixel r through filter element a = c + p - s r, where it lies in
    0..k-1; k is the filter's size, s the stride and p the padding before the first cell.

    Args:
        grid_cells: G, cells along a side.
        kernel_size: k.
        strides: s.

    Returns:
        G' = ceil(G / s), pixels along a side of the output, and three tables [G * G, ceil(k / s)**2]
        over cells (row * G + column): the pixel (row * G' + column), the tap (row * k + column) and
        whether that pair exists (1) or not (0; pixel and tap are then 0).
    """
    pixels = -(-grid_cells // strides)
    padding = max((pixels - 1) * strides + kernel_size - grid_cells, 0) // 2
    shifted = np.arange(grid_cells)[:, None] + padding
    pixel = shifted // strides - np.arange(-(-kernel_size // strides))  # [G, ceil(k / s)]
    tap = shifted - strides * pixel
    exists = (pixel >= 0) & (pixel < pixels) & (tap < kernel_size)

    def over_cells(row: NDArray[np.int_], column: NDArray[np.int_]) -> NDArray[np.int_]:
        return (row[:, None, :, None] + column[None, :, None, :]).reshape(grid_cells**2, -1)

    both = over_cells(exists.astype(int), exists.astype(int)) == 2
    return (
        pixels,
        np.where(both, over_cells(pixel * pixels, pixel), 0).astype("int32"),
        np.where(both, over_cells(tap * kernel_size, tap), 0).astype("int32"),
        both.astype("float32"),
    )
