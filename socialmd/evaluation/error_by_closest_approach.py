"""Errors of forecasts by how close particles come to each other."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from socialmd.evaluation.checks import finite_array, finite_positions
from socialmd.evaluation.lengths import lengths
from socialmd.evaluation.nearest_distances import closest_approach
from socialmd.types import FloatArray

__all__ = ["ErrorByClosestApproach", "error_by_closest_approach"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ErrorByClosestApproach:
    """Displacement errors of particles, grouped by their closest approach in the truth.

    Everything is in units of length, except for `count`. One particle in one window counts once.

    Args:
        edges: of the bins of distance, [bins + 1]; a bin contains its lower edge, the last one
            both.
        distances: median closest approach within each bin, [bins]: where to draw it.
        count: particles in each bin, [bins]. The two of a pair mostly lie in the same one, and
            windows overlap: independent ones are fewer.
        median_ade, mean_ade: of the displacement error averaged over the steps, [bins].
        median_fde, mean_fde: of the displacement error at the last step, [bins].
    """

    edges: list[float]
    distances: list[float]
    count: list[int]
    median_ade: list[float]
    mean_ade: list[float]
    median_fde: list[float]
    mean_fde: list[float]


def error_by_closest_approach(
    truth: ArrayLike, forecast: ArrayLike, bins: int | ArrayLike = 8
) -> ErrorByClosestApproach:
    """Group the errors by the smallest distance to any other particle within the window.

    Distances are those of the truth, so that all forecasts share the bins.

    Args:
        truth: positions, [W, T', N, D] with N >= 2, D being 2 or 3.
        forecast: likewise.
        bins: number of bins that hold equally many particles; or increasing edges, [bins + 1],
            beyond which particles are left out.

    Returns:
        Errors in each bin.

    Raises:
        ValueError: an array is of another shape or not finite, edges do not increase, or a bin is
            empty.

    Example:
        >>> groups = error_by_closest_approach(truth, forecast, bins=[0.0, 0.1, 1.0])
        >>> groups.count, groups.median_fde
        ([1738, 1209], [0.586, 0.441])
    """
    positions = finite_positions("truth", truth, (2, 3))
    errors = finite_array("forecast", forecast, positions.shape) - positions
    displacements = lengths(errors)  # [W, T', N]
    distances, _ = closest_approach(positions)  # [W, N]
    edges = _edges(bins, distances)
    group = np.searchsorted(edges, distances, side="right") - 1  # [W, N]
    group[distances == edges[-1]] -= 1
    members = [group == index for index in range(len(edges) - 1)]
    for index, inside in enumerate(members):
        if not inside.any():
            raise ValueError(
                "bins: expected particles in each bin, found none whose closest approach lies "
                f"from {edges[index]:.4g} to {edges[index + 1]:.4g}"
            )
    average, final = displacements.mean(axis=1), displacements[:, -1]  # [W, N]
    return ErrorByClosestApproach(
        edges=edges.tolist(),
        distances=[float(np.median(distances[inside])) for inside in members],
        count=[int(inside.sum()) for inside in members],
        median_ade=[float(np.median(average[inside])) for inside in members],
        mean_ade=[float(average[inside].mean()) for inside in members],
        median_fde=[float(np.median(final[inside])) for inside in members],
        mean_fde=[float(final[inside].mean()) for inside in members],
    )


def _edges(bins: int | ArrayLike, distances: FloatArray) -> FloatArray:
    if isinstance(bins, int):
        if bins < 1:
            raise ValueError(f"bins: expected at least 1, found {bins}")
        edges = np.quantile(distances, np.linspace(0, 1, bins + 1))
    else:
        edges = finite_array("bins", bins)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError(f"bins: expected edges that increase, found {edges.tolist()}")
    return np.asarray(edges)
