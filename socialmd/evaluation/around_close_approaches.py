"""A quantity of particles before and after they come close to each other."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from socialmd.evaluation.checks import finite_array, finite_positions
from socialmd.evaluation.nearest_distances import closest_approach

__all__ = ["AroundCloseApproaches", "around_close_approaches"]

# Particles that never come closer than so many thresholds to another one are the control.
CONTROL_DISTANCE = 3.0


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
    values: ArrayLike, truth: ArrayLike, threshold: float, half_width: int
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

    Returns:
        The quantity before and after, and of the controls.

    Raises:
        ValueError: an array is of another shape or not finite, values are not positive, there is
            no such approach or no control, or an argument is impossible.

    Example:
        >>> sigma = np.asarray(model.distribution(parameters).stddev()).mean(-1)
        >>> around = around_close_approaches(sigma, truth, threshold=0.1, half_width=5)
        >>> around.ratio, around.control_ratio
        (2.61, 3.29)
    """
    positions = finite_positions("truth", truth, (2, 3))
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
    distances, steps = closest_approach(positions)  # [W, N]
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
    lower, median, upper = np.quantile(aligned, [0.25, 0.5, 0.75], axis=0)
    controls = np.moveaxis(series, 1, -1)[far]  # [controls, T']
    width = 2 * half_width
    growth = np.median(controls[:, width:] / controls[:, :-width], axis=0)  # by its first step
    return AroundCloseApproaches(
        offsets=offsets.tolist(),
        lower=lower.tolist(),
        median=median.tolist(),
        upper=upper.tolist(),
        control=np.median(np.median(controls, axis=0)[around], axis=0).tolist(),
        count=len(windows),
        control_count=len(controls),
        ratio=float(np.median(aligned[:, -1] / aligned[:, 0])),
        control_ratio=float(np.median(growth[around[:, 0]])),
    )
