"""Surfaces of molecules that a solvent reaches, by Biotite."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from socialmd.molecular.md_package import MDPackage
from socialmd.types import FloatArray

__all__ = ["WATER_RADIUS", "accessible_surface"]

structure: Any = MDPackage("biotite.structure", "accessible surfaces are measured")

WATER_RADIUS = 1.4  # angstrom
NUM_POINTS = 500  # on each sphere; a tenth of a per cent for spheres that overlap by halves


def accessible_surface(
    positions: ArrayLike, radii: ArrayLike, probe_radius: float = WATER_RADIUS
) -> FloatArray:
    """Surface of each sphere that a rolling probe's centre reaches (SASA), by points on it [1].

    Args:
        positions: centres, [frames, N, 3].
        radii: of the N spheres.
        probe_radius: of the solvent's molecules.

    Returns:
        Areas in squared units of length, [frames, N]; of a sphere on its own 4 pi (r + probe)**2.

    Raises:
        ModuleNotFoundError: Biotite is not installed.
        ValueError: shapes do not fit, a radius is negative, or a number not finite.

    Example:
        >>> accessible_surface([[[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]], [2.0, 3.0])
        array([[145.26..., 243.28...]])

    Reference:
        [1] A. Shrake and J. A. Rupley, J. Mol. Biol. 79, 351 (1973).
    """
    x, radii = np.asarray(positions, float), np.asarray(radii, float)
    if x.ndim != 3 or x.shape[1:] != (len(radii), 3):
        raise ValueError(
            "positions, radii: expected [frames, N, 3] and [N], "
            f"found shapes {x.shape} and {radii.shape}"
        )
    if not np.isfinite(x).all() or not (radii >= 0).all() or not 0 <= probe_radius < np.inf:
        raise ValueError("positions, radii: expected finite numbers, and no negative radius")
    areas = np.empty(x.shape[:2])
    for frame, found in zip(x, areas, strict=True):
        atoms = structure.AtomArray(len(radii))
        atoms.coord = frame.astype(np.float32)
        found[:] = structure.sasa(
            atoms,
            probe_radius=probe_radius,
            vdw_radii=radii,
            point_number=NUM_POINTS,
            ignore_ions=False,
        )
    return areas
