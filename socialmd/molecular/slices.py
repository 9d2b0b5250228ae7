"""Slices through a nanoparticle: from three dimensions to two (thesis section 3.2, figure 18)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from socialmd.types import FloatArray, IntArray

__all__ = ["Slice", "checked_frames", "cut_slices", "slice_directions", "turn_into_plane"]

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


class Slice(NamedTuple):
    """The molecules near one plane through the origin, flattened onto it.

    They are chosen at the first frame and kept. As they move, they leave the plane, and a flattened
    distance becomes shorter than the real one: the last two arrays say how far they are by then.

    Args:
        positions: coordinates in the plane, [frames, n, 2].
        molecules: which of the N molecules they are, [n], ascending.
        normal: unit normal of the plane, [3].
        rms_distance: root mean square of the distances from the plane, [frames].
        largest_distance: the largest of them, [frames].
    """

    positions: FloatArray
    molecules: IntArray
    normal: FloatArray
    rms_distance: FloatArray
    largest_distance: FloatArray


def slice_directions(count: int) -> FloatArray:
    """Normals of planes through the origin, evenly spread and the same ones every time.

    A Fibonacci lattice on the upper half of the unit sphere: normal k of S lies at height
    z = 1 - (k + 1/2)/S, turned by k golden angles about z. Half the sphere is enough, because a
    direction and its opposite are normals of the same plane.

    Args:
        count: S, how many.

    Returns:
        Unit vectors [S, 3], the steepest first. Ten of them are at least 31 degrees apart.

    Raises:
        ValueError: `count` is less than one.

    Example:
        >>> slice_directions(1).round(3)
        array([[0.866, 0.   , 0.5  ]])

    Reference:
        A. Gonzalez, Measurement of areas on a sphere using Fibonacci and latitude-longitude
        lattices, Mathematical Geosciences 42 (2010), https://doi.org/10.1007/s11004-009-9257-x
    """
    if count < 1:
        raise ValueError(f"count: expected at least one direction, found {count}")
    index = np.arange(count)
    z = 1 - (index + 0.5) / count
    radius, angle = np.sqrt(1 - z * z), index * GOLDEN_ANGLE
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)


def turn_into_plane(positions: ArrayLike, normal: ArrayLike) -> FloatArray:
    """Rotate about the origin such that a plane becomes the x-y plane and its normal the z axis.

    Of the many such rotations, the one by the smallest angle is taken if n_z >= 0:

        x' = x - n_x (n_x x + n_y y)/(1 + n_z) - n_x z
        y' = y - n_y (n_x x + n_y y)/(1 + n_z) - n_y z
        z' = n_x x + n_y y + n_z z

    A normal that points down is treated like its opposite first; half a turn about the x axis then
    brings it up. So it shows the same plane from the other side, (x', -y', -z'). Positions are
    [..., 3], z' is their distance from the plane; the normal [3] has any length but zero.
    """
    x = _checked("positions", positions)
    if x.shape[-1:] != (3,):
        raise ValueError(f"positions: expected shape [..., 3], found {x.shape}")
    n = _checked("normal", normal)
    if n.shape != (3,) or not n.any():
        raise ValueError(f"normal: expected a vector [3] of some length, found {n}")
    n = n / np.linalg.norm(n)
    if n[2] < 0:  # 1 + n_z would lose its digits near the south pole
        return turn_into_plane(x, -n) * [1.0, -1.0, -1.0]
    horizontal = n[:2]
    block = np.eye(2) - np.outer(horizontal, horizontal) / (1 + n[2])
    rotation = np.vstack([np.column_stack([block, -horizontal]), n])  # [3, 3]
    return x @ rotation.T


def cut_slices(positions: ArrayLike, directions: ArrayLike, half_thickness: float) -> list[Slice]:
    """Cut slices through the origin, turn each into the x-y plane and flatten it.

    A molecule belongs to a slice when |x . normal| <= half_thickness at the first frame.

    Args:
        positions: of all molecules, relative to the centre of the nanoparticle, [frames, N, 3].
        directions: normals of the slices, of any length but zero, [S, 3].
        half_thickness: largest distance from the plane, in the unit of the positions.

    Returns:
        One slice for each direction (see `turn_into_plane`).

    Raises:
        ValueError: an array has another shape or numbers that are not finite, a direction is zero,
            the thickness is not positive, or a slice has fewer than two molecules.

    Example:
        >>> for part in cut_slices(positions, slice_directions(10), half_thickness=5.0):
        ...     print(part.positions.shape, part.rms_distance[[0, -1]])
    """
    x = checked_frames(positions)
    normals = _checked("directions", directions)
    if normals.ndim != 2 or normals.shape[1] != 3:
        raise ValueError(f"directions: expected shape [S, 3], found {normals.shape}")
    if not 0 < half_thickness < math.inf:
        raise ValueError(
            f"half_thickness: expected a positive, finite length, found {half_thickness}"
        )
    return [_cut(x, normal, half_thickness) for normal in normals]


def _cut(positions: FloatArray, normal: FloatArray, half_thickness: float) -> Slice:
    turned = turn_into_plane(positions, normal)
    (molecules,) = np.nonzero(np.abs(turned[0, :, 2]) <= half_thickness)
    unit_normal = normal / np.linalg.norm(normal)
    if len(molecules) < 2:
        raise ValueError(
            f"half_thickness: expected at least two molecules within {half_thickness} of the plane "
            f"with normal {unit_normal.round(3).tolist()} at the first frame, "
            f"found {len(molecules)} of {positions.shape[1]}"
        )
    chosen = turned[:, molecules]  # [frames, n, 3]
    distances = np.abs(chosen[..., 2])
    return Slice(
        positions=chosen[..., :2],
        molecules=molecules,
        normal=unit_normal,
        rms_distance=np.sqrt(np.mean(distances**2, axis=1)),
        largest_distance=distances.max(axis=1),
    )


def checked_frames(positions: ArrayLike) -> FloatArray:
    """Positions [frames, N, 3] as an array, refused if they are of another shape or not finite."""
    x = _checked("positions", positions)
    if x.ndim != 3 or x.shape[2] != 3 or x.size == 0:
        raise ValueError(f"positions: expected shape [frames, N, 3], found {x.shape}")
    return x


def _checked(name: str, values: ArrayLike) -> FloatArray:
    array = np.asarray(values, np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, found some that are not")
    return array
