"""Gaussian of one standard deviation in all directions, in any number of dimensions."""

from __future__ import annotations

from typing import Any

from keras import ops

from socialmd.distributions.backend import gaussians
from socialmd.distributions.distribution import Distribution, turn
from socialmd.distributions.gaussian import DIAGONAL_SHIFT
from socialmd.types import Positions, Tensor

__all__ = ["IsotropicGaussian"]


class IsotropicGaussian(Distribution):
    """Isotropic Gaussian in D dimensions, described by D + 1 numbers per particle and step.

    The parameters are, along the last axis,

        mu_1, ..., mu_D     mean, in units of length
        sigma               standard deviation per coordinate, in units of length

    For a sigma that does not depend on the input, maximizing its likelihood is minimizing the
    squared error: the density of a model that predicts points.

        -log p(x) = |x - mu|**2 / (2 sigma**2) + D log(sigma) + D log(2 pi) / 2

    Raw outputs of a network are D numbers, and become parameters in units of the data by

        mu = origin + mean_scale * raw      sigma = sigma_scale

    Example:
        >>> parameters = np.array([0.0, 0.0, 0.0, 1.0], "float32")
        >>> float(IsotropicGaussian().from_parameters(parameters).prob([0.0, 0.0, 0.0]))
        0.0634...
    """

    def parameter_size(self, num_components: int = 5, spatial_dims: int = 2) -> int:
        return spatial_dims + 1

    def initial_outputs(self, num_components: int = 5, spatial_dims: int = 2) -> list[float]:
        return [0.0] * spatial_dims

    def to_parameters(
        self, outputs: Tensor, origin: Positions, mean_scale: Tensor, sigma_scale: Tensor
    ) -> Tensor:
        mean = origin + mean_scale * outputs
        return ops.concatenate([mean, ops.full_like(mean[..., :1], sigma_scale)], axis=-1)

    def mean(self, parameters: Tensor) -> Positions:
        return parameters[..., :-1]

    def scale_sigma(self, parameters: Tensor, factor: Tensor) -> Tensor:
        return ops.concatenate([parameters[..., :-1], factor * parameters[..., -1:]], axis=-1)

    def move(self, parameters: Tensor, shift: Positions, rotation: Tensor = None) -> Tensor:
        mean = turn(parameters[..., :-1], rotation) + shift
        return ops.concatenate([mean, parameters[..., -1:]], axis=-1)

    def components(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        log_weight, mean, scales = self._component(parameters)
        return log_weight, mean, scales[..., None] * ops.eye(mean.shape[-1], dtype="float32")

    def from_parameters(self, parameters: Tensor) -> Any:
        return gaussians(*self._component(parameters))

    @staticmethod
    def _component(parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log weight [..., 1], mean and standard deviations [..., 1, D]."""
        parameters = ops.cast(parameters, "float32")
        mean, sigma = parameters[..., None, :-1], parameters[..., None, -1:] + DIAGONAL_SHIFT
        return ops.zeros_like(sigma[..., 0]), mean, sigma * ops.ones_like(mean)
