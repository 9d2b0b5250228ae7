"""Distances of molecules from the centre, over time (thesis section 3, figure 16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from socialmd.molecular.slices import checked_frames
from socialmd.types import FloatArray, IntArray

__all__ = ["RadialDistribution", "radial_distribution"]


class RadialDistribution(NamedTuple):
    """Distances from the origin by name of the molecules, names sorted.

    Args:
        mean: mean distance at each frame, [frames].
        spread: standard deviation over the molecules, [frames].
        bin_edges: of the histograms, in the unit of the positions, [bins + 1].
        counts: molecules between two edges, [frames, bins].
    """

    mean: dict[str, FloatArray]
    spread: dict[str, FloatArray]
    bin_edges: FloatArray
    counts: dict[str, IntArray]


def radial_distribution(
    positions: ArrayLike, names: Sequence[str], num_bins: int = 30
) -> RadialDistribution:
    """Measure the distances of molecules from the origin.

    Args:
        positions: relative to the centre of the nanoparticle, [frames, N, 3].
        names: of the N molecules.
        num_bins: bins of the histograms, of one width from zero to the largest distance of all
            molecules and frames.

    Returns:
        Means, spreads and histograms for each name.

    Raises:
        ValueError: the positions have another shape or numbers that are not finite, there is not
            one name for each molecule, or there is no bin.

    Example:
        >>> radial = radial_distribution(positions, ["OQL", "OQL", "ONC"])
        >>> radial.mean["OQL"].shape, radial.counts["OQL"].sum(axis=1)[0]
        ((300,), 2)
    """
    x = checked_frames(positions)
    if len(names) != x.shape[1]:
        raise ValueError(
            f"names: expected one for each of {x.shape[1]} molecules, found {len(names)}"
        )
    if num_bins < 1:
        raise ValueError(f"num_bins: expected at least one, found {num_bins}")
    distances = np.linalg.norm(x, axis=2)  # [frames, N]
    edges = np.linspace(0, distances.max() or 1.0, num_bins + 1)
    mean, spread, counts = {}, {}, {}
    for name in sorted(set(names)):
        of_name = distances[:, np.array(names) == name]  # [frames, molecules of this name]
        mean[name], spread[name] = of_name.mean(axis=1), of_name.std(axis=1)
        counts[name] = np.stack([np.histogram(frame, edges)[0] for frame in of_name])
    return RadialDistribution(mean, spread, edges, counts)
