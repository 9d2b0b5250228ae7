"""Numbers that say how far forecasts of orientations are from the truth, and whether they know."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

import numpy as np
from keras import ops
from numpy.typing import ArrayLike
from scipy.special import stdtr

from socialmd.distributions import DirectionDensity
from socialmd.evaluation.calibration import LEVELS
from socialmd.evaluation.checks import finite_array, finite_positions
from socialmd.types import FloatArray

__all__ = ["OrientationMetrics", "angles_between", "cone_levels"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class OrientationMetrics:
    """Errors of forecast orientations on one set of windows; `dataclasses.asdict` makes JSON of it.

    Means and medians are taken over all windows and particles, and over steps unless "per step".

    Args:
        mean_angle, median_angle: between forecast and true orientation, in degrees. Of orientations
            that have nothing to do with each other, the mean is 90.
        mean_angle_per_step, median_angle_per_step: [T'].
        mean_angle_per_simulation: in the order of their numbers.
        nll, nll_per_step: mean of -log p(u_true), in nats per particle and step, p per radian in
            the plane and per steradian in space; `None` for a forecast that is no density, like all
            of the following. Knowing nothing is log(2 pi) or log(4 pi).
        levels: nominal probabilities of cones about the mean orientation.
        coverage, overall_coverage: fraction of true orientations within these, [levels][T'] and
            [levels].
    """

    mean_angle: float
    median_angle: float
    mean_angle_per_step: list[float]
    median_angle_per_step: list[float]
    mean_angle_per_simulation: list[float]
    nll: float | None
    nll_per_step: list[float] | None
    levels: list[float]
    coverage: list[list[float]] | None
    overall_coverage: list[float] | None

    @classmethod
    def from_arrays(
        cls,
        truth: ArrayLike,
        forecast: ArrayLike,
        density: DirectionDensity | None = None,
        simulations: ArrayLike | None = None,
    ) -> Self:
        """Measure forecasts of W windows.

        Args:
            truth, forecast: unit vectors, [W, T', N, D], D being 2 or 3.
            density: that was predicted, of batch shape [W, T', N], if any was.
            simulations: integers [W], which simulation a window is taken from; every window is one
                of its own if not given.

        Raises:
            ValueError: an array is of another shape, or holds numbers that are not finite.

        Example:
            >>> east, north = np.array([[1.0, 0.0], [0.0, 1.0]])
            >>> truth, forecast = (each.reshape(1, 1, 1, 2) for each in (east, north))
            >>> OrientationMetrics.from_arrays(truth, forecast).mean_angle
            90.0
        """
        true = finite_positions("truth", truth)
        angles = angles_between(true, finite_array("forecast", forecast, true.shape))
        groups = np.arange(len(true)) if simulations is None else np.asarray(simulations)
        of_density: dict[str, Any] = dict.fromkeys(
            ("nll", "nll_per_step", "coverage", "overall_coverage")
        )
        if density is not None:
            nll = -finite_array(
                "density", ops.convert_to_numpy(density.log_prob(true)), true.shape[:3]
            )
            within = cone_levels(density, true) <= np.reshape(LEVELS, (-1, 1, 1, 1))
            of_density = {
                "nll": float(nll.mean()),
                "nll_per_step": nll.mean(axis=(0, 2)).tolist(),
                "coverage": within.mean(axis=(1, 3)).tolist(),
                "overall_coverage": within.mean(axis=(1, 2, 3)).tolist(),
            }
        return cls(
            mean_angle=float(angles.mean()),
            median_angle=float(np.median(angles)),
            mean_angle_per_step=angles.mean(axis=(0, 2)).tolist(),
            median_angle_per_step=np.median(angles, axis=(0, 2)).tolist(),
            mean_angle_per_simulation=[
                float(angles[groups == group].mean()) for group in np.unique(groups)
            ],
            levels=list(LEVELS),
            **of_density,
        )


def angles_between(first: ArrayLike, second: ArrayLike) -> FloatArray:
    """Angles of unit vectors, [..., D] -> [...], in degrees; exact for small ones too."""
    u, v = np.asarray(first, np.float64), np.asarray(second, np.float64)
    apart, together = (np.linalg.norm(each, axis=-1) for each in (u - v, u + v))
    return np.asarray(np.degrees(2 * np.arctan2(apart, together)))


def cone_levels(density: DirectionDensity, truth: ArrayLike) -> FloatArray:
    """Probability of the cone about the mean orientation that just reaches to the truth, [...].

    If the density is right, uniformly distributed from 0 to 1.

    Args:
        density: of batch shape [...].
        truth: unit vectors, [..., D].
    """
    distance, sigma, freedom = (
        np.asarray(ops.convert_to_numpy(each), np.float64)
        for each in (density.tangent_distance(truth), density.sigma, density.freedom)
    )
    squares, freedom = np.square(distance / sigma[..., 0]), freedom[..., 0]
    if np.shape(truth)[-1] == 2:  # within so far on a line, or in a plane
        return np.asarray(2 * stdtr(freedom, np.sqrt(squares)) - 1)
    return np.asarray(-np.expm1(-freedom / 2 * np.log1p(squares / freedom)))
