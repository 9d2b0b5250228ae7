"""Faults of molecules rather than of files: wrong selections, names, atoms and imaging."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from socialmd.molecular.molecule_trajectories import MoleculeTrajectories
from socialmd.molecular.simulation_files import SimulationFiles
from tests.molecular.refusals import refuse, run
from tests.molecular.small_pdb import (
    Atom,
    make_atoms,
    make_frames,
    read_columns,
    to_text,
    write_frames,
    write_series,
    write_trajectory,
)


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


def test_other_names_than_given(tmp_path: Path, texts: list[str]) -> None:
    refuse(
        write_series(tmp_path, texts),
        r"x\.pdb\.1: names: expected molecules named OQL or OCQ, found ONC; residues in the file: "
        r"AU \(4\), OQL \(2\), WAT \(2\), ONC \(1\)",
        names=["OQL", "OCQ"],
    )


# === Molecules that ran together ===

TOGETHER = r"expected a molecule of 4 atoms \(C1 N2 O3 C4\), found 8 atoms \(C1 N2 O3 C4 C1 .*TER"


def drugs(resids: list[str], between: str = "") -> str:
    """Three drugs in a row and one gold atom."""
    drug = make_atoms()[4:8]
    atoms = [[atom._replace(resid=resid) for atom in drug] for resid in resids]
    return between.join(to_text(molecule, end="") for molecule in [*atoms, make_atoms()[:1]])


@pytest.mark.parametrize("resids", [["7", "8", "8"], ["8", "8", "7"]])
def test_molecules_of_one_number_beside_others_are_refused(
    tmp_path: Path, resids: list[str]
) -> None:
    refuse(write_series(tmp_path, [drugs(resids)]), rf"x\.pdb\.1: OQL 8: {TOGETHER}")


def as_topology(folder: Path, text: str) -> str:
    """The frame as topology of a trajectory of itself."""
    return write_trajectory(folder, [text], "dcd")


@pytest.mark.parametrize("write", [lambda folder, text: write_series(folder, [text]), as_topology])
@pytest.mark.parametrize(
    ("resids", "between"),
    [
        (["7", "8", "8"], "TER\n"),
        (["8", "8", "8"], "TER\n"),
        (["8", "8", "8"], ""),  # all equal: the names of atoms tell
        (["9999", "A000", "A001"], ""),  # hybrid-36
        (["9998", "9999", "2710"], ""),  # decimal, hexadecimal
        (["7A", "7B", "7C"], ""),
    ],
)
def test_molecules_are_told_apart_by_what_is_written(
    tmp_path: Path, write: Callable[[Path, str], object], resids: list[str], between: str
) -> None:
    text = drugs(resids, between)
    results = run(write(tmp_path, text)).results
    assert results.names == ("OQL",) * 3
    assert results.atoms == ("O3",) * 3


def test_six_molecules_of_three_atoms_are_not_three_of_six(tmp_path: Path) -> None:
    atoms = make_atoms()[8:9] + make_atoms()[:1]
    molecules = [
        atom._replace(resid="A000", resname=name, x=atom.x + 5 * number)
        for number, name in enumerate(("OQL", "OQL", "ONC", "ONC", "OQL", "OQL"))
        for atom in make_atoms()[8:11]
    ]
    results = run(write_series(tmp_path, [to_text([*molecules, *atoms[1:]])])).results
    assert results.names == ("OQL", "OQL", "ONC", "ONC", "OQL", "OQL")


def test_residue_numbers_that_are_not_decimal_cannot_be_selected(tmp_path: Path) -> None:
    source = write_series(tmp_path, [drugs(["9999", "A000", "A001"])])
    message = r"x\.pdb\.1: selection: expected a selection without residue numbers.*\(A000\)"
    refuse(source, message, selection="resname OQL and resid 1")


def test_atoms_of_a_molecule_that_do_not_stand_together_are_named(tmp_path: Path) -> None:
    lines = drugs(["1", "2", "3"]).splitlines(keepends=True)
    apart = [*lines[:6], *lines[8:12], *lines[6:8], *lines[12:]]
    refuse(
        write_series(tmp_path, ["".join(apart)]),
        r"OQL 2: expected a molecule of 4 atoms .*, found 2 atoms \(C1 N2\), and 1 more residues "
        "of this name and number elsewhere; the atoms of a molecule must stand together",
    )


def test_a_molecule_with_other_atoms_than_its_like(tmp_path: Path) -> None:
    text = drugs(["1", "2", "3"]).replace("O3   OQL     2", "O9   OQL     2")
    refuse(
        write_series(tmp_path, [text]),
        r"OQL 2: expected a molecule of 4 atoms \(C1 N2 O3 C4\), found 4 atoms \(C1 N2 O9 C4\)",
    )


def make_beads(names: tuple[str, ...], num_molecules: int) -> str:
    """Coarse-grained molecules and one gold atom."""
    beads = [
        Atom(name, "OQL", str(number), 9.0 * number, 4.0 * index, 0.0)
        for number in range(1, num_molecules + 1)
        for index, name in enumerate(names)
    ]
    return to_text([*beads, *make_atoms()[:1]])


@pytest.mark.parametrize("names", [("N3", "N3", "N3"), ("C1", "N3", "C1", "N3")])
def test_atoms_of_coarse_grained_molecules_may_share_names(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    results = run(write_series(tmp_path, [make_beads(names, 2)])).results
    assert results.names == ("OQL", "OQL")
    assert results.atoms == (names[1], names[1])


def test_one_molecule_does_not_tell_why_names_repeat(tmp_path: Path) -> None:
    refuse(
        write_series(tmp_path, [make_beads(("N3", "N3", "N3"), 1)]),
        r"OQL 1: expected a molecule of 1 atoms \(N3\), found 3 atoms \(N3 N3 N3\)\. Either it is "
        r"several, .*; or it is one, and atoms may share a name only if there are several",
    )


def test_a_molecule_of_fewer_beads_than_its_like_is_named(tmp_path: Path) -> None:
    text = make_beads(("N3", "N3", "N3"), 3).splitlines(keepends=True)
    refuse(
        write_series(tmp_path, ["".join(text[:8] + text[9:])]),
        r"OQL 3: expected a molecule of 3 atoms \(N3 N3 N3\), found 2 atoms \(N3 N3\)",
    )


@pytest.mark.parametrize("kind", ["series", "models"])
@pytest.mark.parametrize("frame", [0, 2])
def test_alternate_locations(tmp_path: Path, texts: list[str], kind: str, frame: int) -> None:
    texts[frame] = texts[frame].replace("N2   OQL     8", "N2  BOQL     8")
    place = rf"x\.pdb\.{frame + 1}" if kind == "series" else rf"models\.pdb, frame {frame}"
    source = write_frames(tmp_path, texts, kind)
    refuse(source, rf"{place}: atom 16, N2 of OQL 8: .* found 'B'")


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
    expected = rf"x\.pdb\.2: {name} has a gap of more than 10 angstrom .* in 1 other .* cpptraj"
    source = write_series(tmp_path, texts)
    # The representative may be an atom of the part that has moved.
    moved = pytest.raises(ValueError, match="moves by more than half")
    refused = moved if name == "OQL 8" else nullcontext()
    with pytest.warns(UserWarning, match=expected) as found, refused:
        run(source, representative="first_frame")
    assert len([warning for warning in found if "gap" in str(warning.message)]) == 1


def test_a_molecule_on_the_far_side_from_the_first_frame_on_warns_once(tmp_path: Path) -> None:
    frames = [cut(make_atoms(), 4, 8)] * 3
    expected = (
        r"x\.pdb\.1: molecule 1 \(OQL\) is more than 10 angstrom further from the core than its "
        r"nearest image in the periodic box, and so are 0 others; .*cpptraj"
    )
    with pytest.warns(UserWarning, match=expected) as found:
        run(write_series(tmp_path / "box", [to_text(frame, BOX) for frame in frames]))
    assert len(found) == 1
    # Nobody knows without a box.
    run(write_series(tmp_path / "none", [to_text(frame) for frame in frames]))


def test_water_may_be_cut(tmp_path: Path) -> None:
    frames = [make_atoms(), cut(make_atoms(), 9, 10)]
    run(write_series(tmp_path, [to_text(frame, BOX) for frame in frames]))


def test_a_molecule_that_jumps_is_refused(tmp_path: Path) -> None:
    frames = [make_atoms(), cut(make_atoms(), 4, 8), make_atoms()]
    source = write_series(tmp_path, [to_text(frame, 1.99 * BOX) for frame in frames])
    expected = (
        r"molecule 1 \(OQL\) moves by more than half the periodic box between frames x\.pdb\.1 "
        r"and x\.pdb\.2, and so do 0 others; .*nojump"
    )
    refuse(source, expected)


def test_molecules_of_a_fluid_are_followed_through_the_walls(tmp_path: Path) -> None:
    frames = [make_atoms(), cut(make_atoms(), 4, 8), make_atoms()]
    source = write_series(tmp_path, [to_text(frame, 1.99 * BOX) for frame in frames])
    results = run(source, centre=None).results
    np.testing.assert_allclose(results.boxes, [1.99 * BOX * np.eye(3)] * 3, atol=2e-3)
    steps = np.diff(results.positions, axis=0)
    assert (np.abs(steps) <= 0.995 * BOX + 1e-6).all()
    np.testing.assert_allclose(results.positions[2], results.positions[0], atol=1e-6)


def test_a_fluid_has_no_centre(tmp_path: Path, texts: list[str]) -> None:
    """Places are those of the files, and need no core; there is no box."""
    fluid = [text.replace("AU   AU ", "XE   XE ") for text in texts]
    results = run(write_series(tmp_path, fluid), centre=None).results
    expected = [
        [next(a[3:] for a in read_columns(text) if (a.name, a.resid) == which) for text in fluid]
        for which in (("O3", "5"), ("C2", "7"), ("O3", "8"))
    ]
    np.testing.assert_allclose(results.positions, np.swapaxes(expected, 0, 1), rtol=0, atol=2e-5)


@pytest.mark.parametrize("angles", ["90.00  90.00 180.00", "60.00  60.00 150.00"])
def test_an_impossible_box_is_refused(tmp_path: Path, texts: list[str], angles: str) -> None:
    cell = f"CRYST1{40:9.3f}{40:9.3f}{40:9.3f}  {angles} P 1           1\n"
    refuse(
        write_series(tmp_path, [cell + text for text in texts]),
        r"x\.pdb\.1: expected lengths and angles of a periodic box, found 40 40 40 .*CRYST1",
    )


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
    with pytest.warns(UserWarning, match=r"(?s)1: Failed to read CRYST1.* \(and 3 more") as found:
        run(write_series(tmp_path, [text] * 4), num_workers=2)
    assert len(found) == 1
