"""Recalibration: factors on widths and spreads that validation data ask for, and what they do."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from socialmd.data import real_particles
from socialmd.data.masked_inputs import unpack
from socialmd.data.windows import evenly_spread
from socialmd.distributions import Direction, Distribution, Pose
from socialmd.evaluation.ranks import rank_levels
from socialmd.models.roll_out import roll_out_together
from socialmd.types import Array, FloatArray, Inputs, Tensor

if TYPE_CHECKING:
    from socialmd.models.forecast_model import ForecastModel

__all__ = [
    "check_spread_factors",
    "fit_sigma_factors",
    "fit_spread_factors",
    "recalibrate",
    "scale_sigma",
    "scale_spread",
    "spread_about_mean",
]

# Logarithms of factors on sigma; how often their interval shrinks by the golden ratio.
SIGMA_RANGE, SIGMA_ROUNDS = (-3.0, 3.0), 20
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
# Logarithms of factors on spreads; how often their interval is halved.
SPREAD_RANGE, SPREAD_ROUNDS = (-np.log(4), np.log(4)), 10
REGIONS = (0.5, 0.8, 0.95)
DEGREE = 3  # of the logarithm of the factor in that of 1 + s: futures stay smooth
# From which it is told how far apart futures should be; all that are drawn together.
NUM_FUTURES, MAX_WINDOWS, PARTICLES_TO_CALIBRATE = 10, 200, 8192


def recalibrate(model: ForecastModel, dataset: Iterable[Any]) -> None:
    """As `ForecastModel.recalibrate`."""
    batches = list(dataset)
    if not batches:
        raise ValueError("recalibrate: expected batches of inputs and targets, found none")
    forecasts = []
    for inputs, targets in batches:
        _, parameters = model.rollout(inputs, feedback=model.point_feedback)
        forecasts.append([_real(tensor, inputs) for tensor in (parameters, targets)])
    parameters, truth = map(np.concatenate, zip(*forecasts, strict=True))
    distribution = model._distribution
    if isinstance(distribution, Pose):
        parameters, turning = distribution.split(parameters)
        truth, directions = np.split(truth, 2, axis=-1)
        model.turn_factors.assign(fit_sigma_factors(distribution.direction, turning, directions))
    factors = fit_sigma_factors(model.of_positions, parameters, truth)
    if not model.predicts_sigma:  # these parameters had the earlier factors
        factors = factors * ops.convert_to_numpy(model.sigma_factors)
    model.sigma_factors.assign(factors)
    model.spread_factors = None
    if "conditional" in model.densities:
        try:
            model.spread_factors = fit_spread_factors(*_draw_futures(model, batches))
        except FloatingPointError as error:  # of a model that is hardly trained
            warnings.warn(f"recalibrate: futures are left as drawn, since {error}", stacklevel=3)


def _draw_futures(
    model: ForecastModel, batches: list[tuple[Inputs, Tensor]]
) -> tuple[Array, Array]:
    """Futures [S, W, T', N, D] of windows that are spread evenly, and their truth."""
    counts = [len(targets) for _, targets in batches]
    chosen = evenly_spread(sum(counts), MAX_WINDOWS)
    futures, truth = [], []
    for first, (inputs, targets) in zip(np.cumsum([0, *counts]), batches, strict=False):
        rows = chosen[(chosen >= first) & (chosen < first + len(targets))] - first
        size = max(1, PARTICLES_TO_CALIBRATE // (NUM_FUTURES * targets.shape[2]))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            past = keras.tree.map_structure(partial(ops.take, indices=part, axis=0), inputs)
            seed = int(first) + start
            drawn, _ = roll_out_together(
                model, past, model.target_steps, "sample", seed, NUM_FUTURES
            )
            drawn, true = (each[..., : model.spatial_dims] for each in (drawn, targets))
            futures.append(np.stack([_real(future, past) for future in drawn]))
            truth.append(_real(ops.take(true, part, axis=0), past))
    return np.concatenate(futures, axis=1), np.concatenate(truth)


def _real(tensor: Tensor, inputs: Inputs) -> Array:
    """A batch's [B, T', N, ...] as an array; if it comes with a mask, of its real particles."""
    array, mask = ops.convert_to_numpy(tensor), unpack(inputs).mask
    return array if mask is None else real_particles(array, ops.convert_to_numpy(mask))


def fit_sigma_factors(
    distribution: Distribution | Direction, parameters: Array, truth: Array
) -> NDArray[np.float32]:
    """The factor [T'] on all standard deviations that maximizes the likelihood at each step ahead.

    A golden-section search, at all steps together, of the mean log-likelihood along log factor. For
    one Gaussian the answer is sqrt(mean(m**2) / 2), m being the Mahalanobis distance of the truth.

    Args:
        distribution: whose parameters they are.
        parameters: as predicted, [W, T', N, P].
        truth: positions or directions, [W, T', N, D].
    """
    if parameters.shape[:3] != truth.shape[:3] or truth.shape[3:] not in ((2,), (3,)):
        raise ValueError(
            "truth: expected [W, T', N, D] beside parameters [W, T', N, P], found shapes "
            f"{truth.shape} and {parameters.shape}"
        )
    _check_finite("parameters, truth", parameters, truth)
    parameters, truth = parameters.astype("float32"), truth.astype("float32")

    def log_likelihood(log_factors: Array) -> Array:
        factors = np.exp(log_factors).astype("float32")[:, None, None]  # [T', 1, 1]
        scaled = distribution.scale_sigma(parameters, factors)
        log_probability = distribution.from_parameters(scaled).log_prob(truth)  # [W, T', N]
        return ops.convert_to_numpy(log_probability).mean(axis=(0, 2), dtype=np.float64)

    low, high = (np.full(truth.shape[1], end) for end in SIGMA_RANGE)
    for _ in range(SIGMA_ROUNDS):
        span = GOLDEN * (high - low)
        is_left = log_likelihood(high - span) > log_likelihood(low + span)
        low, high = np.where(is_left, low, high - span), np.where(is_left, low + span, high)
    return np.exp((low + high) / 2).astype("float32")


def fit_spread_factors(futures: Array, truth: Array) -> NDArray[np.float32]:
    """The factors [T'] with which regions of 50, 80 and 95 % together hold as much as they should.

    Found step by step, by bisection, and smoothed. Errors may have heavier tails than futures; then
    no factor makes all regions right, and this one is between those that each of them asks for. The
    mean of few futures is uncertain itself, so factors below one depend a little on S.

    Args:
        futures: as drawn, [S, W, T', N, D], S >= 2.
        truth: positions, [W, T', N, D].
    """
    if futures.ndim != 5 or len(futures) < 2 or futures.shape[1:] != truth.shape:
        raise ValueError(
            "futures: expected [S, W, T', N, D] with S of at least 2 beside truth [W, T', N, D], "
            f"found shapes {futures.shape} and {truth.shape}"
        )
    _check_finite("futures, truth", futures, truth)
    steps = truth.shape[1]
    low, high = (np.full(steps, end) for end in SPREAD_RANGE)
    for _ in range(SPREAD_ROUNDS):
        middle = (low + high) / 2
        moved = spread_about_mean(futures, np.exp(middle))
        levels = rank_levels(moved, truth, np.random.default_rng(0))
        held = sum((levels <= region).mean(axis=(0, 2)) for region in REGIONS)
        is_wide = held > sum(REGIONS)
        low, high = np.where(is_wide, low, middle), np.where(is_wide, middle, high)
    ahead = np.log1p(np.arange(steps))
    curve = Polynomial.fit(ahead, (low + high) / 2, min(DEGREE, steps - 1))
    return np.exp(np.clip(curve(ahead), *SPREAD_RANGE)).astype("float32")


def _check_finite(names: str, *arrays: Array) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError(f"{names}: expected finite numbers, found some that are not")


def spread_about_mean(futures: Array, factors: Array) -> FloatArray:
    """Futures [S, W, T', N, D], the distances from their mean multiplied by a factor each step.

    Member-by-member postprocessing: B. Van Schaeybroeck and S. Vannitsem, Q. J. R. Meteorol. Soc.
    141, 807-818 (2015).
    """
    mean = futures.mean(axis=0, dtype=np.float64)
    return np.asarray(mean + factors[:, None, None] * (futures - mean))


def scale_sigma(model: ForecastModel, parameters: Tensor) -> NDArray[np.float32]:
    """Parameters [B, steps, N, P] as `rollout(..., recalibrated=True)` gives them."""
    parameters = ops.convert_to_tensor(parameters)
    if model.predicts_sigma:
        steps = np.minimum(np.arange(parameters.shape[1]), model.target_steps - 1)
        found = [model.sigma_factors, *([model.turn_factors] if model.orientation else [])]
        factors = tuple(ops.convert_to_numpy(each)[steps, None, None] for each in found)
        scale = factors if model.orientation else factors[0]
        parameters = model._distribution.scale_sigma(parameters, scale)
    return ops.convert_to_numpy(parameters)


def scale_spread(model: ForecastModel, futures: Tensor) -> NDArray[np.float32]:
    """Futures [S, B, steps, N, D], of `rollout(..., num_samples=S)`, recalibrated.

    Of poses, positions are; directions stay as they were drawn.
    """
    factors, futures = check_spread_factors(model), ops.convert_to_numpy(futures)
    steps = np.minimum(np.arange(futures.shape[2]), len(factors) - 1)
    places, directions = np.split(futures, [model.spatial_dims], axis=-1)
    moved = spread_about_mean(places, factors[steps]).astype(np.float32)
    return np.concatenate([moved, directions], axis=-1)


def check_spread_factors(model: ForecastModel) -> NDArray[np.float32]:
    """The factors of a model's futures, if there are any."""
    if model.spread_factors is None:
        raise ValueError(
            "recalibrated: expected a model whose futures have been recalibrated, found none; "
            "call `model.recalibrate(validation)` on one that holds conditional densities"
        )
    return model.spread_factors
