"""The multipole expansion: what point charges look like from afar (thesis section 2.6)."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from socialmd.types import FloatArray

__all__ = ["Multipoles", "coulomb_field", "coulomb_potential"]


class Multipoles(NamedTuple):
    """Moments of point charges about an origin (thesis, equations 35 to 43 [1]).

    Of charges q_a at x_a, seen from r, both from the origin, r > |x_a|:

        V(r) = k sum_a q_a / |r - x_a| = k (q / r + p . r / r**3 + r . Q r / (2 r**5) + ...)

        q = sum_a q_a,  p = sum_a q_a x_a,  Q = sum_a q_a (3 x_a x_a - |x_a|**2 I)

    With all terms up to order n, the error falls as (|x_a| / r)**(n + 2). The potential is 1 / r in
    the plane as well (charges in space that happen to lie in a plane, as everywhere in this
    package), not log r: Q is the part of the tensor in space that lies in the plane then, and its
    trace need not vanish.

    Args:
        monopole: q, [...].
        dipole: p, [..., D], D = 2 or 3.
        quadrupole: Q, [..., D, D], symmetric.

    Example:
        >>> pair = Multipoles.of([[0.5, 0.0, 0.0], [-0.5, 0.0, 0.0]], [1.0, -1.0])
        >>> pair.potential([2.0, 0.0, 0.0])  # of monopole, dipole, quadrupole; the sum is 0.2667
        array([0.  , 0.25, 0.  ])

    Reference:
        [1] J. D. Jackson, Classical Electrodynamics, section 4.1.
    """

    monopole: FloatArray
    dipole: FloatArray
    quadrupole: FloatArray

    @classmethod
    def of(cls, positions: ArrayLike, charges: ArrayLike, origin: ArrayLike | None = None) -> Self:
        """Moments of charges [..., M] at positions [..., M, D].

        Args:
            positions, charges: of M point charges.
            origin: [..., D]; zero if not given. Only the first moment that does not vanish is the
                same about all origins.

        Raises:
            ValueError: shapes do not fit, or a number is not finite.
        """
        x, q = _checked(positions, charges)
        if origin is not None:
            x = x - np.asarray(origin, np.float64)[..., None, :]
        weighted = q[..., None] * x  # [..., M, D]
        squares = (weighted * x).sum(axis=(-2, -1))
        outer = np.einsum("...ai,...aj->...ij", weighted, x)
        quadrupole = 3 * outer - squares[..., None, None] * np.eye(x.shape[-1])
        return cls(q.sum(axis=-1), weighted.sum(axis=-2), quadrupole)

    def potential(self, places: ArrayLike, coulomb_constant: float = 1.0) -> FloatArray:
        """Of each term at places [..., D] from the origin: [..., 3], in ascending order."""
        _, distance, along, stretch = self._at(places)
        terms = [self.monopole / distance, along / distance**3, stretch / (2 * distance**5)]
        return coulomb_constant * np.stack(np.broadcast_arrays(*terms), axis=-1)

    def field(self, places: ArrayLike, coulomb_constant: float = 1.0) -> FloatArray:
        """Minus the gradient of each of these terms, [..., 3, D]: the force on a unit charge."""
        r, *numbers = self._at(places)
        distance, along, stretch = (each[..., None] for each in numbers)
        pulled = np.einsum("...ij,...j->...i", self.quadrupole, r)
        terms = [
            self.monopole[..., None] * r / distance**3,
            3 * along * r / distance**5 - self.dipole / distance**3,
            5 / 2 * stretch * r / distance**7 - pulled / distance**5,
        ]
        return coulomb_constant * np.stack(np.broadcast_arrays(*terms), axis=-2)

    def _at(self, places: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """r, |r|, p . r and r . Q r."""
        r = np.asarray(places, np.float64)
        distance = np.linalg.norm(r, axis=-1)
        along = (self.dipole * r).sum(axis=-1)
        return r, distance, along, np.einsum("...i,...ij,...j->...", r, self.quadrupole, r)


def coulomb_potential(
    positions: ArrayLike, charges: ArrayLike, places: ArrayLike, coulomb_constant: float = 1.0
) -> FloatArray:
    """The exact sum, k sum_a q_a / |r - x_a|, of M charges at places [..., D]: [...].

    Raises:
        ValueError: shapes do not fit, or a number is not finite.
    """
    x, q = _checked(positions, charges)
    offsets = np.asarray(places, np.float64)[..., None, :] - x
    return np.asarray(coulomb_constant * (q / np.linalg.norm(offsets, axis=-1)).sum(axis=-1))


def coulomb_field(
    positions: ArrayLike, charges: ArrayLike, places: ArrayLike, coulomb_constant: float = 1.0
) -> FloatArray:
    """Minus its gradient, [..., D]."""
    x, q = _checked(positions, charges)
    offsets = np.asarray(places, np.float64)[..., None, :] - x
    weights = q / np.linalg.norm(offsets, axis=-1) ** 3
    return np.asarray(coulomb_constant * (weights[..., None] * offsets).sum(axis=-2))


def _checked(positions: ArrayLike, charges: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, q = np.asarray(positions, np.float64), np.asarray(charges, np.float64)
    if x.ndim < 2 or x.shape[-1] not in (2, 3) or q.shape != x.shape[:-1] or not x.size:
        raise ValueError(
            "positions, charges: expected shapes [..., charges, 2 or 3] and [..., charges], "
            f"found {x.shape} and {q.shape}"
        )
    if not np.isfinite(x).all() or not np.isfinite(q).all():
        raise ValueError("positions, charges: expected finite numbers only")
    return x, q
