"""Forces, energies and momenta of a many-body system, and of the one that a data set names.

Every function takes any number of leading axes ("..."), so that one system [N, 2], its frames
[frames, N, 2] or many of them [simulations, frames, N, 2] are treated alike. The integrator has
its own, faster form of `accelerations`; the tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from socialmd.config import ManyBodySystem, StrandsConfig
from socialmd.data.dataset_description import DatasetDescription
from socialmd.data.feature_layout import (
    ANCHOR,
    AXES,
    BONDS,
    ORIENTATION,
    VELOCITY,
    FeatureBlock,
    FeatureLayout,
)
from socialmd.simulation.initial_states import Rotors, draw_fixed_charges
from socialmd.types import FloatArray

__all__ = [
    "PairLaw",
    "accelerations",
    "angular_momentum",
    "electric_field",
    "kinetic_energy",
    "law_of",
    "layout_of_law",
    "momentum",
    "pair_couplings",
    "pair_law",
    "potential_energy",
    "total_energy",
    "turning_forces",
]

SITES = np.array([-1.0, 0.0, 1.0])  # of a quadrupole's charges, in arms along its unit vector


PairLaw = Callable[[ArrayLike, ArrayLike, ArrayLike], FloatArray]


def layout_of_law(system: ManyBodySystem | None = None, velocities: bool = False) -> FeatureLayout:
    """Of what simulations give: places, mass and charge; bonds, anchors, or what turns.

    And velocities, if they are stored as well, which come last.
    """
    if velocities:
        layout = layout_of_law(system)
        dims = layout.spatial_dims
        return FeatureLayout(
            features=(*layout.features, *(f"{VELOCITY}_{axis}" for axis in AXES[:dims])),
            blocks=(*layout.blocks, FeatureBlock(name=VELOCITY, size=dims, kind="vector")),
        )
    system = system or ManyBodySystem()
    axes = AXES[: system.spatial_dims]
    layout = FeatureLayout.of_scalars((*axes, "mass", "charge"), len(axes))
    if system.has_springs:
        names = tuple(f"bond_{number}" for number in range(system.num_particles))
        return FeatureLayout(
            features=(*layout.features, *names),
            blocks=(*layout.blocks, FeatureBlock(name=BONDS, size=len(names), static=True)),
        )
    if system.strands is not None:
        return FeatureLayout(
            features=(*layout.features, *(f"{ANCHOR}_{axis}" for axis in axes)),
            blocks=(
                *layout.blocks,
                FeatureBlock(name=ANCHOR, size=len(axes), kind="vector", static=True),
            ),
        )
    if not system.has_rotors:
        return layout
    scalars = system.moment_name, "moment_of_inertia"
    return FeatureLayout(
        features=(*layout.features, *scalars, *(f"orientation_{axis}" for axis in axes)),
        blocks=(
            *layout.blocks,
            *(FeatureBlock(name=name, static=True) for name in scalars),
            FeatureBlock(name=ORIENTATION, size=len(axes), kind="vector", predicted=True),
        ),
    )


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
    system: ManyBodySystem,
    positions: ArrayLike,
    masses: ArrayLike,
    charges: ArrayLike,
    dipoles: ArrayLike | None = None,
    anchors: ArrayLike | None = None,
    springs: ArrayLike | None = None,
) -> FloatArray:
    """Acceleration of each particle, with r_ij = x_i - x_j (thesis section 4.1, softened).

        a_i = 1/m_i sum_j (k q_i q_j - G m_i m_j) r_ij / (|r_ij|**2 + softening**2)**(3/2)

    and, with dipoles, minus the gradient of the rest of the energy of `ManyBodySystem`; with
    anchors, the forces of strands and core (see `StrandsConfig`), without friction and noise; with
    springs, - spring_constant r_ij of each pair that is tied. Fixed charges act as those of
    particles. No component of a force, or no force, exceeds the limit, if there is one.

    Args:
        system: the constants k, G and the softening.
        positions: [..., N, D].
        masses, charges: [..., N].
        dipoles, anchors: [..., N, D] each; none if not given. Of a system with quadrupoles, their
            moments times unit vectors stand for dipoles.
        springs: which pairs are tied, [..., N, N], ones and zeros; none if not given.

    Returns:
        [..., N, D].

    Example:
        >>> pair = [[0.0, 0.0], [2.0, 0.0]]
        >>> accelerations(ManyBodySystem(), pair, masses=[1.0, 1.0], charges=[0.0, 0.0]).round(2)
        array([[ 31.25,   0.  ],
               [-31.25,   0.  ]])
    """
    displacements, distances = _separations(system, positions)
    of_centres = np.zeros_like(charges) if _has_sites(system, dipoles) else charges
    weights = pair_couplings(system, masses, of_centres) / distances**3  # [..., N, N]
    forces = (weights[..., None] * displacements).sum(axis=-2)  # [..., N, D]
    if _has_sites(system, dipoles):
        forces = forces + _forces_on_sites(system, positions, charges, dipoles).sum(axis=-2)
    elif dipoles is not None:
        q, p = np.asarray(charges, np.float64), np.asarray(dipoles, np.float64)
        own, other, both = _projections(displacements, p)
        mixed = q[..., :, None] * other - q[..., None, :] * own + both
        weights = 3 * mixed / distances**5 - 15 * own * other / distances**7
        pull = weights[..., None] * displacements
        pull += 3 * (_of_second(own, p) + _of_first(other, p)) / distances[..., None] ** 5
        pull += (_of_first(q[..., None, :], p) - _of_second(q[..., :, None], p)) / distances[
            ..., None
        ] ** 3
        forces += system.coulomb_constant * _without_self(pull).sum(axis=-2)
    if anchors is not None:
        forces = forces + _strand_forces(system, positions, anchors)
    if springs is not None:
        tied = system.spring_constant * np.asarray(springs, np.float64)
        forces = forces - (tied[..., None] * displacements).sum(axis=-2)
    weights, displacements, distances = _fixed_pairs(system, positions, charges)
    forces = forces + ((weights / distances**3)[..., None] * displacements).sum(axis=-2)
    if system.force_limit is not None:
        forces = _limited(forces, system.force_limit, system.limit_magnitude)
    return np.asarray(forces / np.asarray(masses, np.float64)[..., None])


def electric_field(
    system: ManyBodySystem, positions: ArrayLike, charges: ArrayLike, dipoles: ArrayLike
) -> FloatArray:
    """At each particle, of the charges and dipoles of all others; softened as the forces.

        E_i = k sum_j (q_j r_ij + 3 (p_j . r_ij) r_ij / s_ij**2 - p_j) / s_ij**3

    Arguments as for `accelerations`; [..., N, D]. What turns a dipole is its torque, p_i x E_i.
    """
    displacements, distances = _separations(system, positions)
    q, p = np.asarray(charges, np.float64), np.asarray(dipoles, np.float64)
    _, other, _ = _projections(displacements, p)
    weights = q[..., None, :] + 3 * other / distances**2
    field = weights[..., None] * displacements - p[..., None, :, :]
    field /= distances[..., None] ** 3
    return np.asarray(system.coulomb_constant * _without_self(field).sum(axis=-2))


def turning_forces(
    system: ManyBodySystem, positions: ArrayLike, charges: ArrayLike, dipoles: ArrayLike
) -> FloatArray:
    """What turns dipoles or quadrupoles: minus the gradient of the energy by u_i, [..., N, D].

    p_i E_i of dipoles. Its part at right angles to u_i, by the moment of inertia, is what changes
    spins. Arguments as for `accelerations`.
    """
    vectors = np.asarray(dipoles, np.float64)
    if not _has_sites(system, dipoles):
        moments = np.linalg.norm(vectors, axis=-1, keepdims=True)
        return moments * electric_field(system, positions, charges, vectors)
    forces = _forces_on_sites(system, positions, charges, vectors)
    arms = system.quadrupole_arm * SITES[:, None]
    return np.asarray((arms * forces).sum(axis=-2))


def kinetic_energy(velocities: ArrayLike, masses: ArrayLike) -> FloatArray:
    """Sum of m_i |v_i|**2 / 2 over the particles: [..., N, D] and [..., N] -> [...]."""
    speeds_squared = np.square(np.asarray(velocities, np.float64)).sum(axis=-1)  # [..., N]
    return np.asarray(0.5 * (np.asarray(masses, np.float64) * speeds_squared).sum(axis=-1))


def potential_energy(
    system: ManyBodySystem,
    positions: ArrayLike,
    masses: ArrayLike,
    charges: ArrayLike,
    dipoles: ArrayLike | None = None,
    anchors: ArrayLike | None = None,
    springs: ArrayLike | None = None,
) -> FloatArray:
    """Energy of the softened forces: minus its gradient by x_i is m_i a_i.

        U = sum_(i<j) (k q_i q_j - G m_i m_j) / sqrt(|r_ij|**2 + softening**2)

    and what dipoles add (see `ManyBodySystem`), or strands and core, springs, fixed charges; forces
    are not limited. Arguments as for `accelerations`; [...], one number per frame.
    """
    displacements, distances = _separations(system, positions)
    of_centres = np.zeros_like(charges) if _has_sites(system, dipoles) else charges
    pairs = pair_couplings(system, masses, of_centres) / distances  # [..., N, N], each pair twice
    if _has_sites(system, dipoles):
        pairs = pairs + _energies_of_sites(system, positions, charges, dipoles)
    elif dipoles is not None:
        q, p = np.asarray(charges, np.float64), np.asarray(dipoles, np.float64)
        own, other, both = _projections(displacements, p)
        mixed = q[..., :, None] * other - q[..., None, :] * own + both
        added = mixed / distances**3 - 3 * own * other / distances**5
        pairs += system.coulomb_constant * added * (1 - np.eye(q.shape[-1]))
    energy = 0.5 * pairs.sum(axis=(-2, -1))
    if anchors is not None:
        strands, stretch, depth = _stretches(system, positions, anchors)
        stretched = strands.stiffness * stretch**2 + strands.core_stiffness * depth**2
        energy = energy + 0.5 * stretched.sum(axis=-1)
    if springs is not None:
        squares = np.square(displacements).sum(axis=-1)
        tied = system.spring_constant * np.asarray(springs, np.float64)
        energy = energy + 0.25 * (tied * squares).sum(axis=(-2, -1))  # each pair twice
    weights, _, distances = _fixed_pairs(system, positions, charges)
    return np.asarray(energy + (weights / distances).sum(axis=(-2, -1)))


def total_energy(
    system: ManyBodySystem,
    positions: ArrayLike,
    velocities: ArrayLike,
    masses: ArrayLike,
    charges: ArrayLike,
    rotors: Rotors | None = None,
    anchors: ArrayLike | None = None,
    springs: ArrayLike | None = None,
) -> FloatArray:
    """Kinetic plus potential energy, which the exact motion conserves: [...].

    Of dipoles, their rotation as well, sum of I_i |w_i|**2 / 2. Friction and noise of strands
    conserve nothing.
    """
    dipoles = None if rotors is None else rotors.dipoles
    potential = potential_energy(system, positions, masses, charges, dipoles, anchors, springs)
    rotation = 0.0 if rotors is None else kinetic_energy(rotors.spins, rotors.inertias)
    return np.asarray(kinetic_energy(velocities, masses) + rotation + potential)


def momentum(velocities: ArrayLike, masses: ArrayLike) -> FloatArray:
    """Sum of m_i v_i over the particles: [..., N, D] and [..., N] -> [..., D]."""
    m, v = np.asarray(masses, np.float64), np.asarray(velocities, np.float64)
    return np.asarray((m[..., None] * v).sum(axis=-2))


def angular_momentum(
    positions: ArrayLike, velocities: ArrayLike, masses: ArrayLike, rotors: Rotors | None = None
) -> FloatArray:
    """Sum of m_i x_i x v_i about the origin, and of I_i u_i x w_i of rotors.

    [..., N, D] and [..., N] -> [...] in the plane, [..., 3] in space.
    """
    own = 0.0 if rotors is None else _turning(rotors.orientations, rotors.spins, rotors.inertias)
    return np.asarray(_turning(positions, velocities, masses) + own)


def _turning(arms: ArrayLike, velocities: ArrayLike, weights: ArrayLike) -> FloatArray:
    r, v = np.asarray(arms, np.float64), np.asarray(velocities, np.float64)
    w = np.asarray(weights, np.float64)
    if r.shape[-1] == 2:
        return np.asarray((w * (r[..., 0] * v[..., 1] - r[..., 1] * v[..., 0])).sum(axis=-1))
    return np.asarray((w[..., None] * np.cross(r, v)).sum(axis=-2))


def law_of(description: DatasetDescription, is_given: bool = True) -> ManyBodySystem | None:
    """The law of motion that a data set names, if it has the features that the law needs.

    Those that are hidden count only if it need not be given to models what the law reads.
    """
    layout = description.layout.given if is_given else description.layout
    # Other laws than this one have neither.
    if description.law is None or None in (layout.find("mass"), layout.find("charge")):
        return None
    law = ManyBodySystem.model_validate(description.law)
    needed = layout_of_law(law).features[law.spatial_dims :]
    return law if set(needed) <= set(layout.features) else None


def pair_law(description: DatasetDescription, spacing: float) -> PairLaw | None:
    """That law for pairs of particles, as a model that sees steps only would have to learn it.

    Args:
        description: of the data set.
        spacing: time from one step to the next.

    Returns:
        A function of offsets x_j - x_i [M, D] and of the features after the place of i and j,
        [M, F - D] each: orientations too, of particles that turn. It gives the acceleration of i by
        j in lengths per step squared, [M, D]; strands and fixed charges are no part of it. Nothing
        without a law.

    Example:
        >>> law = pair_law(read_description("data/monopoles"), spacing=0.002)
        >>> law([[2.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]])
        array([[0.000125, 0.      ]])
    """
    system = law_of(description)
    if system is None or system.has_springs:  # a pair alone does not know whether it is tied
        return None
    system = system.model_copy(update={"fixed_charges": None})
    layout = description.layout.given
    mass, charge, moment = (
        layout.columns(name=name) for name in ("mass", "charge", system.moment_name)
    )
    turned = layout.orientation

    def law(offsets: ArrayLike, own: ArrayLike, neighbour: ArrayLike) -> FloatArray:
        positions = np.stack([np.zeros_like(offsets), offsets], axis=1)  # [M, 2, D]
        features = np.stack([own, neighbour], axis=1)
        features = np.concatenate([positions, features], axis=-1)  # in their columns
        particles = [positions, features[..., mass[0]], features[..., charge[0]]]
        if system.has_rotors:
            particles.append(features[..., moment] * features[..., turned])
        return accelerations(system, *particles)[:, 0] * spacing**2

    return law


def _stretches(
    system: ManyBodySystem, positions: ArrayLike, anchors: ArrayLike
) -> tuple[StrandsConfig, FloatArray, FloatArray]:
    """Strands, by how much each is longer than at rest, and how deep in the core, [..., N] each."""
    if system.strands is None:
        raise ValueError("system: expected strands, found none")
    x, y = np.asarray(positions, np.float64), np.asarray(anchors, np.float64)
    stretch = np.linalg.norm(x - y, axis=-1) - system.strands.rest_length
    depth = np.maximum(system.strands.core_radius - np.linalg.norm(x, axis=-1), 0.0)
    return system.strands, stretch, depth


def _strand_forces(system: ManyBodySystem, positions: ArrayLike, anchors: ArrayLike) -> FloatArray:
    strands, stretch, depth = _stretches(system, positions, anchors)
    x = np.asarray(positions, np.float64)
    offset = x - np.asarray(anchors, np.float64)
    spring = -strands.stiffness * stretch[..., None] * _unit(offset)
    return np.asarray(spring + strands.core_stiffness * depth[..., None] * _unit(x))


def _unit(vectors: FloatArray) -> FloatArray:
    """Vectors of length one, or zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))


def _has_sites(system: ManyBodySystem, dipoles: ArrayLike | None) -> bool:
    return system.has_quadrupoles and dipoles is not None


def _sites(
    system: ManyBodySystem, positions: ArrayLike, charges: ArrayLike, vectors: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Point charges of quadrupoles: where they are, [..., N, 3, D], and how large, [..., N, 3]."""
    moments, arm = np.asarray(vectors, np.float64), system.quadrupole_arm
    places = np.asarray(positions, np.float64)[..., None, :]
    places = places + arm * SITES[:, None] * _unit(moments)[..., None, :]
    outer = np.linalg.norm(moments, axis=-1)[..., None] / (2 * arm**2)
    own = np.asarray(charges, np.float64)[..., None] * (SITES == 0)
    return places, outer * (1 - 3 * (SITES == 0)) + own


def _site_pairs(
    system: ManyBodySystem, positions: ArrayLike, charges: ArrayLike, vectors: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of all charges with those of other particles: k e e', displacement and softened distance.

    [..., N, 3, N, 3], the first acted upon by the second; products are zero within a particle.
    """
    places, sizes = _sites(system, positions, charges, vectors)
    displacements = places[..., :, :, None, None, :] - places[..., None, None, :, :, :]
    distances = np.sqrt(np.square(displacements).sum(axis=-1) + system.softening**2)
    apart = 1 - np.eye(sizes.shape[-2])[:, None, :, None]
    products = sizes[..., :, :, None, None] * sizes[..., None, None, :, :] * apart
    return system.coulomb_constant * products, displacements, distances


def _forces_on_sites(
    system: ManyBodySystem, positions: ArrayLike, charges: ArrayLike, vectors: ArrayLike | None
) -> FloatArray:
    """[..., N, 3, D]."""
    products, displacements, distances = _site_pairs(system, positions, charges, vectors)
    weights = (products / distances**3)[..., None]
    return np.asarray((weights * displacements).sum(axis=(-3, -2)))


def _energies_of_sites(
    system: ManyBodySystem, positions: ArrayLike, charges: ArrayLike, vectors: ArrayLike | None
) -> FloatArray:
    """[..., N, N], of each pair of particles, both ways."""
    products, _, distances = _site_pairs(system, positions, charges, vectors)
    return np.asarray((products / distances).sum(axis=(-3, -1)))


def _separations(system: ManyBodySystem, positions: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Displacements x_i - x_j [..., N, N, D] and softened distances [..., N, N]."""
    x = np.asarray(positions, np.float64)
    displacements = x[..., :, None, :] - x[..., None, :, :]
    squared = np.square(displacements).sum(axis=-1) + system.softening**2
    if not system.softening:
        squared = squared + np.eye(x.shape[-2])  # nobody is where he is himself
    return displacements, np.sqrt(squared)


def _fixed_pairs(
    system: ManyBodySystem, positions: ArrayLike, charges: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of particles and fixed charges: k q Q [..., N, M], displacement, and softened distance."""
    places, fixed = draw_fixed_charges(system)
    displacements = np.asarray(positions, np.float64)[..., :, None, :] - places
    distances = np.sqrt(np.square(displacements).sum(axis=-1) + system.softening**2)
    weights = system.coulomb_constant * np.asarray(charges, np.float64)[..., :, None] * fixed
    return weights, displacements, distances


def _limited(forces: FloatArray, limit: float, is_magnitude: bool) -> FloatArray:
    """Forces [..., N, D] of at most this magnitude, or of components of at most that."""
    if not is_magnitude:
        return np.clip(forces, -limit, limit)
    sizes = np.linalg.norm(forces, axis=-1, keepdims=True)
    return np.asarray(forces * np.minimum(1, limit / np.maximum(sizes, limit / 2)))


# === Sums over pairs, [..., N, N]: the first particle feels the second ===


def _projections(
    displacements: FloatArray, dipoles: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """p_i . r_ij, p_j . r_ij and p_i . p_j."""
    own = (dipoles[..., :, None, :] * displacements).sum(axis=-1)
    other = (dipoles[..., None, :, :] * displacements).sum(axis=-1)
    return own, other, np.einsum("...id,...jd->...ij", dipoles, dipoles)


def _of_first(weights: FloatArray, vectors: FloatArray) -> FloatArray:
    """Weights [..., N, N] times the vectors of the first particles, [..., N, N, D]."""
    return np.asarray(weights[..., None] * vectors[..., :, None, :])


def _of_second(weights: FloatArray, vectors: FloatArray) -> FloatArray:
    return np.asarray(weights[..., None] * vectors[..., None, :, :])


def _without_self(pairs: FloatArray) -> FloatArray:
    return np.asarray(pairs * (1 - np.eye(pairs.shape[-2]))[..., None])
