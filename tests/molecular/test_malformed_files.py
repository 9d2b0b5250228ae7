"""Every fault is named with file, frame and atom; nothing is left of a run that fails."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from socialmd.molecular.molecule_trajectories import MoleculeTrajectories
from socialmd.molecular.simulation_files import SimulationFiles
from tests.molecular.refusals import refuse, run
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
    files = SimulationFiles.find(tmp_path / "x.pdb")
    for start in (0, 1):
        results = MoleculeTrajectories(files, num_workers=num_workers).run(start=start).results
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


# MDAnalysis' readers fail once more when they are deleted half opened.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
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
