"""Isotropic multivariate Student-t, in any number of dimensions: errors with heavy tails."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from socialmd.distributions.backend import student_t
from socialmd.distributions.distribution import Distribution, turn
from socialmd.distributions.gaussian import DIAGONAL_SHIFT
from socialmd.types import Positions, Tensor

__all__ = ["StudentT"]

# Nodes of the integral over the Gaussians' precision, in standard deviations of its logarithm.
NODES = np.linspace(-9.0, 3.0, 17, dtype="float32")


class StudentT(Distribution):
    """Multivariate Student-t of one scale in all directions, described by D + 2 numbers.

    The parameters are, along the last axis,

        mu_1, ..., mu_D     mean, in units of length
        sigma               scale per coordinate, in units of length
        nu                  degrees of freedom, above two, so that mean and variance exist;
                            from a network, above three

        p(x) = Gamma((nu + D) / 2) / (Gamma(nu / 2) (nu pi)**(D / 2) sigma**D)
               (1 + |x - mu|**2 / (nu sigma**2))**(-(nu + D) / 2)

    The standard deviation per coordinate is sigma sqrt(nu / (nu - 2)). Where few particles in close
    encounters have errors a hundred times those of all others, a Gaussian describes neither.

    Raw outputs of a network become parameters in units of the data by

        mu = origin + mean_scale * raw      sigma = sigma_scale * softplus(raw)
        nu = 3 + softplus(raw) / log(2)     which is four where raw is zero

    Close to two, hardly any likelihood is lost, but the variance has no bound: where errors are
    large and have light tails, a network that has met it early on stays there.

    Example:
        >>> parameters = np.array([0.0, 0.0, 1.0, 3.0], "float32")
        >>> float(StudentT().from_parameters(parameters).prob([0.0, 0.0]))  # 1 / (2 pi)
        0.15915...
    """

    def parameter_size(self, num_components: int = 5, spatial_dims: int = 2) -> int:
        return spatial_dims + 2

    def to_parameters(
        self, outputs: Tensor, origin: Positions, mean_scale: Tensor, sigma_scale: Tensor
    ) -> Tensor:
        mean, sigma, freedom = outputs[..., :-2], outputs[..., -2:-1], outputs[..., -1:]
        mean, sigma = origin + mean_scale * mean, sigma_scale * ops.softplus(sigma)
        freedom = 3.0 + ops.softplus(freedom) / math.log(2.0)
        return ops.concatenate([mean, sigma, freedom], axis=-1)

    def mean(self, parameters: Tensor) -> Positions:
        return parameters[..., :-2]

    def scale_sigma(self, parameters: Tensor, factor: Tensor) -> Tensor:
        scaled = factor * parameters[..., -2:-1]
        return ops.concatenate([parameters[..., :-2], scaled, parameters[..., -1:]], axis=-1)

    def move(self, parameters: Tensor, shift: Positions, rotation: Tensor = None) -> Tensor:
        mean = turn(parameters[..., :-2], rotation) + shift
        return ops.concatenate([mean, parameters[..., -2:]], axis=-1)

    def components(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The density as a mixture of C = 17 Gaussians, right to 1e-3 of itself within its bulk.

        A Student-t is a Gaussian whose precision is drawn from a Gamma distribution. The integral
        over the logarithm t of that precision is a sum over evenly spaced nodes,

            weights ~ exp(nu / 2 (t - exp(t)))      sigma_c = sigma exp(-t / 2)

        which converges exponentially.
        """
        mean, sigma, freedom = self._shifted(parameters)
        t = NODES * ops.sqrt(2.0 / freedom)  # [..., C]
        log_weights = ops.log_softmax(freedom / 2 * (t - ops.exp(t)), axis=-1)
        sigmas = sigma * ops.exp(-t / 2)
        means = ops.repeat(mean[..., None, :], len(NODES), axis=-2)
        factors = sigmas[..., None, None] * ops.eye(mean.shape[-1], dtype="float32")
        return log_weights, means, factors

    def from_parameters(self, parameters: Tensor) -> Any:
        return student_t(*self._shifted(parameters))

    @staticmethod
    def _shifted(parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean [..., D], sigma and nu [..., 1]."""
        parameters = ops.cast(parameters, "float32")
        return parameters[..., :-2], parameters[..., -2:-1] + DIAGONAL_SHIFT, parameters[..., -1:]
