"""Parts of the drug carrier, and its constants."""

from __future__ import annotations

import dataclasses
import math
from typing import Self

import numpy as np

from socialmd.simulation.integrate import check_at_least

__all__ = ["DrugCarrier"]

# Smallest distance between n points spread evenly over a unit sphere, times sqrt(n) (rounded down).
SPREAD = 3.0
MAY_BE_ZERO = ("num_waters", "attraction", "friction")


@dataclasses.dataclass(frozen=True)
class DrugCarrier:
    """A nanoparticle that carries drugs, in coarse-grained beads.

    A demonstration system, made to be quick and to look like the functionalised gold nanoparticles
    of the thesis (section 3). It is not a model of a particular drug; its time is not real time.

    - Core (residue `AU`): gold's lattice within a sphere, an elastic network [1] of neighbours.
    - Ligands: bead-spring chains [2] that stand on the core (`OCQ` under drugs, `OCN` under
      background molecules). Each ends in a head (`OQL` or `ONC`) of two by three beads, all bonded
      to each other. The two kinds of heads differ in nothing but the attraction below.
    - Water (`WAT`): free beads, held together by a soft wall.

    Bonds are harmonic and at rest at the start, `E = bond_stiffness (r - r_0)**2 / 2`. Beads that
    are not bonded repel each other as in [2] and [3], with depth k T and without any attraction;
    gold does not repel gold. Solvent acts as friction and noise (Langevin dynamics [4]); beads have
    the mass of four heavy atoms, as in [5]. The core, once this is switched on, and every drug head
    attract each other, r from centre to centre, as if through a solvent that screens:

        E = -attraction exp(-(r - core_radius) / attraction_range)

    Args:
        core_radius: of the sphere that gold fills, in angstrom.
        num_drugs, num_backgrounds: heads of either kind, and as many ligands.
        chain_beads: beads of a ligand below its head.
        num_waters: free beads.
        bead_diameter: distance at which the repulsion of two beads is k T, in angstrom.
        bead_mass: of all beads but gold, in dalton.
        bond_length: from bead to bead along a ligand, in angstrom.
        bond_stiffness: of all springs, in kJ/mol/angstrom**2.
        lattice_constant: side of gold's cubic cell, in angstrom.
        attraction: depth for a head on the core's surface, in kJ/mol.
        attraction_range: distance over which it falls by a factor e, in angstrom.
        temperature: in kelvin.
        friction: rate at which the solvent takes up momentum, in 1/ps.
        time_step: in ps.

    Raises:
        ValueError: a number is out of its range, the core has no whole cell, or so many ligands do
            not fit onto it.

    Example:
        >>> DrugCarrier(num_drugs=30, num_backgrounds=30).chain_beads
        5

    References:
        [1] M. M. Tirion, Phys. Rev. Lett. 77, 1905 (1996).
        [2] K. Kremer and G. S. Grest, J. Chem. Phys. 92, 5057 (1990).
        [3] J. D. Weeks, D. Chandler and H. C. Andersen, J. Chem. Phys. 54, 5237 (1971).
        [4] Z. Zhang, X. Liu, K. Yan, M. E. Tuckerman and J. Liu, J. Phys. Chem. A 123, 6056 (2019).
        [5] S. J. Marrink et al., J. Phys. Chem. B 111, 7812 (2007).
    """

    core_radius: float = 12.5
    num_drugs: int = 40
    num_backgrounds: int = 40
    chain_beads: int = 5
    num_waters: int = 560
    bead_diameter: float = 4.0
    bead_mass: float = 72.0
    bond_length: float = 3.5
    bond_stiffness: float = 50.0
    lattice_constant: float = 4.08
    attraction: float = 80.0
    attraction_range: float = 12.0
    temperature: float = 300.0
    friction: float = 2.0
    time_step: float = 0.02

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            self._check(field.name, field.type == "int")
        if self.core_radius < self.lattice_constant:
            raise ValueError(
                f"core_radius: expected at least lattice_constant = {self.lattice_constant}, "
                f"found {self.core_radius}"
            )
        if self.num_ligands > (most := self._most_ligands()):
            raise ValueError(
                f"num_drugs + num_backgrounds: expected at most {most} ligands on a core of radius "
                f"{self.core_radius}, found {self.num_ligands}"
            )

    @property
    def num_ligands(self) -> int:
        """Ligands in all, which is heads in all."""
        return self.num_drugs + self.num_backgrounds

    @property
    def chain_radii(self) -> tuple[float, ...]:
        """Distances of a chain's beads from the core's centre at the start, in angstrom."""
        first = self.core_radius + self.bead_diameter
        return tuple(first + bead * self.bond_length for bead in range(self.chain_beads))

    @property
    def container_radius(self) -> float:
        """Where the wall that holds water begins, in angstrom: outside stretched ligands."""
        return self.chain_radii[-1] + 3 * self.bond_length + 2 * self.bead_diameter

    def vary_heads(self, largest_change: int, seed: int, index: int = 0) -> Self:
        """Another number of heads of each kind, as no two synthesised particles are the same.

        Both change by up to `largest_change`, each change as likely. Each simulation of a seed has
        a random stream of its own.

        Raises:
            ValueError: an argument is negative, or the numbers become impossible ones.
        """
        check_at_least(0, largest_change=largest_change, seed=seed, index=index)
        generator = np.random.default_rng([seed, index, 2])
        drugs, backgrounds = generator.integers(-largest_change, largest_change + 1, 2).tolist()
        drugs, backgrounds = self.num_drugs + drugs, self.num_backgrounds + backgrounds
        return dataclasses.replace(self, num_drugs=drugs, num_backgrounds=backgrounds)

    def _check(self, name: str, is_count: bool) -> None:
        value = getattr(self, name)
        kind = "an integer" if is_count else "a finite number"
        least = "of 0 or more" if name in MAY_BE_ZERO else "greater than 0"
        numeric = isinstance(value, int if is_count else int | float)
        positive = numeric and math.isfinite(value) and (value > 0 or name in MAY_BE_ZERO)
        if not positive or value < 0 or isinstance(value, bool):
            raise ValueError(f"{name}: expected {kind} {least}, found {value!r}")

    def _most_ligands(self) -> int:
        """So many that neither their first beads nor their heads overlap at the start."""
        first = self.chain_radii[0] / self.bead_diameter
        head = (self.chain_radii[-1] + self.bond_length) / (self.bead_diameter + self.bond_length)
        return int((SPREAD * min(first, head)) ** 2)
