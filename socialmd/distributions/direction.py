"""Between a network's outputs and densities of where particles point."""

from __future__ import annotations

import math

from keras import ops

from socialmd.distributions.direction_density import DirectionDensity
from socialmd.types import Tensor

__all__ = ["Direction"]

SMALLEST_ANGLE = 1e-7  # what unit vectors in float32 resolve
TINY = 1e-12  # square of a length: nothing can be normalized then


class Direction:
    """What `Distribution` is for positions, for unit vectors; of densities see `DirectionDensity`.

    The parameters are, along the last axis,

        mu_1, ..., mu_D     mean direction, a unit vector
        sigma               scale of the angle, in radians
        nu                  degrees of freedom, above three

    Raw outputs of a network become parameters by

        mu = normalized(origin + mean_scale * raw)      nu = 3 + softplus(raw) / log(2)
        1 / sigma**2 = 1 / (sigma_scale softplus(raw))**2 + (D - 1) / 2

    the last of which keeps mu the likeliest direction.

    Args:
        spatial_dims: D, 2 or 3.

    Example:
        >>> Direction(2).parameter_size
        4
    """

    def __init__(self, spatial_dims: int) -> None:
        self.spatial_dims = spatial_dims

    @property
    def parameter_size(self) -> int:
        """Parameters per particle and step, D + 2."""
        return self.spatial_dims + 2

    def to_parameters(
        self, outputs: Tensor, origin: Tensor, mean_scale: Tensor, sigma_scale: Tensor
    ) -> Tensor:
        """Apply the output activations to [..., D + 2], around unit vectors or zero; in radians."""
        mean, sigma, freedom = self._split(outputs)
        mean = origin + mean_scale * mean
        mean = mean / ops.sqrt(ops.sum(ops.square(mean), axis=-1, keepdims=True) + TINY)
        sigma = self._bounded(sigma_scale * ops.softplus(sigma))
        freedom = 3.0 + ops.softplus(freedom) / math.log(2.0)
        return ops.concatenate([mean, sigma, freedom], axis=-1)

    def mean(self, parameters: Tensor) -> Tensor:
        """Mean direction, [..., D + 2] -> [..., D]."""
        return parameters[..., : self.spatial_dims]

    def scale_sigma(self, parameters: Tensor, factor: Tensor) -> Tensor:
        """All sigmas multiplied by `factor`, [..., 1] or a number, before they are bounded."""
        mean, sigma, freedom = self._split(parameters)
        share = 1.0 - ops.square(sigma) * (self.spatial_dims - 1) / 2
        free = sigma / ops.sqrt(ops.maximum(share, 1e-6))
        return ops.concatenate([mean, self._bounded(factor * free), freedom], axis=-1)

    def from_parameters(self, parameters: Tensor) -> DirectionDensity:
        """The density: batch shape [...], event shape [D]."""
        mean, sigma, freedom = self._split(ops.cast(parameters, "float32"))
        return DirectionDensity(mean, sigma + SMALLEST_ANGLE, freedom)

    def _bounded(self, sigma: Tensor) -> Tensor:
        return sigma / ops.sqrt(1.0 + ops.square(sigma) * (self.spatial_dims - 1) / 2)

    def _split(self, parameters: Tensor) -> list[Tensor]:
        return ops.split(parameters, [self.spatial_dims, self.spatial_dims + 1], axis=-1)
