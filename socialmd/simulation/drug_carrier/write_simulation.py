"""One simulation of a drug carrier as a folder of PDB files."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from socialmd.simulation.drug_carrier.beads import Beads, place_beads
from socialmd.simulation.drug_carrier.drug_carrier import DrugCarrier
from socialmd.simulation.drug_carrier.run import Schedule, run
from socialmd.simulation.make_once import make_once
from socialmd.simulation.openmm_package import app, describe_making, unit
from socialmd.types import FloatArray

__all__ = ["HEADS", "write_simulation"]

HEADS = ("OQL", "ONC")  # residue names of drugs and background molecules
LIGANDS = ("OCQ", "OCN", *HEADS)
# A chain identifier and an element for each residue name. Beads are no atoms: programs that know
# chemical elements only draw them in sensible colours and sizes.
CHAINS = {"AU": ("A", "Au"), "WAT": ("C", "O"), **dict.fromkeys(LIGANDS, ("B", "C"))}


def write_simulation(
    carrier: DrugCarrier,
    folder: str | Path,
    index: int = 0,
    seed: int = 0,
    schedule: Schedule = Schedule(),  # noqa: B008 (immutable)
) -> dict[str, FloatArray]:
    """Simulate a drug carrier and write a PDB file for each frame.

        carrier_000/
            carrier_001.pdb ... carrier_300.pdb    all beads, in angstrom, written by OpenMM [1]
            simulation.json                        how they were made

    A simulation is there as a whole or not at all: one that was interrupted is made anew, one that
    is there is not made again.

    With the same seed and index all frames are the same on one kind of machine with one version of
    OpenMM. Elsewhere beads start in the same places but for rounding, and then differ more and
    more, because motion is chaotic. Each PDB file names the day of its making.

    Args:
        carrier: what to simulate.
        folder: made; folders above it as well.
        index, seed: 0 or more; each simulation has random streams of its own.
        schedule: steps and frames.

    Returns:
        For residue names `OQL` and `ONC` the mean distance of the heads' geometric centres from the
        core's, in angstrom, [frames]. `simulation.json` holds it as well.

    Raises:
        ValueError: an argument is impossible, or the folder is there, but is no finished simulation
            of these arguments. It is left as it is.
        FloatingPointError: the time step is too long for the forces.
        OSError: a file cannot be written.

    Example:
        >>> distances = write_simulation(DrugCarrier(), "carriers/carrier_000")
        >>> distances["OQL"].shape
        (300,)

    References:
        [1] P. Eastman et al., J. Phys. Chem. B 128, 109 (2024).
    """
    recipe = {
        "carrier": dataclasses.asdict(carrier),
        "schedule": dataclasses.asdict(schedule),
        "seed": int(seed),
        "index": int(index),
    }
    files = [_file_name(frame) for frame in range(1, schedule.num_frames + 1)]
    simulate = partial(_simulate, carrier=carrier, schedule=schedule, streams=(seed, index))
    found = make_once(Path(folder), recipe, files, simulate)
    return {name: np.array(found["mean_distance_from_core"][name]) for name in HEADS}


def _file_name(frame: int) -> str:
    return f"carrier_{frame:03d}.pdb"


def _simulate(
    folder: Path, carrier: DrugCarrier, schedule: Schedule, streams: tuple[int, int]
) -> dict[str, Any]:
    """Write a PDB file for every frame; return what else there is to say."""
    beads = place_beads(carrier, *streams)
    noise_seed = int(np.random.default_rng([*streams, 1]).integers(1, 2**31))
    topology = _make_topology(beads)
    distances: dict[str, list[float]] = {name: [] for name in HEADS}
    for frame, positions in enumerate(run(carrier, beads, schedule, noise_seed), start=1):
        with open(folder / _file_name(frame), "w", encoding="ascii") as file:
            app.PDBFile.writeFile(topology, positions * unit.angstrom, file)
        for name in HEADS:
            distances[name].append(_mean_distance(beads, positions, name))
    return {
        "what": "coarse-grained demonstration system, not a model of a particular drug; "
        "one frame stands for a nanosecond",
        "num_beads": len(beads.positions),
        "frame_spacing": schedule.steps_per_frame * carrier.time_step,
        **describe_making(),
        "mean_distance_from_core": distances,
    }


def _make_topology(beads: Beads) -> app.Topology:
    """Chain A is the core (one residue, atoms `Au`), chain B the ligands (atoms `C1`, `C2`, ... in
    each residue), chain C water (atoms `O`).
    """
    topology = app.Topology()
    chains = {name: topology.addChain(name) for name in "ABC"}
    sizes = np.bincount(beads.residues)
    for residue_name, size in zip(beads.residue_names, sizes.tolist(), strict=True):
        chain, symbol = CHAINS[residue_name]
        residue = topology.addResidue(residue_name, chains[chain])
        for number in range(1, size + 1):
            name = f"{symbol}{number}" if symbol == "C" else symbol
            topology.addAtom(name, app.Element.getBySymbol(symbol), residue)
    return topology


def _mean_distance(beads: Beads, positions: FloatArray, name: str) -> float:
    """Of the heads of one name: they have the same number of beads, one after the other."""
    core = positions[beads.named("AU")].mean(axis=0)
    bead_numbers = beads.named(name)
    num_heads = beads.residue_names.count(name)
    centres = positions[bead_numbers].reshape(num_heads, -1, 3).mean(axis=1)
    return float(np.linalg.norm(centres - core, axis=1).mean())
