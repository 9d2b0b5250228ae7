"""Periodic boundary conditions: the one place where a box enters."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from socialmd.types import Positions, Tensor

__all__ = ["PeriodicBox", "check_box", "smallest_width", "unwrap"]


class PeriodicBox(NamedTuple):
    """Boxes that fill space with copies of what is in them; arrays, or tensors of Keras' backend.

    With box vectors as the rows of L, a particle at x has images at x + n L for all integers n. Two
    particles see each other's nearest images. That is found by rounding the fractional coordinates,
    s = r L^-1, which is exact for orthorhombic boxes, and for triclinic ones up to half of the
    smallest distance between opposite faces (`smallest_width`), beyond which nobody should see
    (minimum image convention [1]).

    Args:
        vectors: L, [..., D, D], in units of length. Leading axes are those that positions have
            first: [B, D, D] goes with [B, N, D] and [B, N, N, D].
        inverse: L^-1.

    Example:
        >>> box = PeriodicBox.of(np.diag([10.0, 10.0, 20.0]))
        >>> box.displacement(np.array([9.0, -4.0, 11.0]))
        array([-1., -4., -9.])

    Reference:
        [1] M. P. Allen and D. J. Tildesley, Computer Simulation of Liquids, section 1.6.
    """

    vectors: Tensor
    inverse: Tensor

    @classmethod
    def of(cls, vectors: Any) -> PeriodicBox:
        """The box of some vectors."""
        return cls(vectors, _namespace(vectors).linalg.inv(vectors))

    @classmethod
    def for_layers(cls, vectors: Any) -> PeriodicBox | None:
        """The box as layers compute with it, in float32, or nothing."""
        if vectors is None or isinstance(vectors, PeriodicBox):
            return vectors
        from keras import ops

        return cls.of(ops.cast(vectors, "float32"))

    @property
    def widths(self) -> Tensor:
        """Distances between opposite faces, [..., D], in units of length."""
        return 1 / _namespace(self.inverse).linalg.norm(self.inverse, axis=-2)

    def displacement(self, offsets: Positions) -> Positions:
        """Offsets [..., D] to the nearest image of where they lead."""
        return offsets - _product(_namespace(offsets).round(self.fractions(offsets)), self.vectors)

    def fractions(self, positions: Positions) -> Positions:
        """Positions [..., D] in units of the box vectors."""
        return _product(positions, self.inverse)

    def places(self, fractions: Positions) -> Positions:
        """Positions [..., D] of such fractions."""
        return _product(fractions, self.vectors)

    def wrap(self, positions: Positions) -> Positions:
        """The images of positions [..., D] that lie in the box, its corner being the origin."""
        fractions = self.fractions(positions)
        return self.places(fractions - _namespace(fractions).floor(fractions))


def unwrap(positions: Positions, vectors: Tensor) -> Positions:
    """Trajectories [B, T, N, D] without jumps at walls, which end where the last frame is.

    Every particle stays an image of itself in the boxes [B, T, D, D] of the frames, so that its
    neighbours are its neighbours; which one, the smallest step in units of the box decides. Where
    nobody jumps, nothing changes. In boxes that change, a step so many boxes away from the last
    frame's image is off by as many changes of the box (as all such "lattice" schemes have it [1]).

    Reference:
        [1] S. von Buelow, J. T. Bullerjahn and G. Hummer, J. Chem. Phys. 153, 021101 (2020).
    """
    xp, boxes = _namespace(positions), PeriodicBox.of(vectors)
    fractions = boxes.fractions(positions)
    jumps = xp.round(fractions[:, 1:] - fractions[:, :-1])
    to_the_end = xp.flip(xp.cumsum(xp.flip(jumps, 1), axis=1), 1)
    images = xp.concatenate([to_the_end, xp.zeros_like(positions[:, -1:])], axis=1)
    return positions + boxes.places(images)


def smallest_width(vectors: Any) -> float:
    """The smallest distance between opposite faces of boxes [..., D, D], in units of length."""
    return float(PeriodicBox.of(np.asarray(vectors, np.float64)).widths.min())


def check_box(place: object, vectors: Any, spatial_dims: int) -> None:
    """Refuse box vectors [..., D, D] that make no box; `place` is for messages."""
    array = np.asarray(vectors)
    if array.shape[-2:] != (spatial_dims, spatial_dims):
        raise ValueError(
            f"{place}: expected box vectors [..., {spatial_dims}, {spatial_dims}], "
            f"found shape {array.shape}"
        )
    if not np.isfinite(array).all() or not (np.abs(np.linalg.det(array)) > 0).all():
        raise ValueError(f"{place}: expected finite box vectors that span a volume, found others")


def _product(rows: Tensor, matrix: Tensor) -> Tensor:
    """rows @ matrix, of [..., D] and [..., D, D].

    As a sum: accelerators round the factors of products of matrices, whole boxes away.
    """
    while len(matrix.shape) < len(rows.shape) + 1:
        matrix = matrix[..., None, :, :]
    return sum(rows[..., axis, None] * matrix[..., axis, :] for axis in range(matrix.shape[-1]))


def _namespace(array: Any) -> Any:
    """What computes with an array: NumPy, or `keras.ops` with tensors."""
    if isinstance(array, np.ndarray | np.generic):
        return np
    from keras import ops

    return ops
