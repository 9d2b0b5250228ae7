"""Bivariate Gaussian for a particle's next position (thesis section 2.5, equations 17-23)."""

from __future__ import annotations

from typing import Any

from keras import ops

from socialmd.distributions.backend import tfd

__all__ = ["DIAGONAL_SHIFT", "BivariateGaussian", "cholesky_factor"]

# Added to the diagonal of the covariance's Cholesky factor: below any length that positions in
# float32 resolve, large enough that squared standardized residuals stay finite.
DIAGONAL_SHIFT = 1e-7


class BivariateGaussian:
    """Bivariate Gaussian, described by five numbers per particle and step.

    The parameters are, along the last axis,

        mu_x, mu_y          mean, in units of length
        sigma_x, sigma_y    standard deviations, in units of length
        z                   artanh(rho), Fisher's transformation of the correlation rho

    z stands for rho because sqrt(1 - rho**2) = 1 / cosh(z) stays exact where rho itself has rounded
    to one. The density is that of equation (17), with covariance

        [[sigma_x**2,                rho * sigma_x * sigma_y],
         [rho * sigma_x * sigma_y,   sigma_y**2             ]]

    #### References
    [1] A. Graves, Generating sequences with recurrent neural networks, arXiv:1308.0850, 2013.

    Example:
        >>> parameters = np.array([0.0, 0.0, 1.0, 1.0, 0.0], "float32")
        >>> float(BivariateGaussian.from_parameters(parameters).prob([0.0, 0.0]))  # 1 / (2 pi)
        0.15915...
    """

    @staticmethod
    def parameter_size(num_components: int = 1, spatial_dims: int = 2) -> int:
        """P, parameters per particle and step; there is one component, whatever is asked for."""
        return 5

    @staticmethod
    def initial_outputs(num_components: int = 1, spatial_dims: int = 2) -> list[float]:
        """Raw outputs to begin with: all zero."""
        return [0.0] * 5

    @staticmethod
    def to_parameters(outputs: Any, origin: Any, mean_scale: Any, sigma_scale: Any) -> Any:
        """Apply the output activations, equations (21)-(23), in units of the data.

            mu = origin + mean_scale * raw      sigma = sigma_scale * softplus(raw)      z = raw

        Args:
            outputs: raw network outputs, [..., 5].
            origin: position that the mean is relative to, [..., 2].
            mean_scale: length that one unit of raw mean stands for.
            sigma_scale: length that one unit of softplus stands for.

        Returns:
            Parameters, [..., 5].
        """
        mean, sigma, fisher_z = ops.split(outputs, [2, 4], axis=-1)
        return ops.concatenate(
            [origin + mean_scale * mean, sigma_scale * ops.softplus(sigma), fisher_z], axis=-1
        )

    @staticmethod
    def mean(parameters: Any) -> Any:
        """Mean position, [..., 5] -> [..., 2]."""
        return parameters[..., :2]

    @staticmethod
    def most_likely_mean(parameters: Any) -> Any:
        """Mean of the most likely component, which here is the only one: [..., 5] -> [..., 2]."""
        return parameters[..., :2]

    @staticmethod
    def scale_sigma(parameters: Any, factor: Any) -> Any:
        """Parameters with all standard deviations multiplied by `factor`, [..., 1] or a number."""
        mean, sigma, fisher_z = ops.split(parameters, [2, 4], axis=-1)
        return ops.concatenate([mean, factor * sigma, fisher_z], axis=-1)

    @staticmethod
    def components(parameters: Any) -> tuple[Any, Any, Any]:
        """The density as a mixture of C bivariate Gaussians; here of one.

        Args:
            parameters: [..., 5].

        Returns:
            Logarithms of the weights [..., 1], means [..., 1, 2] and Cholesky factors of the
            covariances [..., 1, 2, 2].
        """
        parameters = ops.cast(parameters, "float32")
        scale_tril = cholesky_factor(parameters[..., 2:4], parameters[..., 4])
        log_weight = ops.zeros_like(parameters[..., :1])
        return log_weight, parameters[..., None, :2], scale_tril[..., None, :, :]

    @staticmethod
    def from_parameters(parameters: Any) -> Any:
        """The distribution.

        Args:
            parameters: [..., 5], cast to float32: bfloat16 would round positions to a hundredth.

        Returns:
            `tfd.MultivariateNormalTriL`, batch shape [...], event shape [2].
        """
        parameters = ops.cast(parameters, "float32")
        scale_tril = cholesky_factor(parameters[..., 2:4], parameters[..., 4])
        return tfd.MultivariateNormalTriL(loc=parameters[..., :2], scale_tril=scale_tril)


def cholesky_factor(sigma: Any, fisher_z: Any) -> Any:
    """[[sigma_x, 0], [rho sigma_y, sqrt(1 - rho**2) sigma_y]], its diagonal shifted away from zero.

    Args:
        sigma: standard deviations, [..., 2].
        fisher_z: artanh(rho), [...].

    Returns:
        [..., 2, 2].
    """
    sigma_x, sigma_y = sigma[..., 0], sigma[..., 1]
    first = ops.stack([sigma_x + DIAGONAL_SHIFT, ops.zeros_like(sigma_x)], axis=-1)
    second = ops.stack(
        [ops.tanh(fisher_z) * sigma_y, sigma_y * _sech(fisher_z) + DIAGONAL_SHIFT], axis=-1
    )
    return ops.stack([first, second], axis=-2)


def _sech(x: Any) -> Any:
    """1 / cosh(x) without overflow, with a finite gradient everywhere."""
    decay = ops.exp(-ops.abs(x))
    return 2.0 * decay / (1.0 + ops.square(decay))
