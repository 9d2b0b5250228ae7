"""Structure factors of particles in periodic boxes, S(k), by freud."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from socialmd.molecular.md_package import MDPackage
from socialmd.molecular.upright import upright
from socialmd.types import FloatArray

__all__ = ["StructureFactor", "structure_factor"]

freud: Any = MDPackage("freud", "structure factors are measured")


class StructureFactor(NamedTuple):
    """How strongly density waves of each length are there; one without order.

        S(k) = <|sum_i exp(i k . x_i)|**2> / N

    with <> the mean over frames and wave vectors about as long as k.

    Args:
        wave_numbers: k, middles of the bins, in radians per unit of length, [bins].
        values: S(k), [bins]; nan where no wave fits into the box.
    """

    wave_numbers: FloatArray
    values: FloatArray


def structure_factor(
    positions: ArrayLike, boxes: ArrayLike, lowest: float, highest: float, num_bins: int = 30
) -> StructureFactor:
    """Measure S(k) of frames, each in its box, for waves in it of one octant of directions.

    Of a triclinic box, some of those with the highest wave numbers are left out.

    Args:
        positions: [frames, N, 3]; in any image.
        boxes: box vectors as rows, [frames, 3, 3], any orientation.
        lowest, highest: wave numbers between which bins of one width lie.
        num_bins: of them.

    Raises:
        ModuleNotFoundError: freud or MDAnalysis is not installed.
        ValueError: shapes do not fit, or wave numbers are not positive and ascending.

    Example:
        >>> gas = np.random.default_rng(0).uniform(0, 10, (50, 100, 3))
        >>> structure_factor(gas, [10 * np.eye(3)] * 50, 0.5, 6.0, 1).values
        array([1.0...])
    """
    x, vectors = np.asarray(positions, float), np.asarray(boxes, float)
    if x.ndim != 3 or x.shape[-1] != 3 or vectors.shape != (len(x), 3, 3) or not x.size:
        raise ValueError(
            "positions, boxes: expected [frames, N, 3] and [frames, 3, 3], "
            f"found shapes {x.shape} and {vectors.shape}"
        )
    if not 0 < lowest < highest < np.inf:
        raise ValueError(f"lowest, highest: expected 0 < k < k', found {lowest} and {highest}")
    found = freud.diffraction.StaticStructureFactorDirect(num_bins, k_max=highest, k_min=lowest)
    for frame, box in zip(x, vectors, strict=True):
        places, sides = upright(frame, box)
        system = freud.box.Box.from_matrix(sides.T)
        found.compute((system, system.wrap(places)), reset=False)
    return StructureFactor(np.array(found.bin_centers), np.array(found.S_k, np.float64))
