"""Names of a drug carrier's beads as PDB files have them."""

from __future__ import annotations

import numpy as np

from socialmd.simulation.drug_carrier.beads import Beads
from socialmd.simulation.drug_carrier.openmm_package import app

__all__ = ["make_topology"]

# A chain identifier and an element for each residue name. Beads are no atoms: programs that know
# chemical elements only draw them in sensible colours and sizes.
NAMES = {
    "AU": ("A", "Au"),
    "OCQ": ("B", "C"),
    "OQL": ("B", "C"),
    "OCN": ("B", "C"),
    "ONC": ("B", "C"),
    "WAT": ("C", "O"),
}


def make_topology(beads: Beads) -> app.Topology:
    """Chains, residues and atoms, without bonds.

    Args:
        beads: of one carrier.

    Returns:
        An `openmm.app.Topology`: chain A is the core (one residue, atoms `Au`), chain B the ligands
        (atoms `C1`, `C2`, ... in each residue), chain C water (atoms `O`).

    Example:
        >>> make_topology(place_beads(DrugCarrier(), seed=0)).getNumChains()
        3
    """
    topology = app.Topology()
    chains = {name: topology.addChain(name) for name in "ABC"}
    sizes = np.bincount(beads.residues)
    for residue_name, size in zip(beads.residue_names, sizes.tolist(), strict=True):
        chain, symbol = NAMES[residue_name]
        residue = topology.addResidue(residue_name, chains[chain])
        for number in range(1, size + 1):
            name = f"{symbol}{number}" if symbol == "C" else symbol
            topology.addAtom(name, app.Element.getBySymbol(symbol), residue)
    return topology
