"""Stacked state pooling and the convolution after it, in one sparse product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from socialmd.check_choice import check_choice
from socialmd.layers.grid import (
    cell_index,
    check_grids,
    default_cells,
    filter_taps,
    lies_on_grids,
)
from socialmd.layers.pairs import SEARCHES, find_offsets, pair_sum, select
from socialmd.periodic_box import PeriodicBox
from socialmd.registration import arguments_of, register
from socialmd.types import Mask, Positions, Shape, Tensor

__all__ = ["StackedPoolingConv"]


@register
class StackedPoolingConv(keras.layers.Layer):
    """`Conv2D(filters, kernel_size, strides, padding="same")(StackedStatePooling(...)(...))`.

    In space `Conv3D`.

    Pooling and convolution are both linear, so they can be exchanged: every particle's state is
    multiplied by the whole filter once, and what reaches an output pixel is summed over neighbours,

        V_j[a, b] = state_j K[a, b]
        y_i[r, q] = bias + sum over (j, w) in range of V_j[row - s r + p, column - s q + p]

    where s is the stride and p the padding (see `grid.filter_taps`).

    The pooling tensor [B, N, G, G, E], almost all zeros, never exists. Values and gradients equal
    those of the two layers, up to the order of additions.

    Args:
        rank: D, of positions and grids: 2 or 3.
        filters: C, output channels.
        kernel_size: k, cells along a side of the filter.
        strides: step of the filter, in cells.
        grid_sizes: side lengths w_1..w_S, in units of length.
        grid_cells: G, cells along a side; 32 in the plane and 16 in space if none are given. There,
            32 cost eight times as much memory, which soon is more than there is.
        distance_filter: whether to cut each grid to its inscribed circle.
        activation: applied to the result, as in Keras.
        neighbour_search: how pairs are found, see `find_pairs`: `"all_pairs"`, `"cell_list"` or
            `"auto"`. All give the same result.

    Call arguments:
        positions: [B, N, D], in units of length. Cells are integers: no gradient flows back.
        states: [B, N, E].
        mask: optional bool [B, N], false for padded particles, which are nobody's neighbours.
        box: optional box vectors [B, D, D]; a neighbour is then its nearest image.

    Returns:
        [B, N, G', G', C], or [B, N, G', G', G', C] in space, with G' = ceil(G / strides).

    Raises:
        ValueError: a size is not positive, or the filter is larger than the grid.

    Example:
        >>> layer = StackedPoolingConv(2, 16, kernel_size=4, strides=2, grid_sizes=(11.0, 5.5))
        >>> layer(np.random.rand(1, 3, 2), np.random.rand(1, 3, 4)).shape
        TensorShape([1, 3, 16, 16, 16])
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: int,
        grid_sizes: Sequence[float],
        strides: int = 1,
        grid_cells: int | None = None,
        distance_filter: bool = True,
        activation: Any = None,
        neighbour_search: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        self.supports_masking = True
        if rank not in (2, 3):
            raise ValueError(f"rank: expected 2 or 3, found {rank}")
        grid_cells = default_cells(rank) if grid_cells is None else grid_cells
        check_grids(grid_sizes, grid_cells)
        for name, value in (("filters", filters), ("strides", strides)):
            if value < 1:
                raise ValueError(f"{name}: expected a positive integer, found {value}")
        check_choice("neighbour_search", neighbour_search, SEARCHES)
        if not 1 <= kernel_size <= grid_cells:
            raise ValueError(
                f"kernel_size: expected 1 to grid_cells = {grid_cells}, found {kernel_size}"
            )
        self.rank = rank
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.grid_sizes = tuple(grid_sizes)
        self.grid_cells = grid_cells
        self.distance_filter = distance_filter
        self.activation = keras.activations.get(activation)
        self.neighbour_search = neighbour_search
        self._pixels, pixel, tap, self._exists = filter_taps(grid_cells, kernel_size, strides, rank)
        self._entries = np.stack([pixel, tap], axis=-1)
        # XLA has no sparse product.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    def build(self, positions_shape: Shape, states_shape: Shape) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*[self.kernel_size] * self.rank, states_shape[-1], self.filters),
            initializer="glorot_uniform",
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(
        self, positions: Positions, states: Tensor, mask: Mask = None, box: Any = None
    ) -> Tensor:
        batch, particles = ops.shape(positions)[0], ops.shape(positions)[1]
        taps, pixels = self.kernel_size**self.rank, self._pixels**self.rank
        kernel = ops.moveaxis(self.kernel, -2, 0)  # [E, k, k, C]
        kernel = ops.reshape(kernel, (states.shape[-1], -1))
        rows = ops.reshape(states, (-1, states.shape[-1]))  # see `by_rows`
        values = ops.matmul(rows, ops.cast(kernel, states.dtype))  # [B * N, k * k * C]
        values = ops.reshape(values, (-1, self.filters))  # [B * N * k * k, C]

        owner, neighbour, cell, weights = self._pairs(positions, mask, box)  # each [M]
        # Where the entries of one pair are in the sparse matrix: pixel of owner, tap of neighbour.
        origin = ops.stack([owner * pixels, neighbour * taps], axis=-1)  # [M, 2]
        entries = ops.take(self._entries, cell, axis=0) + origin[:, None]
        summed = pair_sum(
            ops.reshape(entries, (-1, 2)),
            ops.reshape(weights[:, None] * ops.take(self._exists, cell, axis=0), (-1,)),
            values,
            batch * particles * pixels,
        )
        shape = (batch, particles, *self._image, self.filters)
        outputs = ops.reshape(summed, shape) + ops.cast(self.bias, summed.dtype)
        return self.activation(outputs)  # [B, N, G', G', C]

    @property
    def _image(self) -> tuple[int, ...]:
        return (self._pixels,) * self.rank

    @property
    def reach(self) -> float:
        """Distance beyond which nobody is seen along any axis, in units of length."""
        return max(self.grid_sizes) / 2

    def _pairs(
        self, positions: Positions, mask: Mask, box: Any
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Every neighbour on a grid: owner and neighbour, as b * N + n, its cell and its weight."""
        # Float32 whatever the compute dtype: bfloat16 could not tell neighbouring cells apart.
        positions = ops.cast(positions, "float32")
        # A hair beyond the largest grid: squares round, and whoever they count must be a candidate.
        reach = self.reach * (1 + 1e-6)
        box = PeriodicBox.for_layers(box)
        owner, neighbour, offsets, counts = find_offsets(
            positions, reach, mask, self.neighbour_search, box
        )
        on_grids = lies_on_grids(offsets, self.grid_sizes, self.distance_filter)  # [M, S]
        index, weights = select(ops.logical_and(on_grids, counts[:, None]))
        pair, grid = index // len(self.grid_sizes), index % len(self.grid_sizes)
        sides = ops.take(np.asarray(self.grid_sizes, "float32"), grid)
        cell = cell_index(ops.take(offsets, pair, axis=0), sides, self.grid_cells)
        return ops.take(owner, pair), ops.take(neighbour, pair), cell, weights

    def compute_output_shape(self, positions_shape: Shape, states_shape: Shape) -> Shape:
        return (*states_shape[:2], *self._image, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **arguments_of(StackedPoolingConv, self),
            "activation": keras.activations.serialize(self.activation),
        }
