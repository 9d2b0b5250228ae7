"""`[system]`: the particles and the forces between them."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from socialmd.config.section import ConfigSection, FiniteFloat, Listed, PositiveFloat, PositiveInt

__all__ = ["ManyBodySystem"]


class ManyBodySystem(ConfigSection):
    """Particles under gravity and Coulomb forces in two dimensions (thesis section 4.1).

    The force on particle i from particle j, with r_ij = x_i - x_j, is

        F_ij = (k q_i q_j - G m_i m_j) r_ij / (|r_ij|**2 + softening**2)**(3/2)

    The thesis prints no constants. These reproduce the facts that it prints of its data: largest
    separations about 11, smallest about 0.04, partial orbits within one frame. Units are
    arbitrary but consistent: lengths, masses, charges and times of order one.

    Args:
        num_particles: N, particles in one system.
        coulomb_constant, gravitational_constant: k, like charges repel; and G, masses attract.
        softening: length below which the force stops growing. Without it most systems lose their
            energy in a close encounter.
        box_size: side of the square, centred on the origin, in which particles start.
        minimum_distance: smallest distance between two particles at the start.
        velocity_scale: standard deviation of each velocity component at the start.
        mass_range, charge_range: smallest and largest, between which they are drawn uniformly.

    Raises:
        ValueError: a value is out of its range, or so many particles so far apart cannot be
            placed in the square.

    Example:
        >>> ManyBodySystem(num_particles=3).softening
        0.01
    """

    num_particles: PositiveInt = 25
    coulomb_constant: FiniteFloat = 500.0
    gravitational_constant: FiniteFloat = 125.0
    softening: PositiveFloat = 0.01
    box_size: PositiveFloat = 6.5
    minimum_distance: Annotated[FiniteFloat, Field(ge=0)] = 0.4
    velocity_scale: Annotated[FiniteFloat, Field(ge=0)] = 10.0
    mass_range: Listed[tuple[PositiveFloat, PositiveFloat]] = (0.5, 1.5)
    charge_range: Listed[tuple[FiniteFloat, FiniteFloat]] = (-1.0, 1.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("mass_range", "charge_range"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: expected the smaller value first, found {[low, high]}")
        # Discs of half the minimum distance; random placement jams well before 0.45 of the area.
        diameter = self.minimum_distance / (self.box_size + self.minimum_distance)
        if self.num_particles * math.pi * (diameter / 2) ** 2 > 0.45:
            raise ValueError(
                f"minimum_distance: {self.num_particles} particles at least "
                f"{self.minimum_distance} apart do not fit into a square of side {self.box_size}"
            )
        return self
