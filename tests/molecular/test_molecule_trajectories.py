import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from socialmd.molecular.molecule_trajectories import MoleculeTrajectories
from socialmd.molecular.simulation_files import SimulationFiles
from tests.molecular.refusals import trajectories
from tests.molecular.small_pdb import (
    BACKGROUND,
    DRUG,
    NAMES,
    REPRESENTATIVES,
    make_atoms,
    make_frames,
    reference,
    to_text,
    write_frames,
    write_series,
)

NUM_FRAMES = 7
# MDAnalysis keeps float32, and XTC three decimals of a nanometre.
TOLERANCE = {"xtc": 0.011}


@pytest.fixture
def texts(rng: np.random.Generator) -> list[str]:
    return make_frames(NUM_FRAMES, rng)


def radius_of_ball(atoms):
    """By the mean square distance of all pairs, which is twice the squared radius of gyration."""
    x = np.array(list(atoms), float)
    pairs = np.square(x[:, None] - x).sum(axis=-1)
    return np.sqrt(5 / 3 * pairs.mean() / 2)


@pytest.mark.parametrize("kind", ["series", "models", "ends", "dcd", "xtc", "trr", "nc"])
def test_all_formats_agree_with_a_slow_reader(tmp_path: Path, texts: list[str], kind: str) -> None:
    results = trajectories(write_frames(tmp_path, texts, kind)).run().results
    assert results.positions.dtype == np.float64
    np.testing.assert_allclose(
        results.positions, reference(texts), rtol=0, atol=TOLERANCE.get(kind, 2e-5)
    )
    assert results.names == NAMES
    assert results.atoms == REPRESENTATIVES
    drug, background = (radius_of_ball(atoms.values()) for _, atoms in (DRUG, BACKGROUND))
    np.testing.assert_allclose(results.radii, [drug, background, drug], atol=0.01)
    numbers = range(NUM_FRAMES)
    labels = [f"x.pdb.{number + 1}" if kind == "series" else str(number) for number in numbers]
    assert results.frames == labels


@pytest.mark.parametrize("kind", ["series", "models", "dcd", "xtc"])
def test_two_workers_find_the_same(tmp_path: Path, texts: list[str], kind: str) -> None:
    source = write_frames(tmp_path, texts, kind)
    one, two = (trajectories(source, num_workers=number).run().results for number in (1, 2))
    np.testing.assert_array_equal(one.positions, two.positions)
    np.testing.assert_array_equal(one.radii, two.radii)
    assert one._replace(positions=None, radii=None) == two._replace(positions=None, radii=None)


@pytest.mark.parametrize("kind", ["series", "models", "dcd"])
@pytest.mark.parametrize("frames", [(2, None, 2), (None, 5, None), (-3, None, None), (3, 4, None)])
def test_a_run_reads_a_slice(
    tmp_path: Path, texts: list[str], kind: str, frames: tuple[int | None, ...]
) -> None:
    results = trajectories(write_frames(tmp_path, texts, kind)).run(*frames).results
    # Representatives and origin are those of the first frame of the run.
    expected = reference(texts[slice(*frames)])
    np.testing.assert_allclose(results.positions, expected, rtol=0, atol=2e-5)
    assert len(results.frames) == len(expected)


def test_representatives_can_be_chosen_anew(tmp_path: Path, texts: list[str]) -> None:
    source = write_series(tmp_path, texts)
    results = trajectories(source, representative="every_frame").run().results
    expected = reference(texts, every_frame=True)
    np.testing.assert_allclose(results.positions, expected, rtol=0, atol=2e-5)
    # The atoms move enough to make a difference.
    assert np.abs(expected - reference(texts)).max() > 0.5


def test_the_origin_moves_with_the_same_gold_atom(tmp_path: Path) -> None:
    frames = [make_atoms(), make_atoms()]
    # Another atom becomes the central one, and everything moves: (1, 2, 3) more for the drugs.
    gold = frames[1]
    gold[0], gold[1] = gold[0]._replace(x=0.6, y=-0.2), gold[1]._replace(x=9.0)
    frames[1] = [atom._replace(y=atom.y + 2, z=atom.z + 3) for atom in gold]
    source = write_series(tmp_path, [to_text(atoms) for atoms in frames])
    first, second = trajectories(source).run().results.positions
    np.testing.assert_allclose(first[0], np.subtract((11.2, 2.1, -2), (0.5, 0, 0.5)), atol=1e-5)
    np.testing.assert_allclose(second - first, np.tile([-8.5, 0, 0], (3, 1)), atol=1e-5)


def test_atoms_that_are_not_selected_do_not_count_for_the_centre(
    tmp_path: Path, texts: list[str]
) -> None:
    source = write_series(tmp_path, texts)
    results = trajectories(source, selection="resname OQL and not name C4").run().results
    assert results.atoms == ("N2", "N2")


def test_names_may_be_given(tmp_path: Path, texts: list[str]) -> None:
    results = trajectories(write_series(tmp_path, texts), names=["ONC", "OQL"]).run().results
    assert results.names == NAMES


@pytest.mark.parametrize(
    "resids",
    [
        [*range(9995, 10000), *range(4)],  # 9999, 0: tleap, cpptraj
        [*range(9994, 10000), 1, 2, 3],  # 9999, 1
        [1, 2, 3, 4, 9999, *["A000"] * 4],  # hybrid-36: all one, but of different names
    ],
)
def test_molecules_stay_apart_where_residue_numbers_wrap(
    tmp_path: Path, resids: list[int | str]
) -> None:
    write_series(tmp_path, [to_text(make_atoms(resids))])
    results = trajectories(tmp_path).run().results
    assert results.names == NAMES
    np.testing.assert_allclose(
        results.positions, reference([to_text(make_atoms())]), rtol=0, atol=1e-5
    )


def open_files() -> list[str]:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("this system does not list open files")
    return [os.path.realpath(path) for path in descriptors.iterdir()]


@pytest.mark.parametrize(("kind", "most"), [("series", 0), ("models", 0), ("dcd", 1), ("xtc", 1)])
def test_files_are_closed_behind_the_reader(
    tmp_path: Path, texts: list[str], monkeypatch: pytest.MonkeyPatch, kind: str, most: int
) -> None:
    def count_open() -> int:
        return sum(path.startswith(str(tmp_path)) for path in open_files())

    counts = []
    # Called in every frame, for the molecules and for the core.
    find_broken = "socialmd.molecular.follow_atoms.find_broken"
    monkeypatch.setattr(find_broken, lambda *_: counts.append(count_open()))
    source = write_frames(tmp_path, texts, kind)
    gc.collect()
    gc.disable()  # it might close what the reader should
    try:
        trajectories(source).run()
        assert counts == [most] * 2 * NUM_FRAMES
        assert count_open() == 0
    finally:
        gc.enable()


def test_progress_is_shown_if_asked(
    tmp_path: Path, texts: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    source = write_series(tmp_path, texts)
    trajectories(source).run()
    assert capfd.readouterr().err == ""
    trajectories(source).run(verbose=True)
    assert f"{NUM_FRAMES}/{NUM_FRAMES}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"names": "OQL"}, "names: expected a sequence of names, found 'OQL'"),
        ({"representative": "often"}, "representative: expected first_frame or every_frame"),
        ({"num_workers": 0}, "num_workers: expected at least 1, found 0"),
    ],
)
def test_impossible_options_are_refused(option: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MoleculeTrajectories(SimulationFiles((Path("x.pdb"),)), **option)


def test_a_script_that_cannot_be_imported_is_told_what_to_do(
    tmp_path: Path, texts: list[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"""
from socialmd.molecular.molecule_trajectories import MoleculeTrajectories
from socialmd.molecular.simulation_files import SimulationFiles
files = SimulationFiles.find({str(write_series(tmp_path / "series", texts))!r})
MoleculeTrajectories(files, num_workers=2).run()
""")
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    answer = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=environment
    )
    assert answer.returncode == 1
    assert "RuntimeError: a process that read frames ended early." in answer.stderr
    assert "num_workers=1" in answer.stderr


def test_workers_do_not_load_tensorflow_and_the_package_needs_no_mdanalysis() -> None:
    # None in sys.modules makes an import fail.
    script = """
import sys
sys.modules["MDAnalysis"] = None
from socialmd.molecular import follow_atoms, molecule_trajectories, simulation_files
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
try:
    molecule_trajectories.MDAnalysis.Universe
except ModuleNotFoundError as error:
    print(error)
"""
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "pip install 'socialmd[md]'" in answer.stdout
