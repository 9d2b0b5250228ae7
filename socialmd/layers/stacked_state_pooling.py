"""Stacked state pooling: the readable definition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from socialmd.layers.grid import cell_index, check_grids, find_neighbours
from socialmd.periodic_box import PeriodicBox
from socialmd.registration import arguments_of, register
from socialmd.types import Mask, Positions, Shape, Tensor

__all__ = ["StackedStatePooling"]


@register
class StackedStatePooling(keras.layers.Layer):
    """Sums the states of a particle's neighbours onto stacked, distance-filtered grids.

    Around every particle lie S square grids of the same G x G cells but different sizes (in space
    cubic ones of G x G x G cells). A neighbour within half of a grid's side adds its state to the
    cell that it lies in; the grids are summed (thesis equations 7-9 and figure 8):

        H_i[cell(x_j - x_i, w_s)] += state_j        for all j != i and s with |x_j - x_i| <= w_s / 2

    One grid is the thesis' mono-grid. The result is large and mostly zeros; models use
    `StackedPoolingConv`, which is this layer followed by a convolution.

    Args:
        grid_sizes: side lengths w_1..w_S, in units of length.
        grid_cells: G, cells along a side.
        distance_filter: whether to cut each grid to its inscribed circle.

    Call arguments:
        positions: [B, N, D], D = 2 or 3, in units of length. Cells are integers: no gradient flows
            back.
        states: [B, N, E].
        mask: optional bool [B, N], false for padded particles, which are nobody's neighbours.
        box: optional box vectors [B, D, D]; a neighbour is then its nearest image.

    Returns:
        [B, N, G, G, E], or [B, N, G, G, G, E] in space; grid axes along x, y, z.

    Raises:
        ValueError: a grid's size or the number of cells is not positive.

    Example:
        >>> layer = StackedStatePooling(grid_sizes=(11.0, 5.5), grid_cells=8)
        >>> layer(np.random.rand(1, 3, 2), np.random.rand(1, 3, 4)).shape
        TensorShape([1, 3, 8, 8, 4])

    Reference:
        A. Alahi et al., Social LSTM, CVPR 2016; thesis sections 2.4 and 4.4.
    """

    def __init__(
        self,
        grid_sizes: Sequence[float],
        grid_cells: int = 32,
        distance_filter: bool = True,
        **kwargs: Any,
    ) -> None:
        # Positions must not be cast to a lower compute dtype.
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        self.supports_masking = True
        check_grids(grid_sizes, grid_cells)
        self.grid_sizes = tuple(grid_sizes)
        self.grid_cells = grid_cells
        self.distance_filter = distance_filter

    def build(self, positions_shape: Shape, states_shape: Shape) -> None:
        self.built = True

    def call(
        self, positions: Positions, states: Tensor, mask: Mask = None, box: Any = None
    ) -> Tensor:
        box = PeriodicBox.for_layers(box)
        batch, particles = ops.shape(positions)[0], ops.shape(positions)[1]
        shape = (self.grid_cells,) * positions.shape[-1]
        cells, dim = math.prod(shape), states.shape[-1]
        offsets, counts = find_neighbours(
            positions, self.grid_sizes, self.distance_filter, mask, box
        )
        sides = ops.convert_to_tensor(np.asarray(self.grid_sizes, "float32"))
        cell = cell_index(offsets[:, :, :, None, :], sides, self.grid_cells)  # [B, N, N, S]
        owner = ops.reshape(ops.arange(batch * particles), (batch, particles, 1, 1))
        rows = owner * cells + cell  # [B, N, N, S]
        values = ops.cast(counts, states.dtype)[..., None] * states[:, None, :, None, :]
        pooled = ops.segment_sum(
            ops.reshape(values, (-1, dim)),
            ops.reshape(rows, (-1,)),
            num_segments=batch * particles * cells,
        )
        return ops.reshape(pooled, (batch, particles, *shape, dim))  # [B, N, G, G, E]

    def compute_output_shape(self, positions_shape: Shape, states_shape: Shape) -> Shape:
        cells = (self.grid_cells,) * positions_shape[-1]
        return (*states_shape[:2], *cells, states_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(StackedStatePooling, self)}
