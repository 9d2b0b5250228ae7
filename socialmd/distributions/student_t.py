"""Isotropic multivariate Student-t, in any number of dimensions: errors with heavy tails."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from socialmd.distributions.backend import linalg, tfd
from socialmd.distributions.bivariate_gaussian import DIAGONAL_SHIFT

__all__ = ["StudentT"]

# Nodes of the integral over the Gaussians' precision, in standard deviations of its logarithm.
NODES = np.linspace(-9.0, 3.0, 17, dtype="float32")


class StudentT:
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

    Example:
        >>> parameters = np.array([0.0, 0.0, 1.0, 3.0], "float32")
        >>> float(StudentT.from_parameters(parameters).prob([0.0, 0.0]))  # 1 / (2 pi)
        0.15915...
    """

    @staticmethod
    def parameter_size(num_components: int = 1, spatial_dims: int = 2) -> int:
        """P, parameters per particle and step; there is one component, whatever is asked for."""
        return spatial_dims + 2

    @staticmethod
    def initial_outputs(num_components: int = 1, spatial_dims: int = 2) -> list[float]:
        """Raw outputs to begin with: all zero."""
        return [0.0] * (spatial_dims + 2)

    @staticmethod
    def to_parameters(outputs: Any, origin: Any, mean_scale: Any, sigma_scale: Any) -> Any:
        """Raw network outputs in units of the data.

            mu = origin + mean_scale * raw      sigma = sigma_scale * softplus(raw)
            nu = 3 + softplus(raw) / log(2)     which is four where raw is zero

        Close to two, hardly any likelihood is lost, but the variance has no bound: where errors are
        large and have light tails, a network that has met it early on stays there.

        Args:
            outputs: raw network outputs, [..., D + 2].
            origin: position that the mean is relative to, [..., D] or a number.
            mean_scale: length that one unit of raw mean stands for.
            sigma_scale: length that one unit of softplus stands for.

        Returns:
            Parameters, [..., D + 2].
        """
        mean, sigma, freedom = outputs[..., :-2], outputs[..., -2:-1], outputs[..., -1:]
        return ops.concatenate(
            [
                origin + mean_scale * mean,
                sigma_scale * ops.softplus(sigma),
                3.0 + ops.softplus(freedom) / math.log(2.0),
            ],
            axis=-1,
        )

    @staticmethod
    def mean(parameters: Any) -> Any:
        """Mean position, [..., D + 2] -> [..., D]."""
        return parameters[..., :-2]

    @staticmethod
    def most_likely_mean(parameters: Any) -> Any:
        """Mean of the most likely component, which here is the only one."""
        return parameters[..., :-2]

    @staticmethod
    def scale_sigma(parameters: Any, factor: Any) -> Any:
        """Parameters with the scale multiplied by `factor`, [..., 1] or a number."""
        scaled = factor * parameters[..., -2:-1]
        return ops.concatenate([parameters[..., :-2], scaled, parameters[..., -1:]], axis=-1)

    @staticmethod
    def components(parameters: Any) -> tuple[Any, Any, Any]:
        """The density as a mixture of C = 17 Gaussians, right to 1e-3 of itself within its bulk.

        A Student-t is a Gaussian whose precision is drawn from a Gamma distribution. The integral
        over the logarithm t of that precision is a sum over evenly spaced nodes,

            weights ~ exp(nu / 2 (t - exp(t)))      sigma_c = sigma exp(-t / 2)

        which converges exponentially.

        Args:
            parameters: [..., D + 2].

        Returns:
            Logarithms of the weights [..., C], means [..., C, D] and Cholesky factors of the
            covariances [..., C, D, D].
        """
        parameters = ops.cast(parameters, "float32")
        mean, freedom = parameters[..., :-2], parameters[..., -1:]
        sigma = parameters[..., -2:-1] + DIAGONAL_SHIFT
        t = NODES * ops.sqrt(2.0 / freedom)  # [..., C]
        log_weights = ops.log_softmax(freedom / 2 * (t - ops.exp(t)), axis=-1)
        sigmas = sigma * ops.exp(-t / 2)
        dims = mean.shape[-1]
        means = ops.repeat(mean[..., None, :], len(NODES), axis=-2)
        return log_weights, means, sigmas[..., None, None] * ops.eye(dims, dtype="float32")

    @staticmethod
    def from_parameters(parameters: Any) -> Any:
        """The distribution.

        Args:
            parameters: [..., D + 2], cast to float32.

        Returns:
            `tfd.MultivariateStudentTLinearOperator`, batch shape [...], event shape [D].
        """
        parameters = ops.cast(parameters, "float32")
        dims = parameters.shape[-1] - 2
        scale = linalg.LinearOperatorScaledIdentity(
            num_rows=dims, multiplier=parameters[..., -2] + DIAGONAL_SHIFT
        )
        return tfd.MultivariateStudentTLinearOperator(
            df=parameters[..., -1], loc=parameters[..., :-2], scale=scale
        )
