"""How much farther apart sampled futures should have been, step by step."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from socialmd.evaluation.ranks import rank_levels
from socialmd.types import Array, FloatArray

__all__ = ["fit_spread_factors", "spread_about_mean"]

REGIONS = (0.5, 0.8, 0.95)
# Logarithms of the factors, from 1/4 to 4; how often the interval is halved.
LOWEST, HIGHEST, NUM_ROUNDS = -np.log(4), np.log(4), 10
DEGREE = 3  # of the logarithm of the factor in that of 1 + s: futures stay smooth


def spread_about_mean(futures: Array, factors: Array) -> FloatArray:
    """Move futures away from, or towards, the mean of all.

    Args:
        futures: positions, [S, W, T', N, D], S >= 2.
        factors: one for each step, [T'].

    Returns:
        Likewise, mean + factor (position - mean).

    Reference:
        Member-by-member postprocessing: B. Van Schaeybroeck and S. Vannitsem, Q. J. R. Meteorol.
        Soc. 141, 807-818 (2015).
    """
    mean = futures.mean(axis=0, dtype=np.float64)
    return np.asarray(mean + factors[:, None, None] * (futures - mean))


def fit_spread_factors(futures: Array, truth: Array) -> NDArray[np.float32]:
    """The factors with which regions of 50, 80 and 95 % together hold as much as they should.

    Found step by step, by bisection, and smoothed. Errors may have heavier tails than futures; then
    no factor makes all regions right, and this one is between those that each of them asks for. The
    mean of few futures is uncertain itself, so factors below one depend a little on S.

    Args:
        futures: as drawn, [S, W, T', N, D], S >= 2.
        truth: positions, [W, T', N, D].

    Returns:
        [T'], between 1/4 and 4.

    Raises:
        ValueError: futures or truth are not finite, or their shapes do not match.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> futures, truth = rng.normal(size=(10, 500, 2, 1, 2)), rng.normal(size=(500, 2, 1, 2))
        >>> fit_spread_factors(futures / 2, truth)  # half as wide as they should be
        array([2.0..., 1.9...], dtype=float32)
    """
    if futures.ndim != 5 or len(futures) < 2 or futures.shape[1:] != truth.shape:
        raise ValueError(
            "futures: expected [S, W, T', N, D] with S of at least 2 beside truth [W, T', N, D], "
            f"found shapes {futures.shape} and {truth.shape}"
        )
    if not (np.isfinite(futures).all() and np.isfinite(truth).all()):
        raise ValueError("futures, truth: expected finite numbers, found some that are not")
    steps = truth.shape[1]
    low, high = np.full(steps, LOWEST), np.full(steps, HIGHEST)
    for _ in range(NUM_ROUNDS):
        middle = (low + high) / 2
        levels = rank_levels(
            spread_about_mean(futures, np.exp(middle)), truth, np.random.default_rng(0)
        )
        held = sum((levels <= region).mean(axis=(0, 2)) for region in REGIONS)
        is_wide = held > sum(REGIONS)
        low, high = np.where(is_wide, low, middle), np.where(is_wide, middle, high)
    ahead = np.log1p(np.arange(steps))
    curve = Polynomial.fit(ahead, (low + high) / 2, min(DEGREE, steps - 1))
    return np.exp(np.clip(curve(ahead), LOWEST, HIGHEST)).astype("float32")
