"""One simulation of a fluid as a topology and a trajectory."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from socialmd.simulation.fluid.lennard_jones_fluid import LennardJonesFluid
from socialmd.simulation.fluid.simulate_fluid import GAS_CONSTANT, FluidSchedule, simulate_fluid
from socialmd.simulation.make_once import make_once
from socialmd.simulation.openmm_package import app, describe_making, unit

__all__ = ["write_fluid"]

TOPOLOGY_FILE, TRAJECTORY_FILE = "fluid.pdb", "fluid.dcd"


def write_fluid(
    fluid: LennardJonesFluid,
    folder: str | Path,
    index: int = 0,
    seed: int = 0,
    schedule: FluidSchedule = FluidSchedule(),  # noqa: B008 (immutable)
) -> dict[str, float | None]:
    """Simulate a fluid and write it as programs for molecular dynamics do.

        fluid_000/
            fluid.pdb          atoms, their residues (AR, XE), the box, and the first frame
            fluid.dcd          all frames in float32, atoms wrapped into the box
            simulation.json    how they were made

    A simulation is there as a whole or not at all, and is not made again. With the same seed and
    index all frames are the same on one kind of machine with one version of OpenMM.

    Args:
        fluid: what to simulate.
        folder: made; folders above it as well.
        index, seed: 0 or more; each simulation has random streams of its own.
        schedule: steps and frames.

    Returns:
        The mean `temperature` over the frames, in kelvin, and the largest `energy_drift` from the
        first frame, relative to the mean kinetic energy; none with friction, where it fluctuates.

    Raises:
        ValueError: an argument is impossible, or the folder is there, but is no finished simulation
            of these arguments. It is left as it is.
        FloatingPointError: the time step is too long for the forces.
        OSError: a file cannot be written.

    Example:
        >>> write_fluid(LennardJonesFluid(), "fluids/fluid_000")["temperature"]
        178.6...
    """
    recipe = {
        "fluid": dataclasses.asdict(fluid),
        "schedule": dataclasses.asdict(schedule),
        "seed": int(seed),
        "index": int(index),
    }
    simulate = partial(_simulate, fluid=fluid, schedule=schedule, streams=(seed, index))
    found = make_once(Path(folder), recipe, (TOPOLOGY_FILE, TRAJECTORY_FILE), simulate)
    return {key: found[key] for key in ("temperature", "energy_drift")}


def _simulate(
    folder: Path, fluid: LennardJonesFluid, schedule: FluidSchedule, streams: tuple[int, int]
) -> dict[str, Any]:
    """Write both files; return what else there is to say."""
    noise_seed = int(np.random.default_rng([*streams, 1]).integers(1, 2**31))
    topology = _make_topology(fluid)
    spacing = schedule.steps_per_frame * fluid.time_step
    temperatures, energies = [], []
    with open(folder / TRAJECTORY_FILE, "wb") as file:
        trajectory = app.DCDFile(file, topology, spacing * unit.picosecond)
        frames = simulate_fluid(fluid, fluid.place_atoms(*streams), schedule, noise_seed)
        for number, frame in enumerate(frames):
            wrapped = np.mod(frame.positions, fluid.box_side) * unit.angstrom
            if not number:
                with open(folder / TOPOLOGY_FILE, "w", encoding="ascii") as first:
                    app.PDBFile.writeFile(topology, wrapped, first)
            trajectory.writeModel(wrapped)
            temperatures.append(frame.temperature)
            energies.append(frame.energy)
    kinetic = 1.5 * len(fluid.atoms) * np.mean(temperatures) * GAS_CONSTANT
    drift = float(np.abs(np.array(energies) - energies[0]).max() / kinetic)
    return {
        "what": "a Lennard-Jones fluid of argon and xenon",
        "frame_spacing": spacing,
        "temperature": float(np.mean(temperatures)),
        "energy_drift": None if fluid.friction else drift,
        **describe_making(),
    }


def _make_topology(fluid: LennardJonesFluid) -> app.Topology:
    """Every atom a residue of its own."""
    topology = app.Topology()
    chain = topology.addChain("A")
    for name in fluid.names:
        element = app.Element.getBySymbol(name.capitalize())
        topology.addAtom(element.symbol, element, topology.addResidue(name, chain))
    topology.setPeriodicBoxVectors(np.eye(3) * fluid.box_side * unit.angstrom)
    return topology
