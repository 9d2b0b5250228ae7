"""Univariate normal distributions and mixtures of them, in double precision."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from socialmd.evaluation.checks import FloatArray

__all__ = ["normal_mixture_crps", "standard_normal_cdf"]


@numba.vectorize  # NumPy has no error function, and Keras' is single precision on some backends
def standard_normal_cdf(z: Any) -> Any:
    """Phi(z) of every number in an array, accurate in the lower tail too.

    Example:
        >>> standard_normal_cdf(np.array([0.0, -8.0]))
        array([5.00000000e-01, 6.22096057e-16])
    """
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def normal_mixture_crps(
    weights: FloatArray, means: FloatArray, variances: FloatArray, x: FloatArray
) -> FloatArray:
    """Continuous ranked probability score of a mixture of C normal distributions.

        CRPS = E|X - x| - E|X - X'| / 2
             = sum_i w_i A(x - mu_i, v_i) - 1/2 sum_ij w_i w_j A(mu_i - mu_j, v_i + v_j)

    where X and X' are independent and A(mu, v) is E|Z| of a normal Z. Time grows with C**2, memory
    with C.

    Args:
        weights: w, [..., C].
        means: mu, [..., C].
        variances: v, [..., C].
        x: what was observed, [...].

    Returns:
        Scores, [...], in the units of x.

    #### References
    [1] E. P. Grimit, T. Gneiting, V. J. Berrocal and N. A. Johnson, The continuous ranked
    probability score for circular variables and its application to mesoscale forecast ensemble
    verification, Q. J. R. Meteorol. Soc. 132, 2925-2942, 2006; its equation (5).
    """
    score = (weights * _expected_distance(x[..., None] - means, variances)).sum(axis=-1)
    for i in range(means.shape[-1]):
        # Pairs (i, j >= i) once. Those of different components occur twice in the double sum.
        spread = weights[..., i:] * _expected_distance(
            means[..., i:] - means[..., i, None], variances[..., i:] + variances[..., i, None]
        )
        score -= weights[..., i] * (0.5 * spread[..., 0] + spread[..., 1:].sum(axis=-1))
    return score


def _expected_distance(mean: FloatArray, variance: FloatArray) -> FloatArray:
    """E|Z| of a normal Z: A(mu, sigma**2) = mu (2 Phi(mu/sigma) - 1) + 2 sigma phi(mu/sigma)."""
    sigma = np.sqrt(variance)
    z = mean / sigma
    density = np.exp(-0.5 * np.square(z)) / math.sqrt(2.0 * math.pi)
    return mean * (2.0 * standard_normal_cdf(z) - 1.0) + 2.0 * sigma * density
