"""Windows that are turned at random before they are forecast, and forecasts turned back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from keras import ops

from socialmd.data.masked_inputs import Unpacked
from socialmd.data.rotations import random_rotations, rotate
from socialmd.distributions.distribution import turn
from socialmd.types import Array

if TYPE_CHECKING:
    from socialmd.models.forecast_model import ForecastModel

__all__ = ["RandomTurns"]


class RandomTurns(NamedTuple):
    """A rotation of each window.

    Args:
        matrices: Q, [B, D, D], float32.
    """

    matrices: Array

    @classmethod
    def draw(cls, count: int, spatial_dims: int, seed: int) -> Self:
        """Uniformly distributed ones, the same for the same seed."""
        return cls(random_rotations(count, spatial_dims, seed))

    def turn(self, inputs: Unpacked, model: ForecastModel) -> Unpacked:
        """Windows about the origin: places, all other vectors, and boxes."""
        dims, pointing = model.spatial_dims, model.orientation_columns
        vectors = [slice(0, dims)]
        if model.layout is not None:
            vectors = model.layout.vectors
        elif pointing:
            vectors.append(slice(pointing[0], pointing[-1] + 1))
        frames = rotate(inputs.frames, self.matrices, vectors)
        box = inputs.box
        if box is not None:
            box = box @ np.swapaxes(self.matrices, -1, -2)[:, np.newaxis]
        return Unpacked(frames, inputs.mask, box)

    def turn_back(
        self, positions: Array, parameters: Array, model: ForecastModel
    ) -> tuple[Array, Array]:
        """Positions or poses, and parameters of their densities, [..., B, steps, N, ...]."""
        back = np.swapaxes(self.matrices, -1, -2)[:, np.newaxis, np.newaxis]
        parts = np.split(positions, positions.shape[-1] // model.spatial_dims, axis=-1)
        positions = np.concatenate([np.asarray(turn(part, back)) for part in parts], axis=-1)
        moved = model._distribution.move(ops.convert_to_tensor(parameters), 0.0, back)
        return positions, ops.convert_to_numpy(moved)
