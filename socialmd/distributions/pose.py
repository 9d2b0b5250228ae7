"""Where a particle will be and which way it will point: a density for both."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from socialmd.distributions.direction import Direction
from socialmd.distributions.distribution import Distribution, turn
from socialmd.distributions.get import get
from socialmd.distributions.pose_density import PoseDensity
from socialmd.registration import register
from socialmd.types import Tensor

__all__ = ["Pose"]


@register
class Pose(Distribution):
    """A density of positions, and beside it one of directions.

    The parameters are, along the last axis, those of the position, and then those of `Direction`.
    Means are [..., 2 D], position and direction; components are those of the position.

    Args:
        position: distribution of the position, by name or as an object (see `get`).
        spatial_dims: D.

    Raises:
        ValueError: there is no such distribution.

    Example:
        >>> Pose("student_t", spatial_dims=2).parameter_size()
        8
    """

    def __init__(self, position: str | Distribution = "student_t", spatial_dims: int = 2) -> None:
        self.position = get(position, spatial_dims)
        self.direction = Direction(spatial_dims)
        self.spatial_dims = spatial_dims
        self._given = position if isinstance(position, str) else self.position

    def parameter_size(self, num_components: int = 5, spatial_dims: int = 2) -> int:
        of_position = self.position.parameter_size(num_components, spatial_dims)
        return of_position + self.direction.parameter_size

    def initial_outputs(self, num_components: int = 5, spatial_dims: int = 2) -> list[float]:
        of_position = self.position.initial_outputs(num_components, spatial_dims)
        return [*of_position, *[0.0] * self.direction.parameter_size]

    def to_parameters(
        self, outputs: Tensor, origin: Any, mean_scale: Any, sigma_scale: Any
    ) -> Tensor:
        """As of any distribution, with an origin [..., 2 D] or zero, and with pairs of scales.

        The first of each pair is a length, the second an angle in radians.
        """
        has_shape = len(getattr(origin, "shape", ())) > 0
        origins = ops.split(origin, 2, axis=-1) if has_shape else (origin, origin)
        position, direction = zip(
            self.split(outputs), origins, mean_scale, sigma_scale, strict=True
        )
        parts = [self.position.to_parameters(*position), self.direction.to_parameters(*direction)]
        return ops.concatenate(parts, axis=-1)

    def mean(self, parameters: Tensor) -> Tensor:
        position, direction = self.split(parameters)
        means = [self.position.mean(position), self.direction.mean(direction)]
        return ops.concatenate(means, axis=-1)

    def most_likely_mean(self, parameters: Tensor) -> Tensor:
        position, direction = self.split(parameters)
        means = [self.position.most_likely_mean(position), self.direction.mean(direction)]
        return ops.concatenate(means, axis=-1)

    def scale_sigma(self, parameters: Tensor, factor: Any) -> Tensor:
        """All widths multiplied by `factor`, or those of positions and angles by one of a pair."""
        position, direction = self.split(parameters)
        factors = factor if isinstance(factor, tuple) else (factor, factor)
        parts = [
            self.position.scale_sigma(position, factors[0]),
            self.direction.scale_sigma(direction, factors[1]),
        ]
        return ops.concatenate(parts, axis=-1)

    def move(self, parameters: Tensor, shift: Tensor, rotation: Tensor = None) -> Tensor:
        """Positions are moved by a shift [..., D]; directions are only turned."""
        position, direction = self.split(parameters)
        mean, widths = ops.split(direction, [self.spatial_dims], axis=-1)
        moved = self.position.move(position, shift, rotation)
        return ops.concatenate([moved, turn(mean, rotation), widths], axis=-1)

    def components(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.position.components(self.split(parameters)[0])

    def from_parameters(self, parameters: Tensor) -> PoseDensity:
        position, direction = self.split(parameters)
        return PoseDensity(
            self.position.from_parameters(position), self.direction.from_parameters(direction)
        )

    def split(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Parameters [..., P] of the position and of the direction."""
        own = self.direction.parameter_size
        return parameters[..., :-own], parameters[..., -own:]

    def get_config(self) -> dict[str, Any]:
        is_named = isinstance(self._given, str)
        position = self._given if is_named else keras.saving.serialize_keras_object(self._given)
        return {"position": position, "spatial_dims": self.spatial_dims}
