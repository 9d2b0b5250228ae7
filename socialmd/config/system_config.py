"""`[system]`: the particles and the forces between them."""

from __future__ import annotations

import math
from typing import Any, Literal, Self

from pydantic import model_validator

from socialmd.config.fixed_charges_config import FixedChargesConfig
from socialmd.config.section import (
    ConfigSection,
    FiniteFloat,
    Listed,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Probability,
)
from socialmd.config.strands_config import StrandsConfig

__all__ = ["ManyBodySystem"]


class ManyBodySystem(ConfigSection):
    """Particles under gravity and electric forces, in the plane (thesis section 4.1) or in space.

    The force on particle i from particle j, with r_ij = x_i - x_j, is

        F_ij = (k q_i q_j - G m_i m_j) r_ij / (|r_ij|**2 + softening**2)**(3/2)

    Particles may have a dipole moment each besides (section 2.6), p_i = p u_i, which a unit vector
    carries round: then they are linear rotors, and all forces and torques follow from the energy

        U_ij = k (q_i + p_i . d/dx_i) (q_j + p_j . d/dx_j) 1 / s_ij - G m_i m_j / s_ij
             = (k q_i q_j - G m_i m_j) / s + k (q_i b - q_j a + p_i . p_j) / s**3 - 3 k a b / s**5

    with s**2 = |r_ij|**2 + softening**2, a = p_i . r_ij and b = p_j . r_ij. Or they have linear
    quadrupoles, as rigid sets of point charges: e, q_i - 2 e and e at -l u_i, 0 and l u_i from
    their centres, with e = Q / (2 l**2). All forces and torques are then those of these charges,
    softened alike, and of masses at the centres.

    They may hang on strands from a core as well (see `StrandsConfig`), or be tied to each other by
    springs, each pair at random or not: - spring_constant r_ij. Charges may be there that never
    move and that nobody sees (see `FixedChargesConfig`). Whatever pulls at a particle, its force,
    or each component of it, is no larger than a limit, if there is one.

    The thesis prints no constants. These reproduce the facts that it prints of its data: largest
    separations about 11, smallest about 0.04, partial orbits within one frame. Units are
    arbitrary but consistent: lengths, masses, charges and times of order one.

    Args:
        num_particles: N, particles in one system.
        coulomb_constant, gravitational_constant: k, like charges repel; and G, masses attract.
        softening: length below which the force stops growing. At zero most systems lose their
            energy in a close encounter.
        box_size: side of the square or cube, centred on the origin, in which particles start.
        minimum_distance: smallest distance between two particles at the start.
        position_scale: standard deviation of each coordinate at the start, instead of a box.
        velocity_scale: standard deviation of each velocity component at the start.
        speed: of every particle at the start, instead, whose direction is random.
        centre_at_rest: whether the mean velocity is then subtracted, so that, of equal masses, the
            centre rests.
        mass_range, charge_range: smallest and largest, between which they are drawn uniformly.
        charge_values: what charges may be instead, with equal odds.
        spring_constant, spring_probability: how stiff springs are, and the odds of each pair to be
            tied by one; zero stiffness leaves particles without.
        force_limit: largest component of a particle's force; none without.
        limit_magnitude: whether that is the force's largest magnitude instead.
        fixed_charges: charges that never move; none if not given.
        spatial_dims: D, 2 or 3.
        dipole_range: smallest and largest dipole moment, between which they are drawn uniformly;
            zeros leave particles without.
        quadrupole_range: of quadrupole moments Q, likewise, instead.
        quadrupole_arm: l, how far the outer charges are from the centre.
        inertia_range: of moments of inertia about axes at right angles to these, likewise.
        spin_scale: standard deviation of each component of their angular velocity at the start.
        wall: distance from the origin, along every axis, of walls that reflect particles; none
            without.
        strands: what ties particles to a core, over which they are then spread at the start, as far
            from their anchors as strands are at rest; nothing if not given.

    Raises:
        ValueError: a value is out of its range, so many particles so far apart cannot be placed in
            the square or cube, or that is not within the walls; particles on strands turn, or
            have walls; or particles have dipoles and quadrupoles.

    Example:
        >>> ManyBodySystem(num_particles=3).softening
        0.01
    """

    num_particles: PositiveInt = 25
    coulomb_constant: FiniteFloat = 500.0
    gravitational_constant: FiniteFloat = 125.0
    softening: NonNegativeFloat = 0.01
    box_size: PositiveFloat = 6.5
    minimum_distance: NonNegativeFloat = 0.4
    position_scale: PositiveFloat | None = None
    velocity_scale: NonNegativeFloat = 10.0
    speed: PositiveFloat | None = None
    centre_at_rest: bool = False
    mass_range: Listed[tuple[PositiveFloat, PositiveFloat]] = (0.5, 1.5)
    charge_range: Listed[tuple[FiniteFloat, FiniteFloat]] = (-1.0, 1.0)
    charge_values: Listed[tuple[FiniteFloat, ...]] = ()
    spring_constant: NonNegativeFloat = 0.0
    spring_probability: Probability = 0.5
    force_limit: PositiveFloat | None = None
    limit_magnitude: bool = False
    fixed_charges: FixedChargesConfig | None = None
    dipole_range: Listed[tuple[NonNegativeFloat, NonNegativeFloat]] = (0.0, 0.0)
    quadrupole_range: Listed[tuple[NonNegativeFloat, NonNegativeFloat]] = (0.0, 0.0)
    quadrupole_arm: PositiveFloat = 0.2
    inertia_range: Listed[tuple[PositiveFloat, PositiveFloat]] = (0.05, 0.05)
    spin_scale: NonNegativeFloat = 10.0
    spatial_dims: Literal[2, 3] = 2
    wall: PositiveFloat | None = None
    strands: StrandsConfig | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        ranges = [name for name in type(self).model_fields if name.endswith("_range")]
        for name in ranges:
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: expected the smaller value first, found {[low, high]}")
        if self.position_scale is None:
            self._check_room()
        if self.strands is not None and (self.has_rotors or self.wall is not None):
            raise ValueError("strands: expected nothing that turns and no wall, found some")
        for key in ("spring_constant", "force_limit", "fixed_charges"):
            if getattr(self, key) and (self.has_rotors or self.strands is not None):
                raise ValueError(f"{key}: expected nothing that turns and no strands, found some")
        if self.limit_magnitude and self.force_limit is None:
            raise ValueError("limit_magnitude: expected false without force_limit, found true")
        if self.has_rotors and not self.softening:
            raise ValueError("softening: expected a positive length of what turns, found 0.0")
        if self.has_quadrupoles and self.dipole_range[1] > 0:
            raise ValueError("quadrupole_range: expected no dipoles beside them, found some")
        return self

    def _check_room(self) -> None:
        # Discs or balls of half the minimum distance, and the part of the square or cube up to
        # which they are placed at random without trouble: jams are at 0.55 and 0.38.
        shape, volume, most = {
            2: ("square", math.pi, 0.45),
            3: ("cube", 4 / 3 * math.pi, 0.3),
        }[self.spatial_dims]
        diameter = self.minimum_distance / (self.box_size + self.minimum_distance)
        if self.num_particles * volume * (diameter / 2) ** self.spatial_dims > most:
            raise ValueError(
                f"minimum_distance: {self.num_particles} particles at least "
                f"{self.minimum_distance} apart do not fit into a {shape} of side {self.box_size}"
            )
        if self.wall is not None and self.box_size > 2 * self.wall:
            raise ValueError(
                f"wall: expected at least half of box_size, {self.box_size / 2:g}, "
                f"found {self.wall:g}"
            )

    @property
    def has_quadrupoles(self) -> bool:
        """Whether particles have a quadrupole moment."""
        return self.quadrupole_range[1] > 0

    @property
    def has_springs(self) -> bool:
        """Whether particles may be tied to each other."""
        return self.spring_constant > 0

    @property
    def has_rotors(self) -> bool:
        """Whether particles have a dipole or quadrupole moment, and turn."""
        return self.dipole_range[1] > 0 or self.has_quadrupoles

    @property
    def moment_name(self) -> str:
        """What the feature is called that says how much they have of these."""
        return "quadrupole_moment" if self.has_quadrupoles else "dipole_moment"

    @property
    def moment_range(self) -> tuple[float, float]:
        """Of what they have of these."""
        return self.quadrupole_range if self.has_quadrupoles else self.dipole_range

    def describe(self) -> dict[str, Any]:
        """The law as data sets name it; JSON. What is newer than some of them is left out."""
        newer: dict[str, Any] = {"spatial_dims": 2, "wall": None, "strands": None}
        newer |= {"position_scale": None, "speed": None, "centre_at_rest": False}
        newer |= {"charge_values": [], "force_limit": None}
        newer |= {"limit_magnitude": False, "fixed_charges": None}
        fields = self.model_dump(mode="json")
        if not self.has_springs:
            newer |= {key: fields[key] for key in ("spring_constant", "spring_probability")}
        if not self.has_rotors:
            turning = ("dipole_range", "inertia_range", "spin_scale")
            newer |= {key: fields[key] for key in turning}
        if not self.has_quadrupoles:
            newer |= {key: fields[key] for key in ("quadrupole_range", "quadrupole_arm")}
        return {k: value for k, value in fields.items() if newer.get(k, ...) != value}
