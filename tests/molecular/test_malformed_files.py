"""Every fault is named with file, frame and atom; nothing is left of a run that fails."""

import os
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from socialmd.molecular.frame_times import read_frame_spacing
from socialmd.molecular.simulation_files import SimulationFiles
from tests.molecular.refusals import refuse, run, trajectories
from tests.molecular.small_pdb import (
    Atom,
    as_models,
    make_atoms,
    make_frames,
    reference,
    to_text,
    write_frames,
    write_series,
    write_trajectory,
)

NUM_ATOMS = 21
# MDAnalysis' readers fail once more when they are deleted half opened.
half_opened = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
Change = Callable[[list[Atom]], list[Atom]]


@pytest.fixture
def texts(rng: np.random.Generator) -> list[str]:
    return make_frames(4, rng)


def replace_atom(index: int, **values: object) -> Change:
    return lambda atoms: [*atoms[:index], atoms[index]._replace(**values), *atoms[index + 1 :]]


def replace_coordinates(text: str, atom: int, coordinates: str) -> str:
    lines = text.splitlines(keepends=True)
    lines[atom] = lines[atom][:30] + coordinates + lines[atom][54:]
    return "".join(lines)


# === Cut short ===


@pytest.mark.parametrize("kind", ["series", "models", "ends"])
@pytest.mark.parametrize("column", [14, 35, 45, 53])
def test_a_file_that_ends_within_an_atom(
    tmp_path: Path, texts: list[str], kind: str, column: int
) -> None:
    lines = texts[-1].splitlines(keepends=True)
    texts[-1] = "".join(lines[: NUM_ATOMS - 1]) + lines[NUM_ATOMS - 1][:column]
    source = write_frames(tmp_path, texts, kind)
    if kind == "models":  # as_models goes on behind it
        path = Path(source)
        path.write_text(path.read_text().removesuffix("ENDMDL\nEND\n"))
    place = r"x\.pdb\.4" if kind == "series" else rf"{kind}\.pdb, frame 3"
    refuse(source, rf"{place}: atom 21 \(H2? of .*found {column} characters.*cut short")


@pytest.mark.parametrize("kind", ["series", "models"])
def test_a_file_that_ends_between_two_atoms(tmp_path: Path, texts: list[str], kind: str) -> None:
    texts[-1] = "".join(texts[-1].splitlines(keepends=True)[: NUM_ATOMS - 1])
    place = r"x\.pdb\.4" if kind == "series" else r"models\.pdb, frame 3"
    refuse(
        write_frames(tmp_path, texts, kind),
        rf"{place}: expected 21 atoms as in .*, found 20; atom 21: expected H2 of WAT 9 as in .*, "
        "found no more atoms",
    )


def test_a_first_file_that_is_cut_short(tmp_path: Path, texts: list[str]) -> None:
    texts[0] = "".join(texts[0].splitlines(keepends=True)[: NUM_ATOMS - 1])
    refuse(
        write_series(tmp_path, texts),
        r"x\.pdb\.2: expected 20 atoms as in .*x\.pdb\.1, found 21; atom 21: expected no more "
        r"atoms as in .*x\.pdb\.1, found H2 of WAT 9",
    )


def test_a_missing_end_is_no_fault(tmp_path: Path, texts: list[str]) -> None:
    bare = [text.removesuffix("END\n") for text in texts]
    positions = run(write_series(tmp_path / "series", bare)).results.positions
    np.testing.assert_allclose(positions, reference(texts), rtol=0, atol=2e-5)
    models = as_models(texts).replace("ENDMDL\n", "").replace("END\n", "")
    (tmp_path / "models.pdb").write_text(models)
    np.testing.assert_array_equal(run(tmp_path / "models.pdb").results.positions, positions)


@pytest.mark.parametrize("kind", ["after every model", "before models", "before frames"])
@pytest.mark.parametrize("num_workers", [1, 2])
def test_an_end_more_is_no_fault(
    tmp_path: Path, texts: list[str], kind: str, num_workers: int
) -> None:
    data = {
        "after every model": "".join(map(as_models, ([text] for text in texts))),
        "before models": "END\n" + as_models(texts),
        "before frames": "END\n" + "".join(texts),
    }[kind]
    (tmp_path / "x.pdb").write_text(data)
    for start in (0, 1):
        molecules = trajectories(tmp_path / "x.pdb", num_workers=num_workers)
        results = molecules.run(start=start).results
        assert results.frames == [str(number) for number in range(start, len(texts))]
        np.testing.assert_allclose(results.positions, reference(texts[start:]), rtol=0, atol=2e-5)


def test_files_of_a_series_may_begin_with_an_end(tmp_path: Path, texts: list[str]) -> None:
    results = run(write_series(tmp_path, [f"END\n{text}" for text in texts])).results
    np.testing.assert_allclose(results.positions, reference(texts), rtol=0, atol=2e-5)


@pytest.mark.parametrize("data", ["", "REMARK\nEND\n", "\0\1\2"])
def test_a_file_without_atoms(tmp_path: Path, texts: list[str], data: str) -> None:
    texts[2] = data
    refuse(write_series(tmp_path / "series", texts), r"x\.pdb\.3: expected atoms .*, found none")
    (tmp_path / "models.pdb").write_text(data)
    refuse(tmp_path / "models.pdb", r"models\.pdb.*: expected .*, found (none|an empty file)")


def test_a_model_without_atoms(tmp_path: Path, texts: list[str]) -> None:
    (tmp_path / "models.pdb").write_text(as_models(texts).removesuffix("END\n") + "MODEL 5\n")
    refuse(tmp_path / "models.pdb", r"models\.pdb, frame 4: expected atoms .*, found none")


@half_opened
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            "dcd",
            ", frame 3: expected 332 bytes as in every frame, found 322; the file is cut short",
        ),
        ("xtc", ", frame 3: MDAnalysis cannot read it, the file may be cut short"),
        ("trr", ", frame 3: MDAnalysis cannot read it, the file may be cut short"),
        ("nc", ": MDAnalysis cannot read them"),
    ],
)
def test_a_trajectory_that_is_cut_short(
    tmp_path: Path, texts: list[str], kind: str, message: str
) -> None:
    source = write_trajectory(tmp_path, texts, kind)
    trajectory = tmp_path / f"x.{kind}"
    os.truncate(trajectory, trajectory.stat().st_size - 10)
    refuse(source, rf"x\.{kind}{message}")


# === Times ===


def write_times(folder: Path, rng: np.random.Generator, times: list[float], kind: str) -> str:
    """Frames of these times, in picoseconds."""
    return write_trajectory(folder, make_frames(len(times), rng), kind, times)


@pytest.mark.parametrize("kind", ["xtc", "trr", "nc"])
@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0, 10, 20, 30, 40, 30, 40, 50], "frame 5: expected time 50 ps, found 30 ps"),
        ([0, 10, 20, 20, 30], "frame 3: expected time 30 ps, found 20 ps"),
        ([0, 10, 20, 40, 50], "frame 3: expected time 30 ps, found 40 ps"),
        ([0, 0, 10], "frame 2: expected time 0 ps, found 10 ps"),
        ([20, 10, 0], "frame 1: expected time a later one, found 10 ps"),
    ],
)
def test_times_that_do_not_follow_each_other(
    tmp_path: Path, rng: np.random.Generator, kind: str, times: list[float], message: str
) -> None:
    source = write_times(tmp_path, rng, times, kind)
    refuse(source, rf"x\.{kind}, {message}")
    run(source, ignore_times=True)


@pytest.mark.parametrize("times", [[5.0, 15.0, 25.0, 35.0], [0.0] * 4])
def test_times_that_follow_or_say_nothing(
    tmp_path: Path, rng: np.random.Generator, times: list[float]
) -> None:
    molecules = trajectories(write_times(tmp_path, rng, times, "xtc"))
    molecules.run().run(step=2)
    with closing(molecules.files.open()) as frames:
        assert read_frame_spacing(frames, range(4)) == (10.0 if any(times) else None)
        assert read_frame_spacing(frames, range(1)) is None


def test_late_times_are_rounded(tmp_path: Path, rng: np.random.Generator) -> None:
    """After ten microseconds float32 has no more than picoseconds."""
    run(write_times(tmp_path, rng, [1e7 + 10.3 * number for number in range(6)], "xtc"))


def test_the_last_frame_tells_of_those_in_between(tmp_path: Path, rng: np.random.Generator) -> None:
    files = SimulationFiles.find(write_times(tmp_path, rng, [0, 10, 20, 40, 50], "xtc"))
    message = "frame 4: expected time 40 ps, 4 frames after 0 ps, 10 ps apart, found 50 ps"
    with closing(files.open()) as frames, pytest.raises(ValueError, match=message):
        read_frame_spacing(frames, range(5))


@pytest.mark.parametrize(
    ("serials", "message"),
    [
        ([1, 2, 4, 5], "frame 2: expected MODEL 3, found MODEL 4"),
        ([1, 2, 2, 3], "frame 2: expected MODEL 3, found MODEL 2"),
        ([1, 1, 2, 3], "frame 1: expected MODEL 2, found MODEL 1"),
        ([1, 2, 1, 2], "frame 2: expected MODEL 3, found MODEL 1"),
        ([1, 2, 3, 4], None),
        ([0, 10, 20, 30], None),
        ([9998, 9999, 0, 1], None),  # the number has four digits
        ([1, 1, 1, 1], None),  # four files of one model, put together
    ],
)
def test_numbers_of_models_are_their_times(
    tmp_path: Path, texts: list[str], serials: list[int], message: str | None
) -> None:
    bodies = [text.removesuffix("END\n") for text in texts]
    models = [f"MODEL     {n:4d}\n{b}ENDMDL\n" for n, b in zip(serials, bodies, strict=True)]
    (tmp_path / "x.pdb").write_text("REMARK\n" + "".join(models))
    if message is None:
        run(tmp_path / "x.pdb")
    else:
        refuse(tmp_path / "x.pdb", rf"x\.pdb, {message}")


# === Text ===


@pytest.mark.parametrize("kind", ["series", "models", "ends", "dcd"])
def test_a_byte_order_mark_is_no_atom(tmp_path: Path, kind: str) -> None:
    """The first atom is the centre here: molecules would be seen from another one without it."""
    gold = make_atoms()
    texts = [to_text([gold[1], gold[0], *gold[2:]])] * 2
    source = write_frames(tmp_path, texts, kind)
    expected = run(source).results
    for path in [*tmp_path.rglob("*.pdb"), *tmp_path.rglob("x.pdb.*")]:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    np.testing.assert_array_equal(run(source).results.positions, expected.positions)


def test_utf_16_is_named(tmp_path: Path, texts: list[str]) -> None:
    source = write_series(tmp_path, texts)
    (tmp_path / "x.pdb.2").write_text(texts[1], encoding="utf-16")
    refuse(source, r"x\.pdb\.2: expected ASCII text, found UTF-16")


# === Topologies and formats ===

LAMMPS = """LAMMPS

21 atoms
1 atom types

0 99 xlo xhi
0 99 ylo yhi
0 99 zlo zhi

Masses

1 12.0

Atoms # full

""" + "".join(f"{number} 1 1 0.0 {number} 0.0 0.0\n" for number in range(1, 22))
NAMES = "expected the names of atoms and residues, found no .* Give a topology that has them"
UNREADABLE = "MDAnalysis cannot read them: .*a topology with names of atoms and residues is needed"


@half_opened
@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.xyz", "21\n\n" + "C 1.0 2.0 3.0\n" * 21, NAMES),
        ("x.data", LAMMPS, NAMES),
        ("x.prmtop", "", UNREADABLE),
        ("x.cif", "data_x\n", UNREADABLE),
        ("x.gsd", "no", UNREADABLE),
        ("x.what", "no", UNREADABLE),
    ],
)
def test_topologies_that_do_not_say_enough(
    tmp_path: Path, texts: list[str], name: str, text: str, message: str
) -> None:
    write_trajectory(tmp_path, texts, "dcd")
    (tmp_path / name).write_text(text)
    refuse(f"{tmp_path / name}:{tmp_path / 'x.dcd'}", rf"{re.escape(name)}.*: {message}")


@half_opened
@pytest.mark.parametrize("name", ["x.tng", "x.gsd", "x.what"])
def test_trajectories_of_unknown_formats_are_named(
    tmp_path: Path, texts: list[str], name: str
) -> None:
    write_trajectory(tmp_path, texts, "dcd")
    (tmp_path / name).write_text("no")
    source = f"{tmp_path / 'x.pdb.1'}:{tmp_path / name}"
    refuse(source, rf"{re.escape(name)}: {UNREADABLE}")


@half_opened
def test_netcdf_in_other_units_is_named(tmp_path: Path, texts: list[str]) -> None:
    source = write_trajectory(tmp_path, texts, "nc")
    data = (tmp_path / "x.nc").read_bytes()
    (tmp_path / "x.nc").write_bytes(data.replace(b"angstrom", b"nanomete"))
    refuse(source, r"x\.nc: MDAnalysis cannot read them: .*; convert the trajectory to angstrom")


# === Other atoms ===


@pytest.mark.parametrize("kind", ["series", "models"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda atoms: atoms[:6] + atoms[7:],
            "found 20; atom 7: expected O3 of OQL 5 as in .*, found C4 of OQL 5",
        ),
        (
            lambda atoms: [*atoms[:5], atoms[6], atoms[5], *atoms[7:]],
            "atom 6: expected N2 of OQL 5 as in .*, found O3 of OQL 5",
        ),
        (replace_atom(12, resname="ONX"), "atom 13: expected C2 of ONC 7 .*, found C2 of ONX 7"),
        # Molecules of one name in another order.
        (
            lambda atoms: atoms[:4] + atoms[14:18] + atoms[8:14] + atoms[4:8] + atoms[18:],
            "atom 5: expected C1 of OQL 5 .*, found C1 of OQL 8",
        ),
    ],
)
def test_other_atoms_than_in_the_first_frame(
    tmp_path: Path, kind: str, change: Change, message: str
) -> None:
    atoms = make_atoms()
    texts = [to_text(atoms), to_text(atoms), to_text(change(atoms))]
    place = r"x\.pdb\.3" if kind == "series" else r"models\.pdb, frame 2"
    refuse(write_frames(tmp_path, texts, kind), f"{place}: .*{message}")


def test_numbers_of_water_may_change(tmp_path: Path) -> None:
    atoms = make_atoms()
    others = [atom._replace(resid="99") if atom.resname == "WAT" else atom for atom in atoms]
    results = run(write_series(tmp_path, [to_text(atoms), to_text(others)])).results
    np.testing.assert_array_equal(*results.positions)


def test_a_trajectory_of_other_atoms_than_the_topology(tmp_path: Path, texts: list[str]) -> None:
    source = write_trajectory(tmp_path, texts, "dcd")
    (tmp_path / "x.pdb.1").write_text(to_text(make_atoms()[:-1]))
    refuse(source, r"x\.pdb\.1, .*x\.dcd: MDAnalysis cannot read them: .*same number of atoms")


def test_several_models_in_a_file_of_a_series(tmp_path: Path, texts: list[str]) -> None:
    source = write_series(tmp_path, [texts[0], as_models(texts)])
    refuse(source, r"x\.pdb\.2: expected one frame, .* found 4 models")


# === Coordinates ===


@pytest.mark.parametrize(
    ("coordinates", "message"),
    [
        ("   1.000********   3.000", r"expected three numbers .*'   1\.000\*{8}   3\.000'"),
        ("   1.000           3.000", r"expected three numbers"),
        ("     nan   2.000   3.000", r"expected finite coordinates, found \[nan, 2\.0, 3\.0\]"),
        ("   1.000   2.000    -inf", r"expected finite coordinates, found \[1\.0, 2\.0, -inf\]"),
    ],
)
@pytest.mark.parametrize(("frame", "atom", "name"), [(0, 4, "C1 of OQL 5"), (2, 20, "H2 of WAT 9")])
def test_coordinates_that_are_no_numbers(
    tmp_path: Path,
    texts: list[str],
    coordinates: str,
    message: str,
    frame: int,
    atom: int,
    name: str,
) -> None:
    texts[frame] = replace_coordinates(texts[frame], atom, coordinates)
    place = rf"x\.pdb\.{frame + 1}: atom {atom + 1} \({name}\): "
    refuse(write_series(tmp_path, texts), place + message)


@pytest.mark.parametrize("number", [np.nan, 9.96921e36])  # the second one fills NetCDF files
def test_trajectories_with_coordinates_that_are_no_numbers(tmp_path: Path, number: float) -> None:
    frames = [make_atoms(), make_atoms()]
    source = write_trajectory(tmp_path, [to_text(atoms) for atoms in frames], "nc")
    data = (tmp_path / "x.nc").read_bytes()
    last_z = np.array(make_atoms()[-1].z, ">f4").tobytes()
    end = data.rindex(last_z)
    (tmp_path / "x.nc").write_bytes(
        data[:end] + np.array(number, ">f4").tobytes() + data[end + 4 :]
    )
    refuse(source, r"x\.nc, frame 1: atom 21 \(H2 of WAT 9\): expected finite coordinates")


@pytest.mark.parametrize("frame", [0, 2])
def test_a_frame_of_zeros_was_never_written(tmp_path: Path, texts: list[str], frame: int) -> None:
    for atom in range(NUM_ATOMS):
        texts[frame] = replace_coordinates(texts[frame], atom, "   0.000" * 3)
    message = r"expected atoms at different places, found all of them at \[0\.0, 0\.0, 0\.0\]"
    refuse(write_series(tmp_path, texts), rf"x\.pdb\.{frame + 1}: {message}")


def test_charmm_s_atoms_without_a_place_are_named(tmp_path: Path, texts: list[str]) -> None:
    texts[1] = replace_coordinates(texts[1], 6, "9999.000" * 3)
    message = r"x\.pdb\.2: atom 7 \(O3 of OQL 5\): expected coordinates, .* which CHARMM writes"
    refuse(write_series(tmp_path, texts), message)


def test_a_fault_found_by_a_worker(tmp_path: Path, texts: list[str]) -> None:
    texts[3] = replace_coordinates(texts[3], 20, "********" * 3)
    message = r"x\.pdb\.4: atom 21 \(H2 of WAT 9\): expected three numbers"
    refuse(write_series(tmp_path, texts), message, num_workers=2)


def test_lines_that_end_as_on_windows(tmp_path: Path, texts: list[str]) -> None:
    expected = run(write_series(tmp_path / "unix", texts)).results.positions
    windows = [text.replace("\n", "\r\n") for text in texts]
    for kind in ("series", "models", "ends"):
        folder = tmp_path / kind
        folder.mkdir()
        frames = texts if kind == "models" else windows
        source = write_frames(folder, frames, kind)
        if kind == "models":
            path = Path(source)
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        np.testing.assert_array_equal(run(source).results.positions, expected)
