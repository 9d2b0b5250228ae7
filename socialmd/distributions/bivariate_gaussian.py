"""Bivariate Gaussian for a particle's next position (thesis section 2.5, equations 17-23)."""

from __future__ import annotations

from keras import ops

from socialmd.distributions.distribution import Distribution
from socialmd.types import Positions, Tensor

__all__ = ["DIAGONAL_SHIFT", "BivariateGaussian", "cholesky_factor"]

# Added to the diagonal of the covariance's Cholesky factor: below any length that positions in
# float32 resolve, large enough that squared standardized residuals stay finite.
DIAGONAL_SHIFT = 1e-7


class BivariateGaussian(Distribution):
    """Bivariate Gaussian, described by five numbers per particle and step.

    The parameters are, along the last axis,

        mu_x, mu_y          mean, in units of length
        sigma_x, sigma_y    standard deviations, in units of length
        z                   artanh(rho), Fisher's transformation of the correlation rho

    z stands for rho because sqrt(1 - rho**2) = 1 / cosh(z) stays exact where rho itself has rounded
    to one. The density is that of equation (17), with covariance

        [[sigma_x**2,                rho * sigma_x * sigma_y],
         [rho * sigma_x * sigma_y,   sigma_y**2             ]]

    Raw outputs of a network become parameters by equations (21)-(23), in units of the data:

        mu = origin + mean_scale * raw      sigma = sigma_scale * softplus(raw)      z = raw

    #### References
    [1] A. Graves, Generating sequences with recurrent neural networks, arXiv:1308.0850, 2013.

    Example:
        >>> parameters = np.array([0.0, 0.0, 1.0, 1.0, 0.0], "float32")
        >>> float(BivariateGaussian().from_parameters(parameters).prob([0.0, 0.0]))  # 1 / (2 pi)
        0.15915...
    """

    def parameter_size(self, num_components: int = 5, spatial_dims: int = 2) -> int:
        return 5

    def to_parameters(
        self, outputs: Tensor, origin: Positions, mean_scale: Tensor, sigma_scale: Tensor
    ) -> Tensor:
        mean, sigma, fisher_z = ops.split(outputs, [2, 4], axis=-1)
        return ops.concatenate(
            [origin + mean_scale * mean, sigma_scale * ops.softplus(sigma), fisher_z], axis=-1
        )

    def mean(self, parameters: Tensor) -> Positions:
        return parameters[..., :2]

    def scale_sigma(self, parameters: Tensor, factor: Tensor) -> Tensor:
        mean, sigma, fisher_z = ops.split(parameters, [2, 4], axis=-1)
        return ops.concatenate([mean, factor * sigma, fisher_z], axis=-1)

    def components(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parameters = ops.cast(parameters, "float32")
        scale_tril = cholesky_factor(parameters[..., 2:4], parameters[..., 4])
        log_weight = ops.zeros_like(parameters[..., :1])
        return log_weight, parameters[..., None, :2], scale_tril[..., None, :, :]


def cholesky_factor(sigma: Tensor, fisher_z: Tensor) -> Tensor:
    """[[sigma_x, 0], [rho sigma_y, sqrt(1 - rho**2) sigma_y]], its diagonal shifted away from zero.

    Of standard deviations [..., 2] and artanh(rho) [...]; [..., 2, 2].
    """
    sigma_x, sigma_y = sigma[..., 0], sigma[..., 1]
    first = ops.stack([sigma_x + DIAGONAL_SHIFT, ops.zeros_like(sigma_x)], axis=-1)
    second = ops.stack(
        [ops.tanh(fisher_z) * sigma_y, sigma_y * _sech(fisher_z) + DIAGONAL_SHIFT], axis=-1
    )
    return ops.stack([first, second], axis=-2)


def _sech(x: Tensor) -> Tensor:
    """1 / cosh(x) without overflow, with a finite gradient everywhere."""
    decay = ops.exp(-ops.abs(x))
    return 2.0 * decay / (1.0 + ops.square(decay))
