"""Forces, energies and momenta of a many-body system, and of the one that a data set names.

Every function takes any number of leading axes ("..."), so that one system [N, 2], its frames
[frames, N, 2] or many of them [simulations, frames, N, 2] are treated alike. The integrator has
its own, faster form of `accelerations`; the tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from socialmd.config import ManyBodySystem
from socialmd.data.dataset_description import DatasetDescription
from socialmd.data.feature_layout import AXES, FeatureLayout
from socialmd.types import FloatArray

__all__ = [
    "PairLaw",
    "accelerations",
    "angular_momentum",
    "kinetic_energy",
    "law_of",
    "layout_of_law",
    "momentum",
    "pair_couplings",
    "pair_law",
    "potential_energy",
    "total_energy",
]


PairLaw = Callable[[ArrayLike, ArrayLike, ArrayLike], FloatArray]


def layout_of_law(spatial_dims: int = 2) -> FeatureLayout:
    """Of the trajectories that simulations give: places, mass and charge."""
    return FeatureLayout.of_scalars((*AXES[:spatial_dims], "mass", "charge"), spatial_dims)


def pair_couplings(system: ManyBodySystem, masses: ArrayLike, charges: ArrayLike) -> FloatArray:
    """Strength of each pair's force, k q_i q_j - G m_i m_j; positive values repel.

    Args:
        system: the constants k and G.
        masses, charges: [..., N].

    Returns:
        [..., N, N], symmetric, zero on the diagonal.

    Example:
        >>> pair_couplings(ManyBodySystem(), masses=[1.0, 1.0], charges=[0.5, -0.5])
        array([[   0., -250.],
               [-250.,    0.]])
    """
    m, q = np.asarray(masses, np.float64), np.asarray(charges, np.float64)
    electric = system.coulomb_constant * (q[..., :, None] * q[..., None, :])  # [..., N, N]
    gravity = system.gravitational_constant * (m[..., :, None] * m[..., None, :])
    return (electric - gravity) * (1 - np.eye(m.shape[-1]))


def accelerations(
    system: ManyBodySystem, positions: ArrayLike, masses: ArrayLike, charges: ArrayLike
) -> FloatArray:
    """Acceleration of each particle, with r_ij = x_i - x_j (thesis section 4.1, softened).

        a_i = 1/m_i sum_j (k q_i q_j - G m_i m_j) r_ij / (|r_ij|**2 + softening**2)**(3/2)

    Args:
        system: the constants k, G and the softening.
        positions: [..., N, D].
        masses, charges: [..., N].

    Returns:
        [..., N, D].

    Example:
        >>> pair = [[0.0, 0.0], [2.0, 0.0]]
        >>> accelerations(ManyBodySystem(), pair, masses=[1.0, 1.0], charges=[0.0, 0.0]).round(2)
        array([[ 31.25,   0.  ],
               [-31.25,   0.  ]])
    """
    displacements, distances = _separations(system, positions)
    weights = pair_couplings(system, masses, charges) / distances**3  # [..., N, N]
    forces = (weights[..., None] * displacements).sum(axis=-2)  # [..., N, D]
    return forces / np.asarray(masses, np.float64)[..., None]


def kinetic_energy(velocities: ArrayLike, masses: ArrayLike) -> FloatArray:
    """Sum of m_i |v_i|**2 / 2 over the particles: [..., N, D] and [..., N] -> [...]."""
    speeds_squared = np.square(np.asarray(velocities, np.float64)).sum(axis=-1)  # [..., N]
    return np.asarray(0.5 * (np.asarray(masses, np.float64) * speeds_squared).sum(axis=-1))


def potential_energy(
    system: ManyBodySystem, positions: ArrayLike, masses: ArrayLike, charges: ArrayLike
) -> FloatArray:
    """Energy of the softened forces: minus its gradient by x_i is m_i a_i.

        U = sum_(i<j) (k q_i q_j - G m_i m_j) / sqrt(|r_ij|**2 + softening**2)

    Arguments as for `accelerations`; [...], one number per frame.
    """
    _, distances = _separations(system, positions)
    pairs = pair_couplings(system, masses, charges) / distances  # [..., N, N], each pair twice
    return np.asarray(0.5 * pairs.sum(axis=(-2, -1)))


def total_energy(
    system: ManyBodySystem,
    positions: ArrayLike,
    velocities: ArrayLike,
    masses: ArrayLike,
    charges: ArrayLike,
) -> FloatArray:
    """Kinetic plus potential energy, which the exact motion conserves: [...]."""
    potential = potential_energy(system, positions, masses, charges)
    return np.asarray(kinetic_energy(velocities, masses) + potential)


def momentum(velocities: ArrayLike, masses: ArrayLike) -> FloatArray:
    """Sum of m_i v_i over the particles: [..., N, D] and [..., N] -> [..., D]."""
    m, v = np.asarray(masses, np.float64), np.asarray(velocities, np.float64)
    return np.asarray((m[..., None] * v).sum(axis=-2))


def angular_momentum(positions: ArrayLike, velocities: ArrayLike, masses: ArrayLike) -> FloatArray:
    """Sum of m_i (x_i v_y - y_i v_x) about the origin: [..., N, 2] and [..., N] -> [...]."""
    m = np.asarray(masses, np.float64)
    x, v = np.asarray(positions, np.float64), np.asarray(velocities, np.float64)
    return np.asarray((m * (x[..., 0] * v[..., 1] - x[..., 1] * v[..., 0])).sum(axis=-1))


def law_of(description: DatasetDescription) -> ManyBodySystem | None:
    """The law of motion that a data set names, if it has the masses and charges that it needs."""
    layout = description.layout.given
    if description.law is None or None in (layout.find("mass"), layout.find("charge")):
        return None
    return ManyBodySystem.model_validate(description.law)


def pair_law(description: DatasetDescription, spacing: float) -> PairLaw | None:
    """That law for pairs of particles, as a model that sees steps only would have to learn it.

    Args:
        description: of the data set.
        spacing: time from one step to the next.

    Returns:
        A function of offsets x_j - x_i [M, D] and of the features after the place of i and j,
        [M, F - D] each. It gives the acceleration of i in lengths per step squared, [M, D]. Nothing
        without a law.

    Example:
        >>> law = pair_law(read_description("data/monopoles"), spacing=0.002)
        >>> law([[2.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]])
        array([[0.000125, 0.      ]])
    """
    system = law_of(description)
    if system is None:
        return None
    layout = description.layout.given
    columns = [layout.features.index(name) - layout.spatial_dims for name in ("mass", "charge")]

    def law(offsets: ArrayLike, own: ArrayLike, neighbour: ArrayLike) -> FloatArray:
        positions = np.stack([np.zeros_like(offsets), offsets], axis=1)  # [M, 2, D]
        features = np.stack([own, neighbour], axis=1)[..., columns]
        masses, charges = np.moveaxis(features, -1, 0)  # [M, 2] each
        return accelerations(system, positions, masses, charges)[:, 0] * spacing**2

    return law


def _separations(system: ManyBodySystem, positions: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Displacements x_i - x_j [..., N, N, 2] and softened distances [..., N, N]."""
    x = np.asarray(positions, np.float64)
    displacements = x[..., :, None, :] - x[..., None, :, :]
    squared = np.square(displacements).sum(axis=-1) + system.softening**2
    return displacements, np.sqrt(squared)
