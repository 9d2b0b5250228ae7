"""The forces between the beads of a drug carrier, for OpenMM."""

from __future__ import annotations

import numpy as np

from socialmd.simulation.drug_carrier.beads import Beads
from socialmd.simulation.drug_carrier.drug_carrier import DrugCarrier
from socialmd.simulation.openmm_package import app, openmm, unit

__all__ = ["SWITCH", "make_system"]

# Global parameter of the context: 0 without the attraction of drugs to the core, 1 with it.
SWITCH = "switch"
WALL_STIFFNESS = 50.0  # kJ/mol/nm**2
ANGSTROM = 0.1  # OpenMM's unit of length is the nanometre


def make_system(carrier: DrugCarrier, beads: Beads) -> openmm.System:
    """Masses and forces of `DrugCarrier`, the attraction switched off.

    Args:
        carrier: constants.
        beads: the same carrier's, as `place_beads` placed them.

    Returns:
        One force for each: repulsion, springs, the wall, the attraction, which
        `context.setParameter(SWITCH, 1)` switches on.

    Example:
        >>> carrier = DrugCarrier()
        >>> make_system(carrier, place_beads(carrier, seed=0)).getNumForces()
        4
    """
    system = openmm.System()
    masses = np.full(len(beads.positions), carrier.bead_mass)
    masses[beads.named("AU")] = app.element.gold.mass.value_in_unit(unit.dalton)
    for mass in masses.tolist():
        system.addParticle(mass)
    for make_force in (_repulsion, _springs, _wall, _attraction):
        system.addForce(make_force(carrier, beads))
    return system


def _repulsion(carrier: DrugCarrier, beads: Beads) -> openmm.NonbondedForce:
    """Lennard-Jones forces up to their zero at 2**(1/6) diameters: the repulsive part."""
    thermal_energy = unit.MOLAR_GAS_CONSTANT_R * carrier.temperature * unit.kelvin
    cutoff = 2 ** (1 / 6) * carrier.bead_diameter
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.CutoffNonPeriodic)
    force.setCutoffDistance(cutoff * ANGSTROM)
    for _ in beads.positions:
        force.addParticle(0.0, carrier.bead_diameter * ANGSTROM, thermal_energy)
    gold = beads.positions[beads.named("AU")]
    first, second = np.triu_indices(len(gold), 1)
    # Springs keep gold beads that start further apart from ever coming within the cutoff; to
    # exclude those as well would make the whole simulation less than half as fast.
    near = np.linalg.norm(gold[first] - gold[second], axis=1) < 1.5 * cutoff
    excluded = np.concatenate([beads.bonds, np.stack([first[near], second[near]], axis=1)])
    for one, other in np.unique(excluded, axis=0).tolist():
        force.addException(one, other, 0.0, 1.0, 0.0)
    return force


def _springs(carrier: DrugCarrier, beads: Beads) -> openmm.HarmonicBondForce:
    force = openmm.HarmonicBondForce()
    ends = beads.positions[beads.bonds]  # [bonds, 2, 3]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    stiffness = carrier.bond_stiffness / ANGSTROM**2
    for (one, other), length in zip(beads.bonds.tolist(), lengths.tolist(), strict=True):
        force.addBond(one, other, length * ANGSTROM, stiffness)
    return force


def _wall(carrier: DrugCarrier, beads: Beads) -> openmm.CustomExternalForce:
    force = openmm.CustomExternalForce(
        "stiffness / 2 * max(0, sqrt(x^2 + y^2 + z^2) - container_radius)^2"
    )
    force.addGlobalParameter("stiffness", WALL_STIFFNESS)
    force.addGlobalParameter("container_radius", carrier.container_radius * ANGSTROM)
    for bead in beads.named("WAT").tolist():
        force.addParticle(bead)
    return force


def _attraction(carrier: DrugCarrier, beads: Beads) -> openmm.CustomCentroidBondForce:
    force = openmm.CustomCentroidBondForce(
        2, f"-{SWITCH} * attraction * exp((core_radius - distance(g1, g2)) / attraction_range)"
    )
    force.addGlobalParameter(SWITCH, 0.0)
    force.addGlobalParameter("attraction", carrier.attraction)
    force.addGlobalParameter("core_radius", carrier.core_radius * ANGSTROM)
    force.addGlobalParameter("attraction_range", carrier.attraction_range * ANGSTROM)
    core = force.addGroup(beads.named("AU").tolist())
    drugs = beads.named("OQL")
    for head in np.unique(beads.residues[drugs]):
        group = force.addGroup(drugs[beads.residues[drugs] == head].tolist())
        force.addBond([core, group])
    return force
