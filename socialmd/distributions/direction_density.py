"""Density of a direction: a Student-t on the circle or sphere."""

from __future__ import annotations

from typing import Any

from keras import ops

from socialmd.distributions.backend import student_t
from socialmd.types import Shape, Tensor

__all__ = ["DirectionDensity"]

TINY = 1e-24  # square of a length: the root of none has a slope then
OPPOSITE = 1e-10  # likewise: tangents of half of a half turn are no numbers


class DirectionDensity:
    """A Student-t of the tangent plane, put on the circle or sphere by stereographic projection.

    With angle t between a direction x and the mean one, mu, in D - 1 dimensions of the tangent
    plane, where the projection from -mu puts x at a distance of 2 tan(t / 2),

        p(x) = student_t(2 tan(t / 2); sigma, nu) / cos(t / 2)**(2 (D - 1))

    Many degrees of freedom make it a Gaussian of the tangent plane, which for small sigma is a von
    Mises(-Fisher) density of concentration 1 / sigma**2; nu = D - 1 would be the spherical Cauchy
    distribution [2]. Whereas a von Mises-Fisher density has no heavy tails, errors of torques in
    close encounters have; and float32 does not resolve its log-density, which takes a cosine, for
    angles below a minute of arc.

    Args:
        mean: mu, unit vectors [..., D], D = 2 or 3.
        sigma: scale of the angle in radians, per direction of the plane, [..., 1]; up to
            sqrt(2 / (D - 1)) mu is the likeliest direction of all.
        freedom: nu, above two, [..., 1].

    Example:
        >>> north = np.array([0.0, 1.0], "float32")
        >>> density = DirectionDensity(north, np.array([0.1]), np.array([1e6]))
        >>> round(float(density.log_prob(north)), 3)  # log 10 - log(2 pi) / 2
        1.384

    References:
        [1] J.-L. Dortet-Bernadet and N. Wicker, Biostatistics 9, 66-80 (2008), of Gaussians.
        [2] S. Kato and P. McCullagh, Bernoulli 26, 3224-3248 (2020).
    """

    def __init__(self, mean: Tensor, sigma: Tensor, freedom: Tensor) -> None:
        self._mean, self.sigma, self.freedom = (
            ops.cast(each, "float32") for each in (mean, sigma, freedom)
        )

    @property
    def batch_shape(self) -> Shape:
        """[...], of one direction's densities."""
        return tuple(self._mean.shape[:-1])

    @property
    def event_shape(self) -> Shape:
        """[D]."""
        return tuple(self._mean.shape[-1:])

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), per radian or steradian, of unit vectors: [..., D] -> [...]."""
        distance, plane = self.tangent_distance(x), self._mean.shape[-1] - 1
        in_plane = ops.stack([distance, *[ops.zeros_like(distance)] * (plane - 1)], axis=-1)
        density = self._student_t(ops.zeros_like(in_plane))
        # 1 / cos(t / 2)**2 = 1 + tan(t / 2)**2
        return density.log_prob(in_plane) + plane * ops.log1p(ops.square(distance) / 4.0)

    def tangent_distance(self, x: Tensor) -> Tensor:
        """2 tan(t / 2) of the angle t between mu and unit vectors, [..., D] -> [...]."""
        x = ops.cast(x, "float32")
        apart, together = (
            ops.sum(ops.square(each), axis=-1) for each in (x - self._mean, x + self._mean)
        )
        ratio = (apart + TINY) / (together + OPPOSITE)
        return 2.0 * ops.sqrt(ratio)  # exact for small angles, as cosines are not

    def prob(self, x: Tensor) -> Tensor:
        """p(x), [..., D] -> [...]."""
        return ops.exp(self.log_prob(x))

    def mean(self) -> Tensor:
        """mu, [..., D]: the mean direction, of length one."""
        return self._mean

    def sample(self, sample_shape: int | tuple[int, ...] = (), seed: Tensor = None) -> Tensor:
        """Independent directions, [*sample_shape, ..., D]; seeds are made by `stateless_seed`."""
        drawn = self._student_t(ops.zeros_like(self._mean)).sample(sample_shape, seed=seed)
        # A Student-t of all D coordinates, seen from mu, is one of the D - 1 of the plane.
        along = ops.sum(drawn * self._mean, axis=-1, keepdims=True)
        tangent = drawn - along * self._mean
        squares = ops.sum(ops.square(tangent), axis=-1, keepdims=True)
        return ((4.0 - squares) * self._mean + 4.0 * tangent) / (4.0 + squares)

    @property
    def reparameterization_type(self) -> str:
        """Whether gradients flow through draws to all parameters, in the words of TFP."""
        return str(self._student_t(ops.zeros_like(self._mean)).reparameterization_type)

    def _student_t(self, center: Tensor) -> Any:
        return student_t(center, self.sigma, self.freedom)
