"""Surfaces of molecules that a solvent reaches, by Biotite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from socialmd.molecular.md_package import MDPackage
from socialmd.types import FloatArray, IntArray

__all__ = ["WATER_RADIUS", "accessible_surface"]

structure: Any = MDPackage("biotite.structure", "accessible surfaces are measured")

WATER_RADIUS = 1.4  # angstrom
NUM_POINTS = 500  # on each sphere: right to half a per cent where two overlap by halves


def accessible_surface(
    positions: ArrayLike, radii: ArrayLike, probe_radius: float = WATER_RADIUS
) -> FloatArray:
    """Surface of each sphere that a rolling probe's centre reaches (SASA), by points on it [1].

    Args:
        positions: centres, [frames, N, 3]. Two in exactly one place do not cover each other.
        radii: of the N spheres.
        probe_radius: of the solvent's molecules.

    Returns:
        Areas in squared units of length, [frames, N]; of a sphere on its own 4 pi (r + probe)**2.

    Raises:
        ModuleNotFoundError: Biotite is not installed.
        ValueError: shapes do not fit, a radius and the probe's are not positive together, or a
            number is not finite.

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
    sizes = radii + probe_radius
    if not np.isfinite(x).all() or not np.isfinite(sizes).all() or not (sizes > 0).all():
        raise ValueError("positions, radii: expected finite numbers, and positive radii")
    areas = np.tile(4 * np.pi * sizes**2, (len(x), 1))
    for frame, found in zip(x, areas, strict=True):
        for cluster in _clusters(frame, 2 * float(sizes.max())):
            atoms = structure.AtomArray(len(cluster))
            atoms.coord = (frame[cluster] - frame[cluster[0]]).astype(np.float32)
            found[cluster] = structure.sasa(
                atoms,
                probe_radius=probe_radius,
                vdw_radii=radii[cluster],
                point_number=NUM_POINTS,
                ignore_ions=False,
            )
    return areas


def _clusters(frame: FloatArray, reach: float) -> Iterator[IntArray]:
    """Numbers of spheres that may touch, directly or through others; not of those on their own.

    What is asked of Biotite takes memory with the volume that spheres are spread over.
    """
    pairs = cKDTree(frame).query_pairs(reach, output_type="ndarray")
    shape = (len(frame), len(frame))
    graph = coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape)
    _, labels = connected_components(graph, directed=False)
    for label in np.unique(labels[pairs]):
        yield np.flatnonzero(labels == label)
