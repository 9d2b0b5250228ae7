"""Gaussian for a particle's next position (thesis section 2.5, equations 17-23)."""

from __future__ import annotations

from keras import ops

from socialmd.distributions.distribution import Distribution, turn
from socialmd.types import Positions, Tensor

__all__ = [
    "DIAGONAL_SHIFT",
    "BivariateGaussian",
    "Gaussian",
    "cholesky_factor",
    "num_correlations",
    "turned_widths",
]

# Added to the diagonal of the covariance's Cholesky factor: below any length that positions in
# float32 resolve, large enough that squared standardized residuals stay finite.
DIAGONAL_SHIFT = 1e-7
TINY = 1e-30  # square of a length: directions of nothing stay finite


class Gaussian(Distribution):
    """Gaussian in D dimensions, described by five numbers per particle and step in the plane.

    The parameters are, along the last axis,

        mu_1, ..., mu_D         mean, in units of length
        sigma_1, ..., sigma_D   standard deviations, in units of length
        z_21, z_31, z_32, ...   artanh of partial correlations, D (D - 1) / 2 of them

    in all 5 in the plane, where the density is that of equation (17), and 9 in space. z stands for
    rho because sqrt(1 - rho**2) = 1 / cosh(z) stays exact where rho itself has rounded to one; of
    two coordinates, the covariance is

        [[sigma_x**2,                rho * sigma_x * sigma_y],
         [rho * sigma_x * sigma_y,   sigma_y**2             ]],    rho = tanh(z)

    Of more, z_ij is that of coordinates i and j given those before j (canonical partial
    correlations [2]), any numbers of which make a covariance.

    Raw outputs of a network become parameters by equations (21)-(23), in units of the data:

        mu = origin + mean_scale * raw      sigma = sigma_scale * softplus(raw)      z = raw

    #### References
    [1] A. Graves, Generating sequences with recurrent neural networks, arXiv:1308.0850, 2013.
    [2] D. Lewandowski, D. Kurowicka, H. Joe, J. Multivariate Anal. 100, 1989 (2009).

    Example:
        >>> parameters = np.array([0.0, 0.0, 1.0, 1.0, 0.0], "float32")
        >>> float(Gaussian().from_parameters(parameters).prob([0.0, 0.0]))  # 1 / (2 pi)
        0.15915...
    """

    def parameter_size(self, num_components: int = 5, spatial_dims: int = 2) -> int:
        return 2 * spatial_dims + num_correlations(spatial_dims)

    def to_parameters(
        self, outputs: Tensor, origin: Positions, mean_scale: Tensor, sigma_scale: Tensor
    ) -> Tensor:
        mean, sigma, fisher_z = _split(outputs)
        return ops.concatenate(
            [origin + mean_scale * mean, sigma_scale * ops.softplus(sigma), fisher_z], axis=-1
        )

    def mean(self, parameters: Tensor) -> Positions:
        return _split(parameters)[0]

    def scale_sigma(self, parameters: Tensor, factor: Tensor) -> Tensor:
        mean, sigma, fisher_z = _split(parameters)
        return ops.concatenate([mean, factor * sigma, fisher_z], axis=-1)

    def move(self, parameters: Tensor, shift: Positions, rotation: Tensor = None) -> Tensor:
        mean, sigma, fisher_z = _split(parameters)
        if rotation is not None:
            sigma, fisher_z = turned_widths(sigma, fisher_z, rotation)
        return ops.concatenate([turn(mean, rotation) + shift, sigma, fisher_z], axis=-1)

    def components(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, sigma, fisher_z = _split(ops.cast(parameters, "float32"))
        factor = cholesky_factor(sigma, fisher_z)
        return ops.zeros_like(mean[..., :1]), mean[..., None, :], factor[..., None, :, :]


BivariateGaussian = Gaussian  # as it is called in the plane


def num_correlations(spatial_dims: int) -> int:
    """Pairs of D coordinates, D (D - 1) / 2."""
    return spatial_dims * (spatial_dims - 1) // 2


def cholesky_factor(sigma: Tensor, fisher_z: Tensor, shift: float = DIAGONAL_SHIFT) -> Tensor:
    """Of the covariance [..., D, D], its diagonal shifted away from zero.

    Of standard deviations [..., D] and artanh of partial correlations [..., D (D - 1) / 2]. With
    two coordinates, [[sigma_x, 0], [rho sigma_y, sqrt(1 - rho**2) sigma_y]].
    """
    dims, zero, rows, used = sigma.shape[-1], ops.zeros_like(sigma[..., 0]), [], 0
    for row in range(dims):
        rest = sigma[..., row]  # what is not told by the coordinates before
        entries = []
        for z in (fisher_z[..., used + column] for column in range(row)):
            entries.append(ops.tanh(z) * rest)
            rest = rest * _sech(z)
        rows.append([*entries, rest + shift, *[zero] * (dims - row - 1)])
        used += row
    return ops.stack([ops.stack(row, axis=-1) for row in rows], axis=-2)


def turned_widths(sigma: Tensor, fisher_z: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
    """Standard deviations and z, as of `cholesky_factor`, of what matrices [..., D, D] turn.

    The rows of Q L, L being the Cholesky factor, have the scalar products of the turned covariance.
    Their components along each other, by Gram and Schmidt, are the entries of its own factor, of
    which each is sinh(z) times all that come after it in its row, the diagonal one included.
    Covariances are never computed: in float32, strong correlations would be singular.
    """
    factor = cholesky_factor(sigma, fisher_z, shift=0.0)
    rows = ops.sum(rotation[..., None] * factor[..., None, :, :], axis=-2)  # [..., D, D]
    directions: list[Tensor] = []
    widths, partial_z = [], []
    for row in range(sigma.shape[-1]):
        rest, z = rows[..., row, :], []
        widths.append(_length(rest))
        for direction in directions:
            entry = ops.sum(rest * direction, axis=-1, keepdims=True)
            rest = rest - entry * direction
            z.append(ops.arcsinh(entry / _length(rest)))
        directions.append(rest / _length(rest))
        partial_z += z
    return ops.concatenate(widths, axis=-1), ops.concatenate(partial_z, axis=-1)


def _length(vectors: Tensor) -> Tensor:
    return ops.sqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True) + TINY)


def _split(numbers: Tensor) -> list[Tensor]:
    """[..., P] -> mean [..., D], sigma [..., D] and z: P says what D is."""
    sizes = {2 * dims + num_correlations(dims): dims for dims in (1, 2, 3)}
    size = numbers.shape[-1]
    if size not in sizes:
        raise ValueError(
            f"parameters: expected 5 in the plane or 9 in space along the last axis, found {size}"
        )
    return ops.split(numbers, [sizes[size], 2 * sizes[size]], axis=-1)


def _sech(x: Tensor) -> Tensor:
    """1 / cosh(x) without overflow, with a finite gradient everywhere."""
    decay = ops.exp(-ops.abs(x))
    return 2.0 * decay / (1.0 + ops.square(decay))
