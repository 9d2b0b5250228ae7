"""Mixture of Gaussians for a particle's next position (thesis section 2.5.1)."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from keras import ops

from socialmd.distributions.backend import gaussians
from socialmd.distributions.distribution import Distribution, turn
from socialmd.distributions.gaussian import (
    DIAGONAL_SHIFT,
    cholesky_factor,
    num_correlations,
    turned_widths,
)
from socialmd.types import Positions, Tensor

__all__ = ["GaussianMixture"]


@dataclasses.dataclass(frozen=True)
class GaussianMixture(Distribution):
    """K Gaussians with weights that sum to one: a mixture density network's output.

        p(x) = sum_k w_k N(x | mu_k, Sigma_k)                            equations (30)-(32)

    The parameters are, along the last axis and one component after the other,

        mu_1, ..., mu_D         mean, in units of length
        sigma_1, ..., sigma_D   standard deviations, in units of length
        z                       as of `Gaussian`, D (D - 1) / 2 numbers, if `correlated`
        logit                   w = softmax of the components' logits

    so that K follows from their number: in the plane P = 5 K, or 6 K with correlations, in space
    7 K or 10 K. The likelihood is summed
    in logarithms (log-sum-exp), and stays finite where every component is far from the position.
    Raw outputs of a network become parameters in units of the data by

        mu = origin + mean_scale * raw      sigma = sigma_scale * softplus(raw)

    Logits, and z, are the raw outputs.

    Args:
        correlated: whether components have correlations. The thesis' are independent in x and y;
            several of them can stand for a correlation.
        spatial_dims: D.

    #### References
    [1] C. M. Bishop, Mixture density networks, Aston University, NCRG/94/004, 1994.

    Example:
        >>> one = [0.0, 0.0, 1.0, 1.0, 0.0]
        >>> parameters = np.array([*one, 4.0, 0.0, 1.0, 1.0, 0.0], "float32")  # K = 2
        >>> float(GaussianMixture().from_parameters(parameters).prob([0.0, 0.0]))  # 1 / (4 pi)
        0.0796...
    """

    correlated: bool = False
    spatial_dims: int = 2

    @property
    def numbers_per_component(self) -> int:
        """Parameters of one component."""
        dims = self.spatial_dims
        return 2 * dims + 1 + (num_correlations(dims) if self.correlated else 0)

    def parameter_size(self, num_components: int = 5, spatial_dims: int | None = None) -> int:
        if spatial_dims not in (None, self.spatial_dims):
            raise ValueError(
                f"distribution: expected a mixture in {spatial_dims} dimensions, "
                f"found one in {self.spatial_dims}"
            )
        return self.numbers_per_component * num_components

    def initial_outputs(self, num_components: int = 5, spatial_dims: int = 2) -> list[float]:
        """Raw outputs to begin with: equal weights, sigmas from a quarter of the scale to four.

        Components that begin alike stay alike.
        """
        sigmas = np.geomspace(0.25, 4.0, num_components) if num_components > 1 else np.ones(1)
        outputs = np.zeros((num_components, self.numbers_per_component))
        outputs[:, self.spatial_dims : 2 * self.spatial_dims] = np.log(
            np.expm1(sigmas * np.log(2.0))
        )[:, np.newaxis]
        return outputs.reshape(-1).tolist()

    def to_parameters(
        self, outputs: Tensor, origin: Positions, mean_scale: Tensor, sigma_scale: Tensor
    ) -> Tensor:
        mean, sigma, rest = self._split(outputs)
        origin = ops.convert_to_tensor(origin, outputs.dtype)
        origin = origin[..., None, :] if len(origin.shape) else origin
        components = [origin + mean_scale * mean, sigma_scale * ops.softplus(sigma), rest]
        return ops.reshape(ops.concatenate(components, axis=-1), ops.shape(outputs))

    def mean(self, parameters: Tensor) -> Positions:
        means, _, rest = self._split(parameters)
        weights = ops.softmax(rest[..., -1], axis=-1)  # [..., K]
        return ops.sum(weights[..., None] * means, axis=-2)

    def most_likely_mean(self, parameters: Tensor) -> Positions:
        means, _, rest = self._split(parameters)
        logits = rest[..., -1]
        chosen = ops.one_hot(ops.argmax(logits, axis=-1), logits.shape[-1], dtype=means.dtype)
        return ops.sum(chosen[..., None] * means, axis=-2)

    def scale_sigma(self, parameters: Tensor, factor: Tensor) -> Tensor:
        mean, sigma, rest = self._split(parameters)
        factor = ops.convert_to_tensor(factor, sigma.dtype)
        factor = factor[..., None] if len(factor.shape) else factor
        scaled = ops.concatenate([mean, factor * sigma, rest], axis=-1)
        return ops.reshape(scaled, ops.shape(parameters))

    def move(self, parameters: Tensor, shift: Positions, rotation: Tensor = None) -> Tensor:
        mean, sigma, rest = self._split(parameters)
        if rotation is not None:
            if not self.correlated:
                raise ValueError(
                    "distribution: expected one that can be turned, as correlated_mixture, found a "
                    "mixture of Gaussians without correlation"
                )
            rotation = rotation[..., None, :, :]  # of all components
            sigma, fisher_z = turned_widths(sigma, rest[..., :-1], rotation)
            rest = ops.concatenate([fisher_z, rest[..., -1:]], axis=-1)
        shift = shift[..., None, :] if len(getattr(shift, "shape", ())) else shift
        moved = ops.concatenate([turn(mean, rotation) + shift, sigma, rest], axis=-1)
        return ops.reshape(moved, ops.shape(parameters))

    def components(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, sigma, rest = self._split(ops.cast(parameters, "float32"))
        pairs = num_correlations(self.spatial_dims)
        none = ops.zeros((*ops.shape(sigma)[:-1], pairs), "float32")
        factor = cholesky_factor(sigma, rest[..., :-1] if self.correlated else none)
        return ops.log_softmax(rest[..., -1], axis=-1), mean, factor

    def from_parameters(self, parameters: Tensor) -> Any:
        if self.correlated:
            return super().from_parameters(parameters)
        mean, sigma, rest = self._split(ops.cast(parameters, "float32"))
        return gaussians(rest[..., -1], mean, sigma + DIAGONAL_SHIFT)

    def get_config(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def _split(self, numbers: Tensor) -> list[Tensor]:
        """[..., P] -> means [..., K, D], sigmas [..., K, D], and z (or not) with logits."""
        if numbers.shape[-1] % self.numbers_per_component:
            raise ValueError(
                f"parameters: expected a multiple of {self.numbers_per_component} along the last "
                f"axis, found shape {tuple(numbers.shape)}"
            )
        size = self.numbers_per_component
        shape = (*ops.shape(numbers)[:-1], numbers.shape[-1] // size, size)
        components = ops.reshape(numbers, shape)
        return ops.split(components, [self.spatial_dims, 2 * self.spatial_dims], axis=-1)
