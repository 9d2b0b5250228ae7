"""How much wider or narrower than predicted densities should have been, step by step."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from socialmd.distributions import Distribution
from socialmd.types import Array

__all__ = ["fit_sigma_factors"]

# Logarithms of the factors, from 1/20 to 20; how often the interval shrinks by the golden ratio.
LOWEST, HIGHEST, NUM_ROUNDS = -3.0, 3.0, 20
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


def fit_sigma_factors(
    distribution: Distribution, parameters: Array, truth: Array
) -> NDArray[np.float32]:
    """The factor on all standard deviations that maximizes the likelihood, for each step ahead.

    A golden-section search, at all steps together, of the mean log-likelihood along log factor. For
    one Gaussian the answer is sqrt(mean(m**2) / 2), m being the Mahalanobis distance of the truth.

    Args:
        distribution: whose parameters they are.
        parameters: as predicted, [W, T', N, P].
        truth: positions, [W, T', N, D].

    Returns:
        [T'], between 1/20 and 20.

    Raises:
        ValueError: parameters or truth are not finite, or their shapes differ.

    Example:
        >>> parameters = np.float32([0.0, 0.0, 1.0, 1.0, 0.0]) * np.ones((500, 1, 1, 1))
        >>> truth = np.random.default_rng(0).normal(scale=2.0, size=(500, 1, 1, 2))
        >>> fit_sigma_factors(BivariateGaussian(), parameters, truth)  # half of what it should be
        array([2.0...], dtype=float32)
    """
    if parameters.shape[:3] != truth.shape[:3] or truth.shape[3:] not in ((2,), (3,)):
        raise ValueError(
            "truth: expected [W, T', N, D] beside parameters [W, T', N, P], found shapes "
            f"{truth.shape} and {parameters.shape}"
        )
    if not (np.isfinite(parameters).all() and np.isfinite(truth).all()):
        raise ValueError("parameters, truth: expected finite numbers, found some that are not")
    parameters, truth = parameters.astype("float32"), truth.astype("float32")

    def log_likelihood(log_factors: Array) -> Array:
        factors = np.exp(log_factors).astype("float32")[:, None, None]  # [T', 1, 1]
        scaled = distribution.scale_sigma(parameters, factors)
        log_probability = distribution.from_parameters(scaled).log_prob(truth)  # [W, T', N]
        return keras.ops.convert_to_numpy(log_probability).mean(axis=(0, 2), dtype=np.float64)

    low = np.full(truth.shape[1], LOWEST)
    high = np.full(truth.shape[1], HIGHEST)
    for _ in range(NUM_ROUNDS):
        span = GOLDEN * (high - low)
        is_left = log_likelihood(high - span) > log_likelihood(low + span)
        low, high = np.where(is_left, low, high - span), np.where(is_left, low + span, high)
    return np.exp((low + high) / 2).astype("float32")
