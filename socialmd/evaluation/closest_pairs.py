"""Pairs of particles that come closest to each other, and what to show around them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from socialmd.data import Windows
from socialmd.evaluation.nearest_distances import closest_approach

__all__ = ["ClosePair", "closest_pairs"]

AROUND = 6  # steps before and after that fit into a picture


class ClosePair(NamedTuple):
    """A pair of particles in one window, at one step.

    Args:
        window, step: where they are closest.
        pair: numbers of both particles.
        distance: in units of length.
        extent: x_min, x_max, y_min, y_max of what to show around the first of them.
    """

    window: int
    step: int
    pair: tuple[int, int]
    distance: float
    extent: tuple[float, float, float, float]


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
    if windows.truth.shape[2] < 2 or windows.mask is not None:
        return []  # padded particles would be close to everything in the centre
    distances, steps = closest_approach(windows.truth)  # [W, N]
    # In the middle of the window, so that there is a before and an after to be seen.
    last = windows.truth.shape[1] - 1
    margin = min(AROUND, last // 3)
    distances = np.where((steps >= margin) & (steps <= last - margin), distances, np.inf)
    chosen: list[ClosePair] = []
    seen: set[int] = set()
    for flat in np.argsort(distances, axis=None, kind="stable"):
        window, particle = map(int, np.unravel_index(flat, distances.shape))
        simulation = int(windows.simulations[window])
        if not np.isfinite(distances[window, particle]) or len(chosen) == count:
            break
        if simulation in seen:
            continue
        seen.add(simulation)
        step, distance = int(steps[window, particle]), float(distances[window, particle])
        paths = windows.truth[window]  # [T', N, D]
        here = paths[step, particle]
        x, y = map(float, here[:2])
        gaps = np.linalg.norm(paths[step] - here, axis=-1)
        gaps[particle] = np.inf
        around = paths[step - margin : step + margin + 1, particle, :2]
        half = max(1.3 * float(np.abs(around - [x, y]).max()), 10 * distance)
        extent = (x - half, x + half, y - half, y + half)
        chosen.append(ClosePair(window, step, (particle, int(gaps.argmin())), distance, extent))
    return chosen
