"""What a place does to whoever is there: a learned external field."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from socialmd.layers.feed_forward import FeedForward
from socialmd.layers.grid import interpolation_taps
from socialmd.layers.pairs import take_rows
from socialmd.registration import arguments_of, register
from socialmd.types import FloatArray, Positions, Shape, Tensor

__all__ = ["ExternalField"]

COARSEST = 4  # cells along a side of the coarsest table


@register
class ExternalField(keras.layers.Layer):
    """Accelerations of particles by what is not among them: fixed charges, a trap, a wall.

        A_i = u(f_i) E(x_i),      E = T_G + T_(G/2) + T_(G/4) + ...

    T_n are tables of n cells along each axis of a square (cube) about the origin, linear between
    their centres, constant beyond; coarse ones learn quickly, fine ones refine. u is a linear map
    plus an MLP. The law does not know directions any longer: data must not be rotated.

    Args:
        width: side of the square or cube, in units of length.
        cells: G, along a side of the finest table, G**D rows of D numbers.
        hidden_units: of the MLP.

    Call arguments:
        positions: [B, N, D].
        table, response: from `read`.

    Returns:
        A, [B, N, D], in units of the scale of accelerations.

    Raises:
        ValueError: a size is not positive.

    Example:
        >>> field = ExternalField(width=10.0, cells=32)
        >>> field.build((None, None, 2), num_features=1)
        >>> field(np.random.rand(1, 3, 2), *field.read(np.ones((1, 3, 1)))).shape
        TensorShape([1, 3, 2])
    """

    def __init__(
        self, width: float, cells: int = 128, hidden_units: int = 32, **kwargs: Any
    ) -> None:
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        if not 0 < width < math.inf:
            raise ValueError(f"width: expected a positive finite length, found {width}")
        if cells < COARSEST:
            raise ValueError(f"cells: expected at least {COARSEST}, found {cells}")
        self.width = width
        self.cells = cells
        self.hidden_units = hidden_units
        self.respond = FeedForward(1, hidden_units, dtype="float32", name="respond")

    def build(self, positions_shape: Shape, num_features: int) -> None:
        """Make the weights, for `num_features` static features."""
        dims = positions_shape[-1]
        self.respond.build((None, None, num_features))
        sizes = [self.cells]
        while sizes[0] % 2 == 0 and sizes[0] > COARSEST:
            sizes.insert(0, sizes[0] // 2)
        self._spreads = [_spread(size, self.cells) for size in sizes]
        # What begins at zero could not be told how strongly anybody feels it.
        starts = [keras.initializers.RandomNormal(0.1), *["zeros"] * (len(sizes) - 1)]
        self.tables = [
            self.add_weight(
                name=f"table_{size}",
                shape=(*[size] * dims, dims),
                initializer=start,
                dtype="float32",
            )
            for size, start in zip(sizes, starts, strict=True)
        ]
        self.built = True

    def read(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """E of all cells, [G**D, D], and how particles respond, u [B, N, 1].

        Args:
            features: standardized, [B, N, F - D].
        """
        dims = self.tables[0].shape[-1]
        total: Any = 0.0
        for table, spread in zip(self.tables, self._spreads, strict=True):
            table = ops.convert_to_tensor(table)
            for _ in range(dims):  # each turn spreads the first axis, and makes it the last one
                table = ops.tensordot(table, spread, [[0], [1]])
                table = ops.moveaxis(table, -1, dims - 1)
            total = total + table
        return ops.reshape(total, (-1, dims)), self.respond(features)

    def call(self, positions: Positions, table: Tensor, response: Tensor) -> Tensor:
        dims = positions.shape[-1]
        places = ops.reshape(ops.cast(positions, "float32"), (-1, dims))
        sides = ops.full_like(places[:, 0], self.width)
        cells, shares = interpolation_taps(places, sides, self.cells)  # [M, taps] each
        rows = take_rows(table, ops.reshape(cells, (-1,)))
        rows = ops.reshape(rows, (-1, shares.shape[1], dims))
        field = ops.sum(rows * shares[..., None], axis=1)
        return response * ops.reshape(field, ops.shape(positions))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(ExternalField, self)}


def _spread(size: int, cells: int) -> FloatArray:
    """Matrix [cells, size] of a table that is linear between its centres, at those of a finer."""
    place = np.clip((np.arange(cells) + 0.5) * size / cells - 0.5, 0, size - 1)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(size))).astype("float32")
