"""Atoms of a fluid, and its constants."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from socialmd.simulation.integrate import check_at_least
from socialmd.types import FloatArray

__all__ = ["SPECIES", "LennardJonesFluid", "Species"]


class Species(NamedTuple):
    """A noble gas.

    Args:
        name: of its residue, and chemical symbol in capitals.
        mass: in dalton.
        diameter: sigma, where the potential is zero, in angstrom.
        depth: epsilon / k, of the potential, in kelvin.
    """

    name: str
    mass: float
    diameter: float
    depth: float


# A. Rahman, Phys. Rev. 136, A405 (1964); J. O. Hirschfelder, C. F. Curtiss and R. B. Bird,
# Molecular Theory of Gases and Liquids (1954).
SPECIES = (Species("AR", 39.948, 3.405, 119.8), Species("XE", 131.293, 4.100, 221.0))


@dataclasses.dataclass(frozen=True)
class LennardJonesFluid:
    """A liquid of argon and xenon in a cubic periodic box.

    Atoms attract and repel each other by

        E = 4 epsilon ((sigma / r)**12 - (sigma / r)**6)

    which goes smoothly to zero over the last tenth before the cutoff, with the mean of diameters
    and the geometric mean of depths between unlike ones (Lorentz and Berthelot). Without friction,
    energy is conserved (NVE); with it the solvent of Langevin dynamics, friction and noise, holds
    the temperature (NVT).

    Args:
        num_argon, num_xenon: atoms.
        box_side: of the box, in angstrom; at least twice the cutoff.
        cutoff: beyond which atoms do not see each other, in angstrom.
        temperature: in kelvin.
        friction: rate at which a solvent takes up momentum, in 1/ps; 0 for none.
        time_step: in ps.

    Raises:
        ValueError: a number is out of its range, or the box is not twice as wide as the cutoff.

    Example:
        >>> LennardJonesFluid(friction=1.0).names[:2]
        ('AR', 'AR')
    """

    num_argon: int = 64
    num_xenon: int = 64
    box_side: float = 21.0
    cutoff: float = 9.0
    temperature: float = 180.0
    friction: float = 0.0
    time_step: float = 0.004

    def __post_init__(self) -> None:
        check_at_least(0, num_argon=self.num_argon, num_xenon=self.num_xenon)
        check_at_least(2, atoms=self.num_argon + self.num_xenon)
        for name in ("box_side", "cutoff", "temperature", "time_step"):
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise ValueError(f"{name}: expected a positive finite number, found {value!r}")
        if not 0 <= self.friction < math.inf:
            raise ValueError(f"friction: expected 0 or more, found {self.friction!r}")
        if self.box_side < 2 * self.cutoff:
            raise ValueError(
                f"box_side: expected at least twice the cutoff, {2 * self.cutoff:g}, "
                f"found {self.box_side:g}"
            )

    @property
    def atoms(self) -> tuple[Species, ...]:
        """Argon, then xenon."""
        return (SPECIES[0],) * self.num_argon + (SPECIES[1],) * self.num_xenon

    @property
    def names(self) -> tuple[str, ...]:
        """Names of residues, one for each atom."""
        return tuple(atom.name for atom in self.atoms)

    def place_atoms(self, seed: int, index: int = 0) -> FloatArray:
        """Positions [N, 3] in angstrom: the points of a cubic lattice, at random among the species.

        Simulation number `index` of a seed has a random stream of its own.
        """
        check_at_least(0, seed=seed, index=index)
        count = len(self.atoms)
        points = math.ceil(count ** (1 / 3) - 1e-9)
        lattice = np.indices([points] * 3).reshape(3, -1).T * (self.box_side / points)
        chosen = np.random.default_rng([seed, index]).permutation(len(lattice))[:count]
        return lattice[chosen]
