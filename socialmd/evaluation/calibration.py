"""Calibration of forecasts: whether their probabilities come true."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from socialmd.evaluation.checks import finite_array, finite_positions, finite_samples
from socialmd.evaluation.predictive_density import PredictiveDensity
from socialmd.evaluation.ranks import ensemble_crps, rank_levels, rank_transforms
from socialmd.types import FloatArray

__all__ = ["Calibration"]

LEVELS = (0.5, 0.8, 0.95)
PIT_BINS = 20
COMPONENTS_AT_ONCE = 2**16  # arrays of so many numbers stay in a processor's cache


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibration:
    """How probable the truth was, by forecast; `dataclasses.asdict` makes JSON of it.

    All means and medians are taken over windows and particles, and over steps unless "per step".
    Lengths are in the units of the positions, sigmas are standard deviations per coordinate. With e
    the truth minus the forecast's mean and Sigma the forecast's covariance,

        sharpness    sqrt(mean of trace(Sigma) / 2)
        rmse         sqrt(mean of |e|**2 / 2)

    are equal, on average, if forecasts are calibrated. So are, for isotropic Gaussians of one size,
    the medians of sqrt(trace(Sigma) / 2) and of |e| / sqrt(2 log 2), which a few close encounters
    hardly change; for a Gaussian on a line the second is 0.81 of the first.

    Args:
        levels: nominal probabilities of highest-density regions.
        coverage, overall_coverage: fraction of true positions within these regions, [levels][T']
            and [levels].
        coverage_per_simulation: [levels][simulations], in the order of their numbers.
        coverage_standard_error: of `overall_coverage` [levels], from the spread over simulations,
            which are independent; windows, steps and particles of one are not. `None` for fewer
            than two simulations.
        pit_histogram, overall_pit_histogram: probability integral transform F(x_true) of all
            coordinates together, fractions in 20 equal bins of [0, 1], [T'][bins] and [bins]. Flat
            if calibrated, U-shaped if overconfident.
        crps, crps_per_step: continuous ranked probability score, mean over
            coordinates, a length; [T'].
        nll, nll_per_step: mean of -log p(x_true), in nats per particle and step; [T'].
        sharpness_per_step, median_sharpness_per_step: predicted sigma, [T'].
        rmse_per_step: error of the mean, [T'].
        median_scaled_error_per_step: median of |e| by that of a standard normal vector, [T'].
    """

    levels: list[float]
    coverage: list[list[float]]
    overall_coverage: list[float]
    coverage_per_simulation: list[list[float]]
    coverage_standard_error: list[float] | None
    pit_histogram: list[list[float]]
    overall_pit_histogram: list[float]
    crps: float
    crps_per_step: list[float]
    nll: float
    nll_per_step: list[float]
    sharpness_per_step: list[float]
    rmse_per_step: list[float]
    median_sharpness_per_step: list[float]
    median_scaled_error_per_step: list[float]

    @classmethod
    def from_density(
        cls,
        density: PredictiveDensity,
        truth: ArrayLike,
        simulations: ArrayLike | None = None,
        seed: int = 0,
        samples: ArrayLike | None = None,
    ) -> Self:
        """Compare forecasts of W windows with what happened.

        Args:
            density: forecasts with leading axes [W, T', N].
            truth: positions, [W, T', N, D].
            simulations: integers [W], which simulation a window is taken from; every window is
                one of its own if not given.
            seed: of the samples that highest-density regions of mixtures are found by.
            samples: futures drawn from the forecast, [S, W, T', N, D], S >= 2. Coverage and PIT
                are then those of the truth's rank among them and CRPS is that of samples, right for
                any S, where a density averaged over few histories is narrower than its limit.

        Raises:
            ValueError: an array is of another shape, or holds numbers that are not finite.

        Example:
            >>> truth = np.random.default_rng(0).normal(size=(100, 1, 10, 2))
            >>> density = PredictiveDensity(
            ...     np.zeros((100, 1, 10, 1)),
            ...     np.zeros((100, 1, 10, 1, 2)),
            ...     np.tile(np.eye(2), (100, 1, 10, 1, 1, 1)),
            ... )
            >>> Calibration.from_density(density, truth).overall_coverage
            [0.501, 0.794, 0.949]
        """
        positions = finite_positions("truth", truth)
        if density.shape != positions.shape[:3]:
            raise ValueError(
                f"density: expected leading axes {positions.shape[:3]}, found {density.shape}"
            )
        groups = np.arange(len(positions)) if simulations is None else simulations
        groups = finite_array("simulations", groups, positions.shape[:1])
        _, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
        rng = np.random.default_rng(seed)
        drawn = None if samples is None else finite_samples(samples, positions)
        scores = _score_in_parts(density, positions, rng, is_sampled=drawn is not None)
        if drawn is not None:
            scores = scores._replace(
                level=rank_levels(drawn, positions, rng),
                pit=rank_transforms(drawn, positions, rng),
                crps=ensemble_crps(drawn, positions),
            )
        covered = scores.level <= np.array(LEVELS)[:, None, None, None]  # [levels, W, T', N]
        coverage = covered.mean(axis=(1, 2, 3))
        per_window = covered.mean(axis=(2, 3))  # [levels, W]
        per_simulation = np.stack([np.bincount(group, row) / counts for row in per_window])
        histogram = _histogram_per_step(scores.pit)  # [T', bins]
        dims = positions.shape[-1]
        scaled_error = np.sqrt(scores.squared_error * dims / chi2.median(dims))
        return cls(
            levels=list(LEVELS),
            coverage=covered.mean(axis=(1, 3)).tolist(),
            overall_coverage=coverage.tolist(),
            coverage_per_simulation=per_simulation.tolist(),
            coverage_standard_error=_standard_error(per_simulation, counts),
            pit_histogram=histogram.tolist(),
            overall_pit_histogram=histogram.mean(axis=0).tolist(),
            crps=float(scores.crps.mean()),
            crps_per_step=scores.crps.mean(axis=(0, 2, 3)).tolist(),
            nll=float(scores.nll.mean()),
            nll_per_step=scores.nll.mean(axis=(0, 2)).tolist(),
            sharpness_per_step=np.sqrt(scores.variance.mean(axis=(0, 2))).tolist(),
            rmse_per_step=np.sqrt(scores.squared_error.mean(axis=(0, 2))).tolist(),
            median_sharpness_per_step=np.median(np.sqrt(scores.variance), axis=(0, 2)).tolist(),
            median_scaled_error_per_step=np.median(scaled_error, axis=(0, 2)).tolist(),
        )


class _Scores(NamedTuple):
    """What each window, step and particle contributes."""

    level: FloatArray  # [W, T', N]
    pit: FloatArray  # [W, T', N, D]
    crps: FloatArray  # [W, T', N, D]
    nll: FloatArray  # [W, T', N]
    variance: FloatArray  # [W, T', N], predicted, per coordinate
    squared_error: FloatArray  # [W, T', N], of the mean, per coordinate


def _score_in_parts(
    density: PredictiveDensity, truth: FloatArray, rng: np.random.Generator, is_sampled: bool
) -> _Scores:
    windows = max(1, COMPONENTS_AT_ONCE // density.log_weights[0].size)
    parts = [
        _score(density[start : start + windows], truth[start : start + windows], rng, is_sampled)
        for start in range(0, len(truth), windows)
    ]
    return _Scores(*map(np.concatenate, zip(*parts, strict=True)))


def _score(
    density: PredictiveDensity, truth: FloatArray, rng: np.random.Generator, is_sampled: bool
) -> _Scores:
    unknown = np.empty(truth.shape)  # costs most of the time, and is told by samples
    return _Scores(
        level=unknown[..., 0] if is_sampled else density.highest_density_level(truth, rng=rng),
        pit=unknown if is_sampled else density.cdf(truth),
        crps=unknown if is_sampled else density.crps(truth),
        nll=-density.log_prob(truth),
        variance=np.trace(density.covariance(), axis1=-2, axis2=-1) / truth.shape[-1],
        squared_error=np.square(truth - density.mean()).mean(axis=-1),
    )


def _histogram_per_step(pit: FloatArray) -> FloatArray:
    """Fractions in equal bins of [0, 1], [W, T', N, D] -> [T', bins]."""
    bins = np.minimum((pit * PIT_BINS).astype(int), PIT_BINS - 1)  # 1.0 belongs to the last one
    counts = [np.bincount(step.ravel(), minlength=PIT_BINS) for step in np.moveaxis(bins, 1, 0)]
    return np.stack(counts) / bins[:, 0].size


def _standard_error(means: FloatArray, windows: NDArray[np.intp]) -> list[float] | None:
    """Of the mean over all windows, from means [levels, simulations] and windows of each.

    With equally many windows it is the standard deviation over simulations / sqrt(simulations).
    """
    if (count := len(windows)) < 2:
        return None
    overall = (means * windows).sum(axis=1, keepdims=True) / windows.sum()
    deviations = (means - overall) * windows * (count / windows.sum())
    variances = np.square(deviations).sum(axis=1) / (count * (count - 1))
    return [float(error) for error in np.sqrt(variances)]
