"""Mixtures of bivariate Gaussians: what every forecast of this package comes to."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, gammainc, ndtr

from socialmd.evaluation.checks import finite_array
from socialmd.types import FloatArray

__all__ = ["PredictiveDensity"]

WEIGHT_TOLERANCE = 1e-4  # float32 logits leave a sum of weights that is one to about 1e-6


@dataclasses.dataclass(frozen=True, eq=False)
class PredictiveDensity:
    """Densities of positions in the plane, each a mixture of C bivariate Gaussians.

        p(x) = sum_c w_c N(x; mu_c, Sigma_c)

    One object holds many densities: all arrays share leading axes "...", for example windows, steps
    and particles, [W, T', N], along which indices select: `density[:10]` are those of the first 10
    windows. A Gaussian forecast has C = 1, a mixture of K has C = K, and S sampled rollouts have
    C = S K. Everything is computed in float64.

    Args:
        log_weights: log w_c, [..., C]; normalized exactly on construction.
        means: mu_c, [..., C, D], in units of length.
        covariances: Sigma_c, [..., C, D, D], in units of length squared. Multiply Cholesky factors
            in float64: a strong correlation makes the product of float32 numbers singular.

    Raises:
        ValueError: an array is of another shape or holds a number that is not finite, weights do
            not sum to one within 1e-4, or a covariance is not symmetric and positive definite.

    Example:
        >>> density = PredictiveDensity(np.zeros(1), np.zeros((1, 2)), np.eye(2)[None])
        >>> float(density.log_prob([0.0, 0.0]))  # -log(2 pi)
        -1.8378...
    """

    log_weights: FloatArray
    means: FloatArray
    covariances: FloatArray

    def __post_init__(self) -> None:
        log_weights = finite_array("log_weights", self.log_weights)
        if log_weights.ndim == 0 or log_weights.shape[-1] == 0:
            raise ValueError(
                "log_weights: expected shape [..., components], at least one component, found "
                f"{log_weights.shape}"
            )
        total = np.exp(log_weights).sum(axis=-1, keepdims=True)
        if (np.abs(total - 1.0) > WEIGHT_TOLERANCE).any():
            worst = total.flat[np.argmax(np.abs(total - 1.0))]
            raise ValueError(f"log_weights: expected weights that sum to 1, found a sum of {worst}")
        shape = log_weights.shape
        # The dataclass is frozen: this is its constructor's way of setting an attribute.
        object.__setattr__(self, "log_weights", log_weights - np.log(total))
        means = finite_array("means", self.means)
        if means.shape[:-1] != shape or means.shape[-1] not in (2, 3):
            raise ValueError(
                f"means: expected shape {shape} and 2 or 3 coordinates, found {means.shape}"
            )
        dims = means.shape[-1]
        object.__setattr__(self, "means", means)
        covariances = finite_array("covariances", self.covariances, (*shape, dims, dims))
        object.__setattr__(self, "covariances", covariances)
        _refuse_indefinite(covariances)

    @classmethod
    def from_samples(
        cls, log_weights: ArrayLike, means: ArrayLike, covariances: ArrayLike
    ) -> PredictiveDensity:
        """Average S densities with equal weights, as S sampled rollouts call for.

            p_t(x) = 1/S sum_s p(x | x_(t-1)^(s))

        Averaging the density that each sampled history gives for its next step, and not smoothing
        sampled positions x_t^(s), is Rao-Blackwellized [1]: step t itself is integrated out
        exactly, only the steps before it are sampled. Still an estimate: from few samples it is
        narrower than its limit, and looks overconfident even if the model is right.

        Args:
            log_weights, means, covariances: as for the class, [S, ..., C], [S, ..., C, D] and
                [S, ..., C, D, D]. Densities have leading axes [...] and S C components.

        Raises:
            ValueError: as for the class; there is no axis of samples, or no sample.

        #### References
        [1] A. E. Gelfand and A. F. M. Smith, Sampling-based approaches to calculating marginal
        densities, J. Am. Stat. Assoc. 85, 398-409, 1990.
        """
        each = cls(log_weights, means, covariances)  # type: ignore[arg-type]
        if not each.shape or not each.shape[0]:
            raise ValueError(
                "log_weights: expected shape [samples, ..., components], found "
                f"{each.log_weights.shape}"
            )
        samples, *leading, components = each.log_weights.shape
        shape = (*leading, samples * components)
        return cls(
            np.moveaxis(each.log_weights, 0, -2).reshape(shape) - math.log(samples),
            np.moveaxis(each.means, 0, -3).reshape(*shape, each.spatial_dims),
            np.moveaxis(each.covariances, 0, -4).reshape(*shape, *[each.spatial_dims] * 2),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading axes "..." of all arrays."""
        return self.log_weights.shape[:-1]

    @property
    def spatial_dims(self) -> int:
        """D, 2 or 3."""
        return self.means.shape[-1]

    def __getitem__(self, index: Any) -> PredictiveDensity:
        index = index if isinstance(index, tuple) else (index,)
        if not any(part is Ellipsis for part in index):
            index = (*index, ...)
        arrays = (self.log_weights, self.means, self.covariances)
        return PredictiveDensity(
            *(each[(*index, *[slice(None)] * own)] for own, each in enumerate(arrays, start=1))
        )

    def log_prob(self, x: ArrayLike) -> FloatArray:
        """log p(x), positions [..., D] -> [...], per unit of area or volume; finite however far."""
        terms = self._parts.log_heights - 0.5 * self._squared_distances(x)  # [..., C]
        # Log-sum-exp: far from all components every exp(terms) would be zero.
        largest = terms.max(axis=-1)
        return largest + np.log(np.exp(terms - largest[..., None]).sum(axis=-1))

    def cdf(self, x: ArrayLike) -> FloatArray:
        """P(X < x) of each coordinate's marginal distribution, positions [..., D] -> [..., D]."""
        distances = self._positions(x)[..., None, :] - self.means  # [..., C, D]
        return self._average(ndtr(distances / np.sqrt(self._variances)))

    def mean(self) -> FloatArray:
        """E[x], [..., D], in units of length."""
        return self._average(self.means)

    def covariance(self) -> FloatArray:
        """Covariance of x, [..., D, D], by the law of total variance."""
        deviations = self.means - self.mean()[..., None, :]  # [..., C, D]
        between = deviations[..., :, None] * deviations[..., None, :]  # [..., C, D, D]
        weights = np.exp(self.log_weights)[..., None, None]
        return (weights * (self.covariances + between)).sum(axis=-3)

    def sample(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Independent positions, [count, ..., D], in units of length."""
        if count < 1:
            raise ValueError(f"count: expected a positive integer, found {count}")
        return np.stack([self._draw(rng) for _ in range(count)])

    def highest_density_level(
        self, x: ArrayLike, num_samples: int = 100, rng: np.random.Generator | int = 0
    ) -> FloatArray:
        """Probability of all places where the density is higher than at x, [...].

        That is the content of the highest-density region on whose boundary x lies [1], uniform on
        [0, 1] if x has this density. With m the Mahalanobis distance of x, it is the chi-squared
        distribution of m**2 for one component, 1 - exp(-m**2 / 2) in the plane. For more, with k of
        n samples at higher densities and u uniform on [0, 1), it is estimated by (k + u) / (n + 1):
        x is one more sample, its rank among all n + 1 is uniform, and u spreads the ranks evenly.

        Raises:
            ValueError: x is of another shape or not finite, or there is to be no sample.

        #### References
        [1] R. J. Hyndman, Computing and graphing highest density regions, Am. Stat. 50, 120-126,
        1996.
        """
        if num_samples < 1:
            raise ValueError(f"num_samples: expected a positive integer, found {num_samples}")
        if self.log_weights.shape[-1] == 1:
            return np.asarray(
                gammainc(self.spatial_dims / 2, 0.5 * self._squared_distances(x)[..., 0])
            )
        rng = np.random.default_rng(rng)
        density = self.log_prob(x)
        higher = np.zeros(density.shape)
        for _ in range(num_samples):  # one at a time: memory does not grow with their number
            higher += self.log_prob(self._draw(rng)) > density
        return (higher + rng.random(density.shape)) / (num_samples + 1)

    def crps(self, x: ArrayLike) -> FloatArray:
        """Continuous ranked probability score of each coordinate, [..., D] -> [..., D].

            CRPS = E|X - x| - E|X - X'| / 2
                 = sum_i w_i A(x - mu_i, v_i) - 1/2 sum_ij w_i w_j A(mu_i - mu_j, v_i + v_j)

        with X and X' independent draws of the marginal distribution, and A(mu, v) what is expected
        of |Z| if Z is normal [1]. In units of length; the absolute error if the forecast is a
        point. Time grows with C**2, memory with C.

        #### References
        [1] E. P. Grimit, T. Gneiting, V. J. Berrocal and N. A. Johnson, The continuous ranked
        probability score for circular variables and its application to mesoscale forecast ensemble
        verification, Q. J. R. Meteorol. Soc. 132, 2925-2942, 2006; its equation (5).
        """
        weights = np.exp(self.log_weights)[..., None, :]  # [..., 1, C]
        means, variances = np.swapaxes(self.means, -1, -2), np.swapaxes(self._variances, -1, -2)
        errors = self._positions(x)[..., None] - means  # [..., D, C]
        score = (weights * _expected_distance(errors, variances)).sum(axis=-1)
        for i in range(weights.shape[-1]):
            # Pairs (i, j >= i) once. Those of different components occur twice in the double sum.
            spread = weights[..., i:] * _expected_distance(
                means[..., i:] - means[..., i, None], variances[..., i:] + variances[..., i, None]
            )
            score -= weights[..., i] * (0.5 * spread[..., 0] + spread[..., 1:].sum(axis=-1))
        return score

    @functools.cached_property
    def _parts(self) -> _Parts:
        """Of all components; in memory, their axis comes before "...", since NumPy sums slowly
        over a short last one.
        """
        covariances = np.moveaxis(self.covariances, -3, 0)  # [C, ..., D, D]
        factor = _cholesky(covariances)
        dims = covariances.shape[-1]
        log_volume = np.log((2.0 * math.pi) ** (dims / 2) * _product_of_diagonal(factor))
        log_heights = np.moveaxis(self.log_weights, -1, 0) - log_volume
        means = np.moveaxis(self.means, (-2, -1), (1, 0))
        return _Parts(
            np.moveaxis(log_heights, 0, -1),
            [np.moveaxis(mean, 0, -1) for mean in means],
            [[np.moveaxis(entry, 0, -1) for entry in row] for row in factor],
        )

    @functools.cached_property
    def _cumulative_weights(self) -> FloatArray:
        """Of all components but the last, [C - 1, ...]."""
        return np.cumsum(np.exp(np.moveaxis(self.log_weights, -1, 0)), axis=0)[:-1]

    @property
    def _variances(self) -> FloatArray:
        return np.diagonal(self.covariances, axis1=-2, axis2=-1)  # [..., C, D]

    def _average(self, values: FloatArray) -> FloatArray:
        """Weighted mean over components, [..., C, D] -> [..., D]."""
        return (np.exp(self.log_weights)[..., None] * values).sum(axis=-2)

    def _positions(self, x: ArrayLike) -> FloatArray:
        return finite_array("x", x, (*self.shape, self.spatial_dims))

    def _squared_distances(self, x: ArrayLike) -> FloatArray:
        """Squared Mahalanobis distances of x from every component, [..., C]."""
        position, parts = self._positions(x), self._parts
        z: list[FloatArray] = []  # standardized residuals, from the Cholesky factor row by row
        for axis, (mean, row) in enumerate(zip(parts.means, parts.factor, strict=True)):
            residual = position[..., axis, None] - mean
            for entry, known in zip(row[:-1], z, strict=True):
                residual = residual - entry * known
            z.append(residual / row[-1])
        return np.sum([np.square(each) for each in z], axis=0)

    def _draw(self, rng: np.random.Generator) -> FloatArray:
        """One position from each density, [..., D]."""
        component = (self._cumulative_weights < rng.random(self.shape)).sum(axis=0)

        def choose(values: FloatArray) -> FloatArray:
            return np.take_along_axis(values, component[..., None], axis=-1)[..., 0]

        parts = self._parts
        z = rng.standard_normal((len(parts.means), *self.shape))
        drawn = []
        for mean, row in zip(parts.means, parts.factor, strict=True):
            place = choose(mean)
            for entry, known in zip(row, z, strict=False):
                place = place + choose(entry) * known
            drawn.append(place)
        return np.stack(drawn, axis=-1)


class _Parts(NamedTuple):
    """What densities are computed from, each [..., C].

    Args:
        log_heights: logarithms of w / ((2 pi)**(D/2) s_1 .. s_D).
        means: D of them.
        factor: rows of the Cholesky factor of the covariance, of 1 to D entries; the last of each
            is s.
    """

    log_heights: FloatArray
    means: list[FloatArray]
    factor: list[list[FloatArray]]


def _cholesky(covariances: FloatArray) -> list[list[FloatArray]]:
    """Rows of the factor of [..., D, D], of 1 to D entries [...]; not finite if there is none."""
    rows: list[list[FloatArray]] = []
    for i in range(covariances.shape[-1]):
        row: list[FloatArray] = []
        for j, other in enumerate(rows):
            rest = covariances[..., j, i]
            for own, its in zip(row, other[:-1], strict=True):
                rest = rest - own * its
            row.append(rest / other[-1])
        left = covariances[..., i, i]
        for entry in row:
            left = left - np.square(entry)
        rows.append([*row, np.sqrt(left)])
    return rows


def _product_of_diagonal(factor: list[list[FloatArray]]) -> FloatArray:
    """Product of the diagonal."""
    return np.prod([row[-1] for row in factor], axis=0)


def _expected_distance(mean: FloatArray, variance: FloatArray) -> FloatArray:
    """E|Z| of a normal Z: mu (2 Phi(mu / sigma) - 1) + 2 sigma phi(mu / sigma)."""
    sigma = np.sqrt(variance)
    z = mean / (math.sqrt(2.0) * sigma)
    return mean * erf(z) + math.sqrt(2.0 / math.pi) * sigma * np.exp(-np.square(z))


def _refuse_indefinite(covariances: FloatArray) -> None:
    """Raise a ValueError unless all matrices, [..., D, D], are symmetric and positive definite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        # The same arithmetic as that of densities, which so have no root of a negative.
        diagonal = [row[-1] for row in _cholesky(covariances)]
        definite = np.all([entry > 0.0 for entry in diagonal], axis=0)  # not a number: false
        scale = np.sqrt(np.abs(np.diagonal(covariances, axis1=-2, axis2=-1)))
        difference = np.abs(covariances - np.swapaxes(covariances, -1, -2))
        symmetric = (difference <= 1e-6 * scale[..., :, None] * scale[..., None, :]).all((-2, -1))
    wrong = ~(definite & symmetric)
    if wrong.any():
        raise ValueError(
            "covariances: expected symmetric positive definite matrices, found "
            f"{np.count_nonzero(wrong)} of {wrong.size} that are not, such as "
            f"{covariances[wrong][0].tolist()}"
        )
