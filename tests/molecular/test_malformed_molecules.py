"""Faults of molecules rather than of files: wrong selections, names, atoms and imaging."""

import re
from pathlib import Path

import numpy as np
import pytest

from socialmd.molecular.molecule_trajectories import MoleculeTrajectories
from socialmd.molecular.simulation_files import SimulationFiles
from tests.molecular.refusals import refuse, run
from tests.molecular.small_pdb import Atom, make_atoms, make_frames, to_text, write_series


@pytest.fixture
def texts(rng: np.random.Generator) -> list[str]:
    return make_frames(4, rng)


# === Selections and names ===


@pytest.mark.parametrize("argument", ["selection", "centre"])
def test_a_selection_that_finds_nothing(tmp_path: Path, texts: list[str], argument: str) -> None:
    refuse(
        write_series(tmp_path, texts),
        rf"x\.pdb\.1: {argument}: expected atoms, found none of 'resname XYZ'; residues in the "
        r"file: AU \(4\), OQL \(2\), WAT \(2\), ONC \(1\)",
        **{argument: "resname XYZ"},
    )


def test_no_gold(tmp_path: Path) -> None:
    source = write_series(tmp_path, [to_text(make_atoms()[4:])])
    refuse(source, "centre: expected atoms, found none of 'name AU Au'")


def test_a_selection_that_is_none(tmp_path: Path, texts: list[str]) -> None:
    refuse(write_series(tmp_path, texts), "selection: .*'resnam OQL'", selection="resnam OQL")


@pytest.mark.parametrize("names", [["OQL"], ["OQL", "ONC", "OCQ"]])
def test_other_names_than_given(tmp_path: Path, texts: list[str], names: list[str]) -> None:
    source = write_series(tmp_path, texts)
    refuse(source, rf"names: expected .* {', '.join(names)}, found ONC, OQL", names=names)


# === Molecules that ran together ===

TOGETHER = r"expected a molecule of 4 atoms \(C1 N2 O3 C4\), found 8 atoms \(C1 N2 O3 C4 C1 .*TER"


def drugs(resids: list[str], between: str = "") -> str:
    """Three drugs in a row and one gold atom."""
    drug = make_atoms()[4:8]
    atoms = [[atom._replace(resid=resid) for atom in drug] for resid in resids]
    return between.join(to_text(molecule, end="") for molecule in [*atoms, make_atoms()[:1]])


@pytest.mark.parametrize(
    ("resids", "place"),
    [
        (["7", "8", "8"], "OQL 8"),
        (["8", "8", "7"], "OQL 8"),
        (["8", "8"], "OQL 8"),
        (["9999", "A000", "A001"], "OQL 1"),
    ],
)
def test_molecules_of_one_number(tmp_path: Path, resids: list[str], place: str) -> None:
    source = write_series(tmp_path, [drugs(resids, between="TER\n")])
    refuse(source, rf"x\.pdb\.1: {place}: {TOGETHER}")


def test_a_molecule_with_other_atoms_than_its_like(tmp_path: Path) -> None:
    text = drugs(["1", "2", "3"]).replace("O3   OQL     2", "O9   OQL     2")
    refuse(
        write_series(tmp_path, [text]),
        r"OQL 2: expected a molecule of 4 atoms \(C1 N2 O3 C4\), found 4 atoms \(C1 N2 O9 C4\)",
    )


def test_alternate_locations(tmp_path: Path, texts: list[str]) -> None:
    texts = [text.replace("N2   OQL     8", "N2  BOQL     8") for text in texts]
    refuse(write_series(tmp_path, texts), r"x\.pdb\.1: atom 16, N2 of OQL 8: .* found 'B'")


@pytest.mark.parametrize("frames", [(4, None), (2, 2)])
def test_a_run_without_frames(
    tmp_path: Path, texts: list[str], frames: tuple[int, int | None]
) -> None:
    files = SimulationFiles.find(write_series(tmp_path, texts))
    message = re.escape(f"expected some of 4 frames, found {frames[0]}, {frames[1]}, None")
    with pytest.raises(ValueError, match=message):
        MoleculeTrajectories(files).run(*frames)


# === Periodic boxes ===

BOX = 40.0


def cut(atoms: list[Atom], first: int, last: int) -> list[Atom]:
    """Some atoms a box further."""
    moved = [atom._replace(x=atom.x + BOX) for atom in atoms[first:last]]
    return atoms[:first] + moved + atoms[last:]


@pytest.mark.parametrize("box", [None, BOX])
@pytest.mark.parametrize(
    ("atoms", "name"), [((15, 18), "OQL 8"), ((11, 12), "ONC 7"), ((2, 3), "the core")]
)
def test_a_molecule_that_is_cut_warns_once(
    tmp_path: Path, box: float | None, atoms: tuple[int, int], name: str
) -> None:
    whole, broken = make_atoms(), cut(make_atoms(), *atoms)
    texts = [to_text(frame, box) for frame in (whole, broken, broken)]
    expected = rf"x\.pdb\.2: {name} has a gap of more than 10 angstrom .* cpptraj"
    with pytest.warns(UserWarning, match=expected) as found:
        run(write_series(tmp_path, texts), representative="first_frame")
    assert len([warning for warning in found if "gap" in str(warning.message)]) == 1


def test_water_may_be_cut(tmp_path: Path) -> None:
    frames = [make_atoms(), cut(make_atoms(), 9, 10)]
    run(write_series(tmp_path, [to_text(frame, BOX) for frame in frames]))


def test_a_molecule_that_jumps_warns_once(tmp_path: Path) -> None:
    frames = [make_atoms(), cut(make_atoms(), 4, 8), make_atoms()]
    source = write_series(tmp_path, [to_text(frame, 1.99 * BOX) for frame in frames])
    expected = (
        r"molecule 1 \(OQL\) moves by more than half the periodic box between frames x\.pdb\.1 "
        r"and x\.pdb\.2, and so do 0 others; .*cpptraj"
    )
    with pytest.warns(UserWarning, match=expected) as found:
        run(source)
    assert len(found) == 1


def test_steps_of_less_than_half_the_box_are_none_of_its_walls(tmp_path: Path) -> None:
    frames = [make_atoms(), cut(make_atoms(), 4, 8)]
    run(write_series(tmp_path, [to_text(frame, 2.01 * BOX) for frame in frames]))


# === What MDAnalysis warns of ===


def test_harmless_warnings_are_silent(tmp_path: Path) -> None:
    """Neither a unit cell of 1 angstrom, nor elements, serial numbers or bonds matter."""
    text = to_text(make_atoms(), box=1.0, end="CONECT    1   99\nEND\n")
    text = text.replace("ATOM     21", "ATOM  *****")
    lines = [line.ljust(76) + "Xx" if "AU" in line else line for line in text.splitlines()]
    run(write_series(tmp_path, ["\n".join(lines) + "\n"]))


def test_other_warnings_are_shown(tmp_path: Path) -> None:
    text = to_text(make_atoms(), box=40.0).replace("40.000", "4x.000")
    with pytest.warns(UserWarning, match="Failed to read CRYST1"):
        run(write_series(tmp_path, [text]))
