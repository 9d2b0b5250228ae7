"""Distances of particles to their nearest neighbours: where trajectories in chaotic motion part.

Frames are samples: between two of them particles may have been closer than in either.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socialmd.data import Windows
from socialmd.evaluation.checks import finite_array, finite_positions, lengths
from socialmd.periodic_box import PeriodicBox
from socialmd.types import FloatArray

__all__ = ["ClosePair", "ClosestApproach", "closest_approach", "closest_pairs", "nearest_distances"]

AROUND = 6  # steps before and after that fit into a picture


def nearest_distances(positions: ArrayLike, boxes: ArrayLike | None = None) -> FloatArray:
    """Distance of each particle to its nearest neighbour, [..., N], in units of length.

    Args:
        positions: [..., N, D] with N >= 2, D being 2 or 3.
        boxes: periodic ones, [..., D, D], in which nearest images count; none without.

    Raises:
        ValueError: positions are of another shape or not finite.

    Example:
        >>> nearest_distances([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0]])
        array([1., 1., 3.])
    """
    x = finite_array("positions", positions)
    if x.ndim < 2 or x.shape[-1] not in (2, 3) or x.shape[-2] < 2:
        raise ValueError(
            "positions: expected [..., particles, 2 or 3] with at least two particles, found shape "
            f"{x.shape}"
        )
    nearest = np.empty(x.shape[:-1])
    box = None if boxes is None else PeriodicBox.of(np.asarray(boxes, np.float64))
    for i in range(x.shape[-2]):  # all pairs at once would need N times the memory
        offsets = x - x[..., i : i + 1, :]
        distances = lengths(offsets if box is None else box.displacement(offsets))  # [..., N]
        distances[..., i] = np.inf
        nearest[..., i] = distances.min(axis=-1)
    return nearest


class ClosestApproach(NamedTuple):
    """Of each particle to any other one within its window, [W, N]: how close, and at which step."""

    distances: FloatArray
    steps: NDArray[np.intp]


def closest_approach(truth: ArrayLike, boxes: ArrayLike | None = None) -> ClosestApproach:
    """Smallest distance of each particle to any other one within its window, and when.

    Args:
        truth: positions, [W, T', N, D] with N >= 2, D being 2 or 3.
        boxes: periodic ones, [W, T', D, D]; none without.

    Returns:
        Distances [W, N], in units of length, and indices of the steps [W, N], from 0 to T' - 1; of
        several equal distances the first.

    Raises:
        ValueError: positions are of another shape or not finite.

    Example:
        >>> truth = [[[[0.0, 0.0], [3.0, 0.0]], [[0.0, 0.0], [2.0, 0.0]]]]
        >>> closest_approach(truth)
        ClosestApproach(distances=array([[2., 2.]]), steps=array([[1, 1]]))
    """
    nearest = nearest_distances(finite_positions("truth", truth), boxes)  # [W, T', N]
    return ClosestApproach(nearest.min(axis=1), nearest.argmin(axis=1))


class ClosePair(NamedTuple):
    """A pair of particles in one window, at one step.

    Args:
        window, step: where they are closest.
        pair: numbers of both particles.
        distance: in units of length.
        extent: x_min, x_max, y_min, y_max, ... of what to show around the first of them.
    """

    window: int
    step: int
    pair: tuple[int, int]
    distance: float
    extent: tuple[float, ...]


def closest_pairs(windows: Windows, count: int) -> list[ClosePair]:
    """The closest approaches in the middle of a window, each of another simulation.

    Args:
        windows: with what is true.
        count: at most so many.

    Returns:
        The pairs, the closest one first; none where systems have different numbers of particles.

    Example:
        >>> closest_pairs(read_windows("data/monopoles", "test", config.data), 1)[0].distance
        0.0021
    """
    if windows.truth.shape[2] < 2 or windows.mask is not None or windows.boxes is not None:
        return []  # padded particles would be close to everything in the centre; through walls,
        # pairs are close that no picture shows side by side
    distances, steps = closest_approach(windows.truth)  # [W, N]
    # In the middle of the window, so that there is a before and an after to be seen.
    last = windows.truth.shape[1] - 1
    margin = min(AROUND, last // 3)
    distances = np.where((steps >= margin) & (steps <= last - margin), distances, np.inf)
    chosen: dict[int, ClosePair] = {}  # by simulation
    for flat in np.argsort(distances, axis=None, kind="stable"):
        window, particle = map(int, np.unravel_index(flat, distances.shape))
        distance, simulation = float(distances[window, particle]), int(windows.simulations[window])
        if not np.isfinite(distance) or len(chosen) == count:
            break
        if simulation in chosen:
            continue
        step, paths = int(steps[window, particle]), windows.truth[window]  # [T', N, D]
        place = paths[step, particle]
        gaps = np.linalg.norm(paths[step] - place, axis=-1)
        gaps[particle] = np.inf
        around = paths[step - margin : step + margin + 1, particle]
        half = max(1.3 * float(np.abs(around - place).max()), 10 * distance)
        extent = tuple(float(x + side) for x in place for side in (-half, half))
        pair = (particle, int(gaps.argmin()))
        chosen[simulation] = ClosePair(window, step, pair, distance, extent)
    return list(chosen.values())
