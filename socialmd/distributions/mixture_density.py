"""Densities written in Keras' operations: mixtures of Gaussians or of Student-t distributions."""

from __future__ import annotations

import math

from keras import ops

from socialmd.distributions.random_numbers import draw, fold_in
from socialmd.types import Positions, Shape, Tensor

__all__ = ["MixtureDensity"]

SERIES_FROM = 4  # that of log Gamma is right to 1e-8 from there on


class MixtureDensity:
    """What the package uses of a distribution of TensorFlow Probability, on any backend.

        p(x) = sum_c w_c |L_c|**-1 k(|L_c**-1 (x - mu_c)|)

    with k that of a Gaussian or, if there are degrees of freedom, of a Student-t distribution.
    TensorFlow Probability's members and numbers, to rounding; the random numbers are others.

    Args:
        log_weights: log w_c, normalized or not, [..., C].
        means: mu_c, [..., C, D].
        scales: L_c, lower triangular, [..., C, D, D], or its diagonal where coordinates are
            independent, [..., C, D].
        freedom: degrees of freedom, above two, [..., C].

    Example:
        >>> density = MixtureDensity(np.zeros(1), np.zeros((1, 2)), np.ones((1, 2)))
        >>> float(density.prob(np.zeros(2)))  # 1 / (2 pi)
        0.15915...
    """

    def __init__(
        self, log_weights: Tensor, means: Tensor, scales: Tensor, freedom: Tensor | None = None
    ) -> None:
        self._log_weights = ops.log_softmax(ops.cast(log_weights, "float32"), axis=-1)
        self._means = ops.cast(means, "float32")
        self._scales = ops.cast(scales, "float32")
        self._freedom = None if freedom is None else ops.cast(freedom, "float32")
        self._are_independent = len(self._scales.shape) == len(self._means.shape)

    @property
    def batch_shape(self) -> Shape:
        """[...], of one position's densities."""
        return tuple(self._means.shape[:-2])

    @property
    def event_shape(self) -> Shape:
        """[D]."""
        return tuple(self._means.shape[-1:])

    @property
    def reparameterization_type(self) -> str:
        """Whether gradients flow through draws to all parameters, in the words of TFP."""
        is_mixture = self._means.shape[-2] > 1
        return "NOT_REPARAMETERIZED" if is_mixture else "FULLY_REPARAMETERIZED"

    def log_prob(self, x: Positions) -> Tensor:
        """log p(x), [..., D] -> [...]; finite however far x is."""
        residuals = ops.cast(x, "float32")[..., None, :] - self._means
        dims = self._means.shape[-1]
        squares = ops.sum(ops.square(self._standardize(residuals)), axis=-1)  # [..., C]
        kernel = -0.5 * squares
        if self._freedom is not None:
            kernel = _log_gamma_ratio(self._freedom / 2.0, dims)
            kernel -= 0.5 * (self._freedom + dims) * ops.log1p(squares / self._freedom)
        kernel -= 0.5 * dims * math.log(2.0 * math.pi)
        log_volumes = ops.sum(ops.log(self._diagonal()), axis=-1)
        return ops.logsumexp(self._log_weights + kernel - log_volumes, axis=-1)

    def prob(self, x: Positions) -> Tensor:
        """p(x), [..., D] -> [...]."""
        return ops.exp(self.log_prob(x))

    def mean(self) -> Positions:
        """[..., D]."""
        return self._average(self._means)

    def variance(self) -> Positions:
        """Of each coordinate, [..., D]."""
        variances = ops.square(self._scales)
        if not self._are_independent:
            variances = ops.sum(variances, axis=-1)
        if self._freedom is not None:
            variances *= (self._freedom / (self._freedom - 2.0))[..., None]
        return self._average(variances + ops.square(self._means - self.mean()[..., None, :]))

    def stddev(self) -> Positions:
        """Of each coordinate, [..., D]."""
        return ops.sqrt(self.variance())

    def sample(self, sample_shape: int | tuple[int, ...] = (), seed: Tensor = None) -> Positions:
        """Independent positions, [*sample_shape, ..., D]; seeds are made by `stateless_seed`."""
        leading = (sample_shape,) if isinstance(sample_shape, int) else tuple(sample_shape)
        shape = (*leading, *ops.shape(self._means))
        noise = draw("normal", shape, fold_in(seed, 0))
        if self._freedom is not None:
            chi_square = 2.0 * draw("gamma", shape[:-1], fold_in(seed, 1), self._freedom / 2.0)
            noise *= ops.sqrt(self._freedom / chi_square)[..., None]
        if self._are_independent:
            points = self._means + self._scales * noise
        else:
            points = self._means + ops.sum(self._scales * noise[..., None, :], axis=-1)
        if shape[-2] == 1:
            return points[..., 0, :]
        uniform = draw("uniform", shape[:-2], fold_in(seed, 2))[..., None]
        ends = ops.cumsum(ops.exp(self._log_weights), axis=-1)[..., :-1]
        component = ops.sum(ops.cast(ends < uniform, "int32"), axis=-1)
        chosen = ops.one_hot(component, shape[-2], dtype="float32")
        return ops.sum(chosen[..., None] * points, axis=-2)

    def _average(self, values: Tensor) -> Tensor:
        """Over components, [..., C, D] -> [..., D]."""
        return ops.sum(ops.exp(self._log_weights)[..., None] * values, axis=-2)

    def _diagonal(self) -> Tensor:
        """Of all L, [..., C, D]."""
        if self._are_independent:
            return self._scales
        return ops.diagonal(self._scales, axis1=-2, axis2=-1)

    def _standardize(self, residuals: Tensor) -> Tensor:
        """L**-1 residuals, [..., C, D]; by hand, since solvers are slow for D of two or three."""
        if self._are_independent:
            return residuals / self._scales
        solved: list[Tensor] = []
        for row in range(residuals.shape[-1]):
            known = sum(self._scales[..., row, i] * z for i, z in enumerate(solved))
            solved.append((residuals[..., row] - known) / self._scales[..., row, row])
        return ops.stack(solved, axis=-1)


def _log_gamma_ratio(x: Tensor, dims: int) -> Tensor:
    """log of Gamma(x + dims / 2) / (Gamma(x) x**(dims / 2)), x > 0: no difference of large numbers.

    It falls to zero as x grows, and so leaves a Gaussian. Gamma(x + 1) = x Gamma(x) does for whole
    numbers; for another half, a series in 1 / y that begins at x + 4.
    """
    steps, half = divmod(dims, 2)
    total = sum(ops.log1p((half / 2 + k) / x) for k in range(steps))
    if half:
        y = x + SERIES_FROM
        total += 0.5 * ops.log1p(SERIES_FROM / x)
        total += -1 / (8 * y) + 1 / (192 * y**3) - 1 / (640 * y**5)
        total -= sum(ops.log1p(0.5 / (x + k)) for k in range(SERIES_FROM))
    return total
