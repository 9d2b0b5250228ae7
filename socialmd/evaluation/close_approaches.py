"""Close approaches and what they do to particles: errors by how close, what is before and after."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from socialmd.evaluation.checks import finite_array, finite_positions, lengths
from socialmd.evaluation.nearest_distances import ClosestApproach, closest_approach
from socialmd.types import FloatArray

__all__ = [
    "AroundCloseApproaches",
    "ErrorByClosestApproach",
    "around_close_approaches",
    "error_by_closest_approach",
]

# Particles that never come closer than so many thresholds to another one are the control.
CONTROL_DISTANCE = 3.0


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
    truth: ArrayLike,
    forecast: ArrayLike,
    bins: int | ArrayLike = 8,
    approach: ClosestApproach | None = None,
) -> ErrorByClosestApproach:
    """Group the errors by the smallest distance to any other particle within the window.

    Distances are those of the truth, so that all forecasts share the bins.

    Args:
        truth, forecast: positions, [W, T', N, D] with N >= 2, D being 2 or 3.
        bins: number of bins that hold equally many particles; or increasing edges, [bins + 1],
            beyond which particles are left out.
        approach: of the truth, if it is known, or in periodic boxes (see `closest_approach`).

    Raises:
        ValueError: an array is of another shape or not finite, edges do not increase, or a bin is
            empty.

    Example:
        >>> groups = error_by_closest_approach(truth, forecast, bins=[0.0, 0.1, 1.0])
        >>> groups.count, groups.median_fde
        ([1738, 1209], [0.586, 0.441])
    """
    positions = finite_positions("truth", truth)
    displacements = lengths(finite_array("forecast", forecast, positions.shape) - positions)
    distances, _ = approach or closest_approach(positions)  # [W, N]
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class AroundCloseApproaches:
    """A quantity of particles, aligned at the steps of their closest approaches.

    Errors and predicted uncertainties grow with the steps ahead in any case. How much of what is
    seen is due to the approach, the control tells: particles that stay away from all others, taken
    at the same steps ahead. They differ in more than that (they are often at the rim, slower and
    easier to forecast), so compare growth, not level.

    Args:
        offsets: steps from the closest approach, -k to k.
        lower, median, upper: quartiles over the approaches at each offset.
        control: at each offset, the median over the approaches of the controls' median at the step
            ahead that this approach and offset mean.
        count: approaches.
        control_count: particles that are controls.
        ratio: median over the approaches of the value at k over that at -k.
        control_ratio: the controls' median ratio over the same steps, median over the approaches.
    """

    offsets: list[int]
    lower: list[float]
    median: list[float]
    upper: list[float]
    control: list[float]
    count: int
    control_count: int
    ratio: float
    control_ratio: float


def around_close_approaches(
    values: ArrayLike,
    truth: ArrayLike,
    threshold: float,
    half_width: int,
    approach: ClosestApproach | None = None,
) -> AroundCloseApproaches:
    """Align a quantity of each particle at the step of its closest approach to any other one.

    A particle counts once, at the closest approach of its window, if that is below the threshold
    and has `half_width` steps on each side within the window. Two particles that come close to each
    other are two approaches, and a bound pair has come close before and will again.

    Args:
        values: positive numbers, predicted sigma or displacement error, say; [W, T', N].
        truth: positions, [W, T', N, D] with N >= 2, D being 2 or 3.
        threshold: in units of length. Controls never come below three times as much.
        half_width: k, steps before and after.
        approach: of the truth, if it is known, or in periodic boxes (see `closest_approach`).

    Raises:
        ValueError: an array is of another shape or not finite, values are not positive, there is
            no such approach or no control, or an argument is impossible.

    Example:
        >>> sigma = np.asarray(model.distribution(parameters).stddev()).mean(-1)
        >>> around = around_close_approaches(sigma, truth, threshold=0.1, half_width=5)
        >>> around.ratio, around.control_ratio
        (2.61, 3.29)
    """
    positions = finite_positions("truth", truth)
    series = finite_array("values", values, positions.shape[:3])
    if not (series > 0).all():
        raise ValueError(f"values: expected positive numbers, found {series.min()}")
    if not threshold > 0:
        raise ValueError(f"threshold: expected a positive length, found {threshold}")
    num_steps = positions.shape[1]
    if not 1 <= half_width <= (num_steps - 1) // 2:
        raise ValueError(
            f"half_width: expected 1 to {(num_steps - 1) // 2} for windows of {num_steps} steps, "
            f"found {half_width}"
        )
    distances, steps = approach or closest_approach(positions)  # [W, N]
    inside = (half_width <= steps) & (steps < num_steps - half_width)
    windows, particles = np.nonzero((distances < threshold) & inside)
    far = distances > CONTROL_DISTANCE * threshold
    if not len(windows) or not far.any():
        raise ValueError(
            f"threshold: found {len(windows)} approaches below {threshold} at least {half_width} "
            f"steps from the ends of their windows, and {far.sum()} particles that never come "
            f"below {CONTROL_DISTANCE * threshold:.4g}; expected some of both"
        )
    offsets = np.arange(-half_width, half_width + 1)
    around = steps[windows, particles][:, None] + offsets  # [approaches, offsets]
    aligned = series[windows[:, None], around, particles[:, None]]
    lower, median, upper = np.quantile(aligned, [0.25, 0.5, 0.75], axis=0).tolist()
    controls = np.moveaxis(series, 1, -1)[far]  # [controls, T']
    width = 2 * half_width
    growth = np.median(controls[:, width:] / controls[:, :-width], axis=0)  # by its first step
    return AroundCloseApproaches(
        offsets=offsets.tolist(),
        lower=lower,
        median=median,
        upper=upper,
        control=np.median(np.median(controls, axis=0)[around], axis=0).tolist(),
        count=len(windows),
        control_count=len(controls),
        ratio=float(np.median(aligned[:, -1] / aligned[:, 0])),
        control_ratio=float(np.median(growth[around[:, 0]])),
    )


def _edges(bins: int | ArrayLike, distances: FloatArray) -> FloatArray:
    if isinstance(bins, int):
        if bins < 1:
            raise ValueError(f"bins: expected at least 1, found {bins}")
        bins = np.quantile(distances, np.linspace(0, 1, bins + 1))
    edges = finite_array("bins", bins)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError(f"bins: expected edges that increase, found {edges.tolist()}")
    return edges
