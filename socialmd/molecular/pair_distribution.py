"""Pair distribution functions of particles in periodic boxes, g(r), by MDAnalysis."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from socialmd.molecular.mdanalysis import MDAnalysis
from socialmd.periodic_box import PeriodicBox, smallest_width
from socialmd.types import Array, FloatArray

__all__ = ["PairDistribution", "pair_distribution"]

HEIGHT = 10.0  # of the box that planes are put into, in units of their reach


class PairDistribution(NamedTuple):
    """How many neighbours there are at each distance, by how many there would be without order.

    Args:
        distances: middles of the bins, [bins].
        pairs: g(r) of each two kinds, [bins].
        neighbours: mean number of neighbours of any kind within each bin's outer edge, [bins].
        in_contact: fraction of particles that have any there, [bins].
    """

    distances: FloatArray
    pairs: dict[tuple[str, str], FloatArray]
    neighbours: FloatArray
    in_contact: FloatArray


def pair_distribution(
    positions: ArrayLike,
    boxes: ArrayLike,
    kinds: Sequence[str],
    reach: float | None = None,
    num_bins: int = 60,
) -> PairDistribution:
    """Measure g(r) of frames, each in its box.

    Args:
        positions: [frames, N, D], D = 2 or 3; in any image.
        boxes: box vectors as rows, [frames, D, D], any orientation.
        kinds: names of the N particles' kinds.
        reach: largest distance; half of the smallest distance between opposite faces if none is
            given, beyond which nearest images are not all there is.
        num_bins: of one width from zero to the reach.

    Raises:
        ModuleNotFoundError: MDAnalysis is not installed.
        ValueError: shapes do not fit, or there are fewer than two particles.

    Example:
        >>> gas = np.random.default_rng(0).uniform(0, 10, (5, 1000, 3))
        >>> pair_distribution(gas, [10 * np.eye(3)] * 5, ["X"] * 1000).pairs["X", "X"][-1]
        1.00...
    """
    x, vectors, names = np.asarray(positions, float), np.asarray(boxes, float), np.asarray(kinds)
    if x.ndim != 3 or x.shape[-1] not in (2, 3) or x.shape[1] < 2 or len(names) != x.shape[1]:
        raise ValueError(
            "positions: expected [frames, two particles or more, 2 or 3] and a kind for each, "
            f"found shape {x.shape} and {len(names)} kinds"
        )
    dims = x.shape[-1]
    widest = smallest_width(vectors) / 2 * (1 - 1e-6)  # MDAnalysis rounds to float32
    reach = widest if reach is None else min(reach, widest)
    edges = np.linspace(0.0, reach, num_bins + 1)
    present = sorted(set(names.tolist()))
    counts = {pair: np.zeros(num_bins) for pair in combinations_with_replacement(present, 2)}
    ideal = dict.fromkeys(counts, 0.0)  # pairs per unit of volume, of all frames
    numbers = {kind: int((names == kind).sum()) for kind in present}
    nearest = np.full(x.shape[:2], np.inf)
    for number, (frame, box) in enumerate(zip(x, vectors, strict=True)):
        first, second, distances = _pairs(frame, box, reach)
        for particle in (first, second):
            np.minimum.at(nearest[number], particle, distances)
        volume = abs(np.linalg.det(box))
        for one, other in counts:
            between = (names[first] == one) & (names[second] == other)
            between |= (names[first] == other) & (names[second] == one)
            counts[one, other] += np.histogram(distances[between], edges)[0]
            same = numbers[one] * (numbers[one] - 1) / 2
            ideal[one, other] += (same if one == other else numbers[one] * numbers[other]) / volume
    shells = np.diff(np.pi * edges**2 if dims == 2 else 4 / 3 * np.pi * edges**3)
    total = np.sum(list(counts.values()), axis=0)
    return PairDistribution(
        distances=(edges[1:] + edges[:-1]) / 2,
        pairs={p: count / (shells * ideal[p]) for p, count in counts.items() if ideal[p]},
        neighbours=2 * np.cumsum(total) / nearest.size,
        in_contact=np.cumsum(np.histogram(nearest, edges)[0]) / nearest.size,
    )


def _pairs(frame: FloatArray, box: FloatArray, reach: float) -> tuple[Array, Array, FloatArray]:
    """Both particles of every pair within reach, and their distance."""
    dims = frame.shape[-1]
    if dims == 2:  # a plane in a box so high that it does not see its images
        box = np.pad(box, [(0, 1), (0, 1)])
        box[2, 2] = HEIGHT * reach
        frame = np.pad(frame, [(0, 0), (0, 1)])
    # In the orientation that MDAnalysis knows boxes in.
    dimensions = MDAnalysis.lib.mdamath.triclinic_box(*box)
    upright = MDAnalysis.lib.mdamath.triclinic_vectors(dimensions, dtype=np.float64)
    fractions = PeriodicBox.of(box).fractions(frame)
    places = (fractions - np.floor(fractions)) @ upright
    pairs, distances = MDAnalysis.lib.distances.self_capped_distance(
        places.astype(np.float32), reach, box=dimensions
    )
    return pairs[:, 0], pairs[:, 1], distances
