"""Gaussian of one standard deviation in all directions, in any number of dimensions."""

from __future__ import annotations

from typing import Any

from keras import ops

from socialmd.distributions.backend import tfd
from socialmd.distributions.bivariate_gaussian import DIAGONAL_SHIFT

__all__ = ["IsotropicGaussian"]


class IsotropicGaussian:
    """Isotropic Gaussian in D dimensions, described by D + 1 numbers per particle and step.

    The parameters are, along the last axis,

        mu_1, ..., mu_D     mean, in units of length
        sigma               standard deviation per coordinate, in units of length

    For a sigma that does not depend on the input, maximizing its likelihood is minimizing the
    squared error: the density of a model that predicts points.

        -log p(x) = |x - mu|**2 / (2 sigma**2) + D log(sigma) + D log(2 pi) / 2

    Example:
        >>> parameters = np.array([0.0, 0.0, 0.0, 1.0], "float32")
        >>> float(IsotropicGaussian.from_parameters(parameters).prob([0.0, 0.0, 0.0]))
        0.0634...
    """

    @staticmethod
    def parameter_size(num_components: int = 1, spatial_dims: int = 2) -> int:
        """P, parameters per particle and step; there is one component, whatever is asked for."""
        return spatial_dims + 1

    @staticmethod
    def initial_outputs(num_components: int = 1, spatial_dims: int = 2) -> list[float]:
        """Raw outputs to begin with: all zero."""
        return [0.0] * spatial_dims

    @staticmethod
    def to_parameters(outputs: Any, origin: Any, mean_scale: Any, sigma_scale: Any) -> Any:
        """Raw network outputs in units of the data.

            mu = origin + mean_scale * raw      sigma = sigma_scale

        Args:
            outputs: raw means, [..., D].
            origin: position that the mean is relative to, [..., D] or a number.
            mean_scale: length that one unit of raw mean stands for.
            sigma_scale: the standard deviation.

        Returns:
            Parameters, [..., D + 1].
        """
        mean = origin + mean_scale * outputs
        return ops.concatenate([mean, ops.full_like(mean[..., :1], sigma_scale)], axis=-1)

    @staticmethod
    def mean(parameters: Any) -> Any:
        """Mean position, [..., D + 1] -> [..., D]."""
        return parameters[..., :-1]

    @staticmethod
    def most_likely_mean(parameters: Any) -> Any:
        """Mean of the most likely component, which here is the only one."""
        return parameters[..., :-1]

    @staticmethod
    def scale_sigma(parameters: Any, factor: Any) -> Any:
        """Parameters with the standard deviation multiplied by `factor`, [..., 1] or a number."""
        return ops.concatenate([parameters[..., :-1], factor * parameters[..., -1:]], axis=-1)

    @staticmethod
    def components(parameters: Any) -> tuple[Any, Any, Any]:
        """The density as a mixture of Gaussians; here of one.

        Args:
            parameters: [..., D + 1].

        Returns:
            Logarithms of the weights [..., 1], means [..., 1, D] and Cholesky factors of the
            covariances [..., 1, D, D].
        """
        parameters = ops.cast(parameters, "float32")
        mean, sigma = parameters[..., :-1], parameters[..., -1:] + DIAGONAL_SHIFT
        scale_tril = sigma[..., None] * ops.eye(mean.shape[-1], dtype="float32")
        return ops.zeros_like(sigma), mean[..., None, :], scale_tril[..., None, :, :]

    @staticmethod
    def from_parameters(parameters: Any) -> Any:
        """The distribution.

        Args:
            parameters: [..., D + 1], cast to float32.

        Returns:
            `tfd.MultivariateNormalDiag`, batch shape [...], event shape [D].
        """
        parameters = ops.cast(parameters, "float32")
        mean, sigma = parameters[..., :-1], parameters[..., -1:] + DIAGONAL_SHIFT
        return tfd.MultivariateNormalDiag(loc=mean, scale_diag=sigma * ops.ones_like(mean))
