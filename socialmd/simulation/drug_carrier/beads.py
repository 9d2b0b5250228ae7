"""Beads of a drug carrier: where they start, what they are called and which are bonded."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from socialmd.simulation.drug_carrier.drug_carrier import DrugCarrier
from socialmd.simulation.integrate import check_at_least
from socialmd.types import FloatArray, IntArray

__all__ = ["Beads", "place_beads"]

HEAD_ROWS, HEAD_BEADS = 3, 6
# Far more than a water bead needs in a container that is not crowded.
MAX_ATTEMPTS = 1000


class Beads(NamedTuple):
    """The beads of one carrier at the start.

    Args:
        positions: [N, 3], in angstrom; a gold bead is in the origin.
        residue_names: of each residue, [R].
        residues: number of the residue that each bead is part of, in ascending order, [N].
        bonds: pairs of beads that a spring holds at the distance of their positions, [M, 2].
    """

    positions: FloatArray
    residue_names: tuple[str, ...]
    residues: IntArray
    bonds: IntArray

    def named(self, name: str) -> IntArray:
        """Numbers of the beads in residues of one name, in ascending order."""
        wanted = np.array(self.residue_names) == name
        return np.flatnonzero(wanted[self.residues])


def place_beads(carrier: DrugCarrier, seed: int, index: int = 0) -> Beads:
    """The state in which simulation number `index` of a seed starts.

    Core, ligands and water come one after the other. Ligands stand upright on evenly spread points
    (Fibonacci's spiral [1], randomly turned), drugs and backgrounds in random order; water lies at
    random places. No two beads overlap, except in gold's lattice and along springs.

    Args:
        carrier: what to place.
        seed, index: 0 or more; each simulation has a random stream of its own.

    Returns:
        The beads: the same, bit for bit, on one kind of machine.

    Raises:
        ValueError: a number is negative, or a water bead finds no free place.

    Example:
        >>> place_beads(DrugCarrier(), seed=0).positions.shape
        (1899, 3)

    References:
        [1] A. Gonzalez, Math. Geosci. 42, 49 (2010).
    """
    check_at_least(0, seed=seed, index=index)
    generator = np.random.default_rng([seed, index])
    core = _lattice_in_sphere(carrier)
    ligands = _upright_ligands(carrier, generator)  # [ligands, beads, 3]
    is_drug = generator.permutation(carrier.num_ligands) < carrier.num_drugs
    solutes = np.concatenate([core, ligands.reshape(-1, 3)])
    names = ["AU"]
    for drug in is_drug:
        names += ["OCQ", "OQL"] if drug else ["OCN", "ONC"]
    names += ["WAT"] * carrier.num_waters
    sizes = [carrier.chain_beads, HEAD_BEADS] * carrier.num_ligands + [1] * carrier.num_waters
    bonds = [_lattice_bonds(carrier, core), _ligand_bonds(carrier, core, ligands[:, 0])]
    return Beads(
        positions=_add_waters(carrier, solutes, generator),
        residue_names=tuple(names),
        residues=np.repeat(np.arange(len(names)), [len(core), *sizes]),
        bonds=np.concatenate(bonds),
    )


def _lattice_in_sphere(carrier: DrugCarrier) -> FloatArray:
    """Face-centred cubic lattice with a point in the origin, [G, 3]."""
    cells = math.ceil(carrier.core_radius / carrier.lattice_constant)
    corners = np.indices([2 * cells + 1] * 3).reshape(3, -1).T - cells  # [cells, 3]
    in_cell = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    points = carrier.lattice_constant * (corners[:, None] + in_cell).reshape(-1, 3)
    return points[np.linalg.norm(points, axis=1) <= carrier.core_radius]


def _lattice_bonds(carrier: DrugCarrier, core: FloatArray) -> IntArray:
    """Pairs of nearest neighbours; those after them are a whole lattice constant apart."""
    first, second = np.triu_indices(len(core), 1)
    near = np.linalg.norm(core[first] - core[second], axis=1) < 0.85 * carrier.lattice_constant
    return np.stack([first[near], second[near]], axis=1)


def _upright_ligands(carrier: DrugCarrier, generator: np.random.Generator) -> FloatArray:
    """[ligands, beads, 3]: chains, then rows of two beads each, upwards."""
    turn = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    up = _points_on_sphere(carrier.num_ligands) @ turn  # [ligands, 3]
    aside = np.cross(up, generator.normal(size=up.shape))
    aside *= carrier.bond_length / 2 / np.linalg.norm(aside, axis=1, keepdims=True)
    chain = np.array(carrier.chain_radii)
    rows = chain[-1] + carrier.bond_length * np.arange(1, HEAD_ROWS + 1)
    heights = np.concatenate([chain, np.repeat(rows, 2)])  # [beads]
    sides = np.concatenate([np.zeros(len(chain)), np.tile([-1.0, 1.0], HEAD_ROWS)])
    return heights[:, None] * up[:, None] + sides[:, None] * aside[:, None]


def _points_on_sphere(count: int) -> FloatArray:
    """Fibonacci's spiral on the unit sphere, [count, 3]."""
    number = np.arange(count) + 0.5
    z = 1 - 2 * number / count
    angle = math.pi * (1 + math.sqrt(5)) * number
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)


def _ligand_bonds(carrier: DrugCarrier, core: FloatArray, first_beads: FloatArray) -> IntArray:
    """From the nearest gold bead along the chain to both beads of the head's first row."""
    last = carrier.chain_beads - 1
    chain = [(bead, bead + 1) for bead in range(last)] + [(last, last + 1), (last, last + 2)]
    head = np.stack(np.triu_indices(HEAD_BEADS, 1), axis=1) + carrier.chain_beads
    ligand = np.concatenate([chain, head])  # [bonds of one ligand, 2]
    starts = len(core) + (carrier.chain_beads + HEAD_BEADS) * np.arange(len(first_beads))
    distances = np.linalg.norm(first_beads[:, None] - core, axis=-1)  # [ligands, G]
    anchors = np.stack([distances.argmin(axis=1), starts], axis=1)
    return np.concatenate([anchors, (starts[:, None, None] + ligand).reshape(-1, 2)])


def _add_waters(
    carrier: DrugCarrier, solutes: FloatArray, generator: np.random.Generator
) -> FloatArray:
    """The given beads and after them water, uniform in the container wherever it is free."""
    radius = carrier.container_radius
    positions = np.concatenate([solutes, np.empty((carrier.num_waters, 3))])
    for placed in range(len(solutes), len(positions)):
        for _ in range(MAX_ATTEMPTS):
            point = generator.uniform(-radius, radius, 3)
            distances = np.linalg.norm(positions[:placed] - point, axis=1)
            if np.linalg.norm(point) <= radius and distances.min() >= carrier.bead_diameter:
                positions[placed] = point
                break
        else:
            raise ValueError(
                f"num_waters: expected as many as fit into a sphere of radius {radius:g} angstrom, "
                f"found {carrier.num_waters}, of which {placed - len(solutes)} found a place"
            )
    return positions
