"""Dependence of a forecast on its input, or sameness whatever it was given."""

from __future__ import annotations

import dataclasses
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socialmd.evaluation.checks import finite_array, finite_positions
from socialmd.types import FloatArray

__all__ = ["InputDependence"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputDependence:
    """How forecasts of different pasts differ; `dataclasses.asdict` makes JSON of it.

    The thesis (section 3.4) saw models "converge into a single configuration regardless of the
    input" or oscillate between two. With x_(w,t,i) the position of particle i in window w at step t
    and m_(t,i) the mean of the true positions over the windows,

        variance_ratio       variance over w of the forecast / that of the truth; 0 for a single
                             configuration, 1 if forecasts are as different as what they forecast
        distance_to_mean     root mean square of |x - m|; for a forecast of m itself it is 0
        step_ratio           root mean square of |x_(t+1) - x_t| / that of the truth; 0 if frozen
        two_step_ratio       root mean square of |x_(t+2) - x_t| / that of |x_(t+1) - x_t|; 0 for an
                             oscillation between two configurations, sqrt(2) for independent steps,
                             2 for straight lines

    Args:
        variance_ratio_per_step, step_ratio_per_step: [T'] and [T' - 1].
        distance_to_mean_per_step, true_distance_to_mean_per_step: of the forecast and of the truth,
            [T'], in units of length.
        two_step_ratio: over the last half of the forecast, where a model has settled; `None` if it
            does not move there or has fewer than three steps.
    """

    variance_ratio_per_step: list[float]
    distance_to_mean_per_step: list[float]
    true_distance_to_mean_per_step: list[float]
    step_ratio_per_step: list[float]
    two_step_ratio: float | None

    @classmethod
    def from_arrays(
        cls, truth: ArrayLike, forecast: ArrayLike, mask: NDArray[np.bool_] | None = None
    ) -> Self:
        """Compare forecasts of W windows with each other and with the truth.

        Args:
            truth, forecast: positions, [W, T', N, D].
            mask: bool [W, N], false for padded particles.

        Raises:
            ValueError: an array is of another shape or not finite, there is only one window, or the
                truth is the same in all windows or does not move.

        Example:
            >>> truth = np.random.default_rng(0).normal(size=(50, 4, 3, 2))
            >>> same = np.tile(truth[:1], (50, 1, 1, 1))  # regardless of the input
            >>> InputDependence.from_arrays(truth, same).variance_ratio_per_step
            [0.0, 0.0, 0.0, 0.0]
        """
        x = finite_positions("truth", truth)
        y = finite_array("forecast", forecast, x.shape)
        if len(x) < 2:
            raise ValueError(f"truth: expected at least two windows, found {len(x)}")
        shape = (len(x), x.shape[2])
        weights = np.ones(shape) if mask is None else np.asarray(mask, np.float64)
        if weights.shape != shape:
            raise ValueError(f"mask: expected {shape}, found {weights.shape}")
        mean, own_mean = _mean_configuration(x, weights), _mean_configuration(y, weights)
        spread = _rms(x - mean, weights)
        steps = _rms(np.diff(x, axis=1), weights)
        if not (spread.all() and steps.all()):
            raise ValueError("truth: expected windows that differ and particles that move")
        return cls(
            variance_ratio_per_step=np.square(_rms(y - own_mean, weights) / spread).tolist(),
            distance_to_mean_per_step=_rms(y - mean, weights).tolist(),
            true_distance_to_mean_per_step=spread.tolist(),
            step_ratio_per_step=(_rms(np.diff(y, axis=1), weights) / steps).tolist(),
            two_step_ratio=_two_step_ratio(y[:, y.shape[1] // 2 :], weights),
        )


def _mean_configuration(positions: FloatArray, weights: FloatArray) -> FloatArray:
    """Mean over the windows in which a particle is real, [T', N, D]."""
    count = np.maximum(weights.sum(axis=0), 1.0)[:, np.newaxis]  # [N, 1]
    return np.asarray(np.einsum("wtnd,wn->tnd", positions, weights) / count)


def _rms(vectors: FloatArray, weights: FloatArray) -> FloatArray:
    """Root mean square length over windows and particles, [W, T', N, D] -> [T']."""
    squares = np.einsum("wtnd,wn->t", np.square(vectors), weights)
    return np.asarray(np.sqrt(squares / weights.sum()))


def _two_step_ratio(positions: FloatArray, weights: FloatArray) -> float | None:
    if positions.shape[1] < 3:
        return None
    one = np.diff(positions, axis=1)
    two = positions[:, 2:] - positions[:, :-2]
    size, of_two = (float(np.sqrt(np.mean(_rms(each, weights) ** 2))) for each in (one, two))
    # What single precision leaves of a configuration at rest is no motion.
    if size < 1e-5 * float(np.abs(positions).max()):
        return None
    return of_two / size
