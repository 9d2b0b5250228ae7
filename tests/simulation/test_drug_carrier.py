"""The demonstration system: where beads start, the forces between them, and the files."""

import dataclasses
import importlib
import itertools
import json
import math
import re
import subprocess
import sys
from collections import Counter

import MDAnalysis
import numpy as np
import pytest
from openmm import openmm

from socialmd.simulation.drug_carrier import (
    DrugCarrier,
    Schedule,
    make_system,
    place_beads,
    write_simulation,
)
from socialmd.simulation.drug_carrier.force_field import SWITCH

SMALL = DrugCarrier(core_radius=5.0, num_drugs=3, num_backgrounds=2, chain_beads=2, num_waters=30)
SHORT = Schedule(num_frames=4, switch_frame=2, steps_per_frame=5, equilibration_steps=200)
MODULE = importlib.import_module("socialmd.simulation.drug_carrier.write_simulation")


def separations(positions):
    return np.linalg.norm(positions[:, None] - positions, axis=-1)


def make_context(carrier, beads, positions, switch):
    """On OpenMM's reference platform, in float64."""
    integrator = openmm.VerletIntegrator(0.001)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(make_system(carrier, beads), integrator, platform)
    context.setPositions(positions / 10)
    context.setParameter(SWITCH, switch)
    return context


def potential_energy(context):
    return context.getState(getEnergy=True).getPotentialEnergy()._value  # kJ/mol


def forces(context):
    state = context.getState(getForces=True)
    return state.getForces(asNumpy=True)._value / 10  # kJ/mol/angstrom


def shaken(beads, rng):
    """Positions a little off the start, water partly outside of the wall."""
    positions = beads.positions + rng.normal(0, 0.3, beads.positions.shape)
    positions[beads.named("WAT")[::3]] *= 1.3
    return positions


# === Where beads start ===


def test_carrier_has_all_its_molecules():
    carrier = DrugCarrier(num_drugs=37, num_backgrounds=41)
    beads = place_beads(carrier, seed=0)
    assert Counter(beads.residue_names) == {
        "AU": 1, "OCQ": 37, "OQL": 37, "OCN": 41, "ONC": 41, "WAT": carrier.num_waters
    }  # fmt: skip
    counts = {name: len(beads.named(name)) for name in set(beads.residue_names)}
    assert counts.pop("AU") == 459  # 4 / 4.08**3 per cubic angstrom: 482 in a smooth sphere
    assert counts == {
        "OCQ": 5 * 37, "OQL": 6 * 37, "OCN": 5 * 41, "ONC": 6 * 41, "WAT": carrier.num_waters
    }  # fmt: skip
    assert len(beads.positions) == len(beads.residues) == 459 + 78 * 11 + carrier.num_waters
    ligands = beads.residue_names[1:157]
    assert set(zip(ligands[::2], ligands[1::2], strict=True)) == {("OCQ", "OQL"), ("OCN", "ONC")}


def test_gold_fills_a_sphere_around_the_origin_with_its_lattice():
    carrier = DrugCarrier()
    beads = place_beads(carrier, seed=0)
    gold = beads.positions[beads.named("AU")]
    np.testing.assert_array_equal(gold[np.linalg.norm(gold, axis=1).argmin()], 0)
    assert np.linalg.norm(gold, axis=1).max() <= carrier.core_radius
    bonds = beads.bonds[(beads.bonds < len(gold)).all(axis=1)]
    lengths = np.linalg.norm(gold[bonds[:, 0]] - gold[bonds[:, 1]], axis=1)
    np.testing.assert_allclose(lengths, 4.08 / math.sqrt(2))
    neighbours = np.bincount(bonds.ravel(), minlength=len(gold))
    inside = np.linalg.norm(gold, axis=1) < carrier.core_radius - 4.08
    assert (neighbours[inside] == 12).all()
    assert neighbours.min() >= 3  # the outermost ones stay on the core, too


def test_ligands_stand_on_the_surface():
    carrier = DrugCarrier()
    beads = place_beads(carrier, seed=0)
    num_gold = len(beads.named("AU"))
    between = beads.bonds[(beads.bonds < num_gold).sum(axis=1) == 1]
    first_beads = num_gold + 11 * np.arange(80)
    np.testing.assert_array_equal(between.max(axis=1), first_beads)
    radii = np.linalg.norm(beads.positions, axis=1)
    np.testing.assert_allclose(radii[first_beads], carrier.core_radius + carrier.bead_diameter)
    gold = beads.positions[:num_gold]
    for anchor, bead in between:
        distances = np.linalg.norm(gold - beads.positions[bead], axis=1)
        assert distances[anchor] == distances.min() < 4 + 4.08 / 2
    ligands = beads.positions[num_gold : num_gold + 880].reshape(80, 11, 3)
    up = ligands[:, 0] / np.linalg.norm(ligands[:, 0], axis=1, keepdims=True)
    heights = np.einsum("lbd,ld->lb", ligands, up)
    rows = [16.5 + 3.5 * step for step in (0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7)]
    np.testing.assert_allclose(heights, np.broadcast_to(rows, heights.shape))


@pytest.mark.parametrize("chain_beads", [1, 5])
def test_nothing_overlaps_even_with_as_many_ligands_as_fit(chain_beads):
    with pytest.raises(ValueError, match="ligands on a core") as error:
        DrugCarrier(num_drugs=10**6, chain_beads=chain_beads)
    most = int(re.search(r"at most (\d+)", str(error.value))[1])
    carrier = DrugCarrier(num_backgrounds=most - 40, chain_beads=chain_beads, num_waters=100)
    beads = place_beads(carrier, seed=1)
    distances = separations(beads.positions)
    num_gold = len(beads.named("AU"))
    distances[:num_gold, :num_gold] = distances[beads.bonds[:, 0], beads.bonds[:, 1]] = np.inf
    smallest = distances[np.triu_indices(len(distances), 1)].min()
    assert 4 - 1e-9 < smallest < 4.5  # and hardly more of them would


def test_states_depend_on_seed_and_number():
    first, again = place_beads(SMALL, 3, 7), place_beads(SMALL, 3, 7)
    for here, there in zip(first, again, strict=True):
        np.testing.assert_array_equal(here, there)
    for seed, index in ((4, 7), (3, 8)):
        other = place_beads(SMALL, seed, index)
        assert np.abs(other.positions - first.positions)[first.named("OQL")].max() > 1
    orders = {place_beads(SMALL, 0, index).residue_names for index in range(10)}
    assert len(orders) > 1  # which ligands bear drugs


def test_numbers_of_heads_vary():
    carriers = [DrugCarrier().vary_heads(4, seed=5, index=index) for index in range(200)]
    for name in ("num_drugs", "num_backgrounds"):
        assert {getattr(carrier, name) for carrier in carriers} == set(range(36, 45))
    assert carriers[7] == DrugCarrier().vary_heads(4, seed=5, index=7)
    assert DrugCarrier().vary_heads(0, seed=5) == DrugCarrier()


# === Forces ===


@pytest.mark.parametrize("switch", [0, 1])
def test_energy_is_the_documented_one(rng, switch):
    beads = place_beads(SMALL, seed=2)
    x = shaken(beads, rng)
    bonds = {tuple(sorted(bond)) for bond in beads.bonds.tolist()}
    gold = set(beads.named("AU").tolist())
    expected, thermal_energy = 0.0, 0.00831446261815324 * 300
    for i, j in itertools.combinations(range(len(x)), 2):
        distance = math.dist(x[i], x[j])
        if (i, j) in bonds:
            rest = math.dist(beads.positions[i], beads.positions[j])
            expected += 50 / 2 * (distance - rest) ** 2
        elif not {i, j} <= gold and distance < 2 ** (1 / 6) * 4:
            expected += 4 * thermal_energy * ((4 / distance) ** 12 - (4 / distance) ** 6)
    outside = [np.linalg.norm(x[water]) - 31 for water in beads.named("WAT")]
    assert max(outside) > 1  # 5 + 4 + 3.5 and three rows, two diameters
    expected += sum(0.5 / 2 * max(0, depth) ** 2 for depth in outside)
    centre = x[sorted(gold)].mean(axis=0)
    for head in x[beads.named("OQL")].reshape(3, 6, 3):
        distance = math.dist(head.mean(axis=0), centre)
        expected -= switch * 80 * math.exp(-(distance - 5) / 12)
    context = make_context(SMALL, beads, x, switch)
    assert potential_energy(context) == pytest.approx(expected, rel=1e-9)


def test_forces_are_the_gradient_of_the_energy(rng):
    beads = place_beads(SMALL, seed=2)
    x = shaken(beads, rng)
    context = make_context(SMALL, beads, x, switch=1)
    expected, step = forces(context), 1e-4
    for bead in (beads.named(name)[0] for name in ("AU", "OCQ", "OQL", "ONC", "WAT")):
        for axis in range(3):
            energies = []
            for sign in (-1, 1):
                moved = x.copy()
                moved[bead, axis] += sign * step
                context.setPositions(moved / 10)
                energies.append(potential_energy(context))
            slope = (energies[1] - energies[0]) / (2 * step)
            assert -slope == pytest.approx(expected[bead, axis], rel=1e-4, abs=1e-4)


def test_core_attracts_drug_heads_only_and_only_when_switched_on():
    beads = place_beads(SMALL, seed=0)
    off, on = (forces(make_context(SMALL, beads, beads.positions, switch)) for switch in (0, 1))
    pull = on - off
    gold, drugs = beads.named("AU"), beads.named("OQL")
    untouched = np.setdiff1d(np.arange(len(pull)), np.concatenate([gold, drugs]))
    np.testing.assert_array_equal(pull[untouched], 0)
    centres = beads.positions[drugs].reshape(3, 6, 3).mean(axis=1)
    distances = np.linalg.norm(centres, axis=1, keepdims=True)
    np.testing.assert_allclose(
        pull[drugs].reshape(3, 6, 3).sum(axis=1),
        -centres / distances * 80 / 12 * np.exp(-(distances - 5) / 12),
        atol=1e-9,
    )
    np.testing.assert_allclose(pull.sum(axis=0), 0, atol=1e-9)  # the core is pulled back


def test_springs_are_at_rest_at_the_start():
    beads = place_beads(SMALL, seed=0)
    system = make_system(SMALL, beads)
    for force in reversed(range(system.getNumForces())):
        if not isinstance(system.getForce(force), openmm.HarmonicBondForce):
            system.removeForce(force)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    context.setPositions(beads.positions / 10)
    assert potential_energy(context) == pytest.approx(0, abs=1e-20)


# === IntegratedMotion ===


def test_switched_on_attraction_brings_drugs_closer(tmp_path):
    """The same noise with and without the attraction, which is a strong one here."""
    carrier = DrugCarrier(
        core_radius=5.0, num_drugs=3, num_backgrounds=3, chain_beads=3, num_waters=0, attraction=300
    )
    distances = {
        switch: write_simulation(
            carrier, tmp_path / str(switch), schedule=Schedule(20, switch, 200, 2000)
        )
        for switch in (5, None)
    }
    on, off = distances[5], distances[None]
    for name in ("OQL", "ONC"):
        np.testing.assert_array_equal(on[name][:5], off[name][:5])
    approach = {name: (off[name] - on[name])[-10:].mean() for name in on}
    assert approach["OQL"] > 2
    assert approach["OQL"] > approach["ONC"] + 2


def test_springs_hold(tmp_path):
    write_simulation(SMALL, tmp_path / "one", schedule=SHORT)
    beads = place_beads(SMALL, seed=0)
    start, last = beads.positions, read(tmp_path / "one/carrier_004.pdb").atoms.positions
    one, other = beads.bonds.T
    stretch = np.linalg.norm(last[one] - last[other], axis=1)
    stretch -= np.linalg.norm(start[one] - start[other], axis=1)
    assert np.abs(stretch).max() < 1.5  # thermal: sqrt(k T / bond_stiffness) = 0.22 angstrom
    assert stretch.std() > 0.05  # it moves


# === Files ===


def read(path):
    return MDAnalysis.Universe(str(path), to_guess=())


def test_mdanalysis_reads_what_was_simulated(tmp_path, monkeypatch):
    frames = []

    def recorded(*arguments):
        for positions in original(*arguments):
            frames.append(positions)
            yield positions

    original = MODULE.run
    monkeypatch.setattr(MODULE, "run", recorded)
    folder = tmp_path / "some" / "carrier"
    distances = write_simulation(SMALL, folder, index=1, seed=4, schedule=SHORT)
    names = [f"carrier_{number:03d}.pdb" for number in (1, 2, 3, 4)]
    assert sorted(path.name for path in folder.iterdir()) == [*names, "simulation.json"]
    assert [path.name for path in folder.parent.iterdir()] == ["carrier"]

    beads = place_beads(SMALL, seed=4, index=1)
    for number, (name, expected) in enumerate(zip(names, frames, strict=True)):
        universe = read(folder / name)
        assert tuple(universe.residues.resnames) == beads.residue_names
        assert set(universe.select_atoms("resname AU").names) == {"Au"}
        assert set(universe.select_atoms("resname AU").elements) == {"Au"}
        assert set(universe.select_atoms("resname WAT").elements) == {"O"}
        assert set(universe.atoms.chainIDs) == {"A", "B", "C"}
        np.testing.assert_array_equal(universe.atoms.resindices, beads.residues)
        np.testing.assert_allclose(universe.atoms.positions, expected, rtol=0, atol=0.00051)
        core = universe.select_atoms("resname AU").center_of_geometry()
        for head in ("OQL", "ONC"):
            heads = universe.select_atoms(f"resname {head}")
            centres = heads.center_of_geometry(compound="residues")
            mean = np.linalg.norm(centres - core, axis=1).mean()
            assert distances[head][number] == pytest.approx(mean, abs=0.001)
    assert np.abs(frames[1] - frames[0]).max() > 0.01


def test_description_says_how_it_was_made(tmp_path):
    distances = write_simulation(SMALL, tmp_path / "one", seed=4, schedule=SHORT)
    found = json.loads((tmp_path / "one/simulation.json").read_text())
    assert DrugCarrier(**found["carrier"]) == SMALL
    assert Schedule(**found["schedule"]) == SHORT
    assert (found["seed"], found["index"]) == (4, 0)
    assert found["num_beads"] == len(place_beads(SMALL, 0).positions)
    assert found["frame_spacing"] == pytest.approx(5 * 0.02)
    assert found["units"]["length"] == "angstrom"
    assert found["versions"]["openmm"].startswith("8.")
    assert "demonstration" in found["what"]
    for name, values in distances.items():
        assert found["mean_distance_from_core"][name] == values.tolist()


def test_simulations_are_repeatable(tmp_path):
    def simulate(name, index):
        write_simulation(SMALL, tmp_path / name, index, schedule=SHORT)
        return read(tmp_path / name / "carrier_004.pdb").atoms.positions

    first = simulate("first", 0)
    np.testing.assert_array_equal(simulate("again", 0), first)
    assert np.abs(simulate("other", 1) - first).max() > 1


@pytest.mark.parametrize(("switch_frame", "first_attracted"), [(None, 4), (2, 2)])
def test_drugs_are_attracted_from_the_switch_frame_on_or_never(
    monkeypatch, switch_frame, first_attracted
):
    contexts = []

    def make_grouped_system(*arguments):
        system = make_system(*arguments)
        [attraction] = [f for f in system.getForces() if f.getName() == "CustomCentroidBondForce"]
        attraction.setForceGroup(1)
        return system

    def make_kept_context(*arguments):
        contexts.append(original(*arguments))
        return contexts[-1]

    original = openmm.Context
    runner = importlib.import_module("socialmd.simulation.drug_carrier.run")
    monkeypatch.setattr(runner, "make_system", make_grouped_system)
    monkeypatch.setattr(runner.openmm, "Context", make_kept_context)
    schedule = dataclasses.replace(SHORT, switch_frame=switch_frame)
    frames = runner.run(SMALL, place_beads(SMALL, 0), schedule, seed=1)
    attracted = []
    for _ in frames:
        state = contexts[0].getState(getForces=True, groups={1})
        attracted.append(bool(np.abs(state.getForces(asNumpy=True)._value).any()))
    assert attracted == [number >= first_attracted for number in range(4)]


def test_finished_simulation_is_not_made_again(tmp_path, monkeypatch):
    folder = tmp_path / "one"
    first = write_simulation(SMALL, folder, schedule=SHORT)
    monkeypatch.setattr(MODULE, "run", None)
    again = write_simulation(SMALL, folder, schedule=SHORT)
    for name in ("OQL", "ONC"):
        np.testing.assert_array_equal(first[name], again[name])
    with pytest.raises(ValueError, match=r"simulation\.json: .* seed: expected 1, found 0"):
        write_simulation(SMALL, folder, seed=1, schedule=SHORT)
    other = dataclasses.replace(SMALL, friction=1.0)
    with pytest.raises(ValueError, match=r"carrier\.friction: expected 1\.0, found 2\.0"):
        write_simulation(other, folder, schedule=SHORT)
    (folder / "carrier_005.pdb").write_text("of a longer one")
    with pytest.raises(ValueError, match=r"carrier_005\.pdb: expected only what the simulation"):
        write_simulation(SMALL, folder, schedule=SHORT)
    (folder / "carrier_005.pdb").unlink()
    (folder / "carrier_002.pdb").unlink()
    with pytest.raises(ValueError, match=r"found no carrier_002\.pdb; choose another"):
        write_simulation(SMALL, folder, schedule=SHORT)
    (folder / "simulation.json").write_text("{}")
    with pytest.raises(ValueError, match="made otherwise: carrier"):
        write_simulation(SMALL, folder, schedule=SHORT)
    (folder / "simulation.json").write_text("{")
    with pytest.raises(ValueError, match=r"simulation\.json: expected JSON"):
        write_simulation(SMALL, folder, schedule=SHORT)


def test_interrupted_simulation_leaves_no_folder_and_is_made_anew(tmp_path, monkeypatch):
    def interrupted(*arguments):
        yield from itertools.islice(original(*arguments), 2)
        assert len(list((tmp_path / "one/.unfinished").iterdir())) == 2
        raise KeyboardInterrupt

    original = MODULE.run
    with monkeypatch.context() as patch:
        patch.setattr(MODULE, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_simulation(SMALL, tmp_path / "one", schedule=SHORT)
    assert list(tmp_path.iterdir()) == []
    unfinished = tmp_path / "one/.unfinished"  # as a process that is killed leaves it
    unfinished.mkdir(parents=True)
    (unfinished / "carrier_009.pdb").write_text("of a longer one")
    write_simulation(SMALL, tmp_path / "one", schedule=SHORT)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert len(list((tmp_path / "one").glob("*.pdb"))) == 4


def test_other_folder_is_left_alone(tmp_path):
    (tmp_path / "carrier_001.pdb").write_text("mine")
    with pytest.raises(ValueError, match=r"finished simulation, found no simulation\.json"):
        write_simulation(SMALL, tmp_path, schedule=SHORT)
    assert (tmp_path / "carrier_001.pdb").read_text() == "mine"


# === Bad arguments ===


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_drugs": 0}, "num_drugs: expected an integer greater than 0, found 0"),
        ({"num_drugs": 2.0}, "num_drugs: .* found 2.0"),
        ({"num_backgrounds": True}, "num_backgrounds: .* found True"),
        ({"num_waters": -1}, "num_waters: .* of 0 or more, found -1"),
        ({"bond_length": 0.0}, "bond_length: expected a finite number greater than 0, found 0.0"),
        ({"attraction": -1.0}, "attraction: .* found -1.0"),
        ({"temperature": math.nan}, "temperature: .* found nan"),
        ({"friction": math.inf}, "friction: .* found inf"),
        ({"time_step": "0.02"}, "time_step: .* found '0.02'"),
        ({"core_radius": 4.0}, "core_radius: expected at least lattice_constant = 4.08, found 4"),
        ({"num_drugs": 200}, r"num_drugs \+ num_backgrounds: expected at most \d+ .*, found 240"),
    ],
)
def test_impossible_carriers_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        DrugCarrier(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_frames": 0}, "num_frames: expected an integer of 1 or more, found 0"),
        ({"steps_per_frame": 0}, "steps_per_frame: expected an integer of 1 or more, found 0"),
        ({"steps_per_frame": 5.0}, "steps_per_frame: .* found 5.0"),
        ({"equilibration_steps": -1}, "equilibration_steps: .* 0 or more, found -1"),
        ({"switch_frame": -1}, "switch_frame: .*from 0 to 299, .*found -1"),
        ({"switch_frame": 2.5}, "switch_frame: .*found 2.5"),
        ({"num_frames": 60}, "switch_frame: expected None .*from 0 to 59, .*found 60"),
    ],
)
def test_impossible_schedules_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Schedule(**arguments)


def test_impossible_states_are_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="seed: expected 0 or more, found -1"):
        write_simulation(SMALL, tmp_path / "one", seed=-1, schedule=SHORT)
    with pytest.raises(ValueError, match="index: expected 0 or more, found -2"):
        place_beads(SMALL, 0, -2)
    with pytest.raises(ValueError, match="largest_change: expected 0 or more, found -1"):
        SMALL.vary_heads(-1, seed=0)
    with pytest.raises(ValueError, match=r"num_\w+: expected an integer greater than 0, found -"):
        SMALL.vary_heads(10**6, seed=1)
    monkeypatch.setattr("socialmd.simulation.drug_carrier.beads.MAX_ATTEMPTS", 20)
    crowded = dataclasses.replace(SMALL, core_radius=4.1, chain_beads=1, num_waters=10_000)
    with pytest.raises(ValueError, match=r"num_waters: expected as many as fit .* found 10000"):
        place_beads(crowded, 0)
    assert list(tmp_path.iterdir()) == []


def test_exploding_simulation_is_an_error(tmp_path):
    carrier = DrugCarrier(
        core_radius=5.0, num_drugs=1, num_backgrounds=1, num_waters=0, time_step=10.0
    )
    with pytest.raises(FloatingPointError, match="frame 1: "):
        write_simulation(carrier, tmp_path / "one", schedule=SHORT)
    assert not (tmp_path / "one").exists()


def test_openmm_is_needed_for_the_carrier_only():
    program = """
import sys
import socialmd.simulation
assert "openmm" not in sys.modules
sys.modules["openmm"] = None
import socialmd.simulation.drug_carrier
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 1
    assert "ModuleNotFoundError: molecular dynamics are simulated with OpenMM" in result.stderr
    assert 'pip install -e ".[md]"' in result.stderr
