import re
from pathlib import Path

import pytest

from socialmd.molecular.simulation_files import SimulationFiles


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("END\n")
    return folder


def test_a_series_is_sorted_by_number(tmp_path: Path) -> None:
    touch(tmp_path, *(f"x.pdb.{number}" for number in (10, 2, 1, 9, 3, 8, 4, 7, 5, 6)))
    files = SimulationFiles.find(tmp_path)
    assert [path.name for path in files.paths] == [f"x.pdb.{number}" for number in range(1, 11)]
    assert files.topology is None


@pytest.mark.parametrize(
    "names",
    [
        ["x_001.pdb", "x_002.pdb"],
        ["9.pdb", "10.pdb"],
        ["run2.pdb.0", "run2.pdb.1"],
        ["x1_9.PDB", "x1_10.PDB"],
        ["x.pdb.1"],
        # Every tenth frame, and so numbered.
        ["x.pdb.1", "x.pdb.11", "x.pdb.21"],
    ],
)
def test_numbers_stand_before_or_after_the_suffix(tmp_path: Path, names: list[str]) -> None:
    touch(tmp_path, *names)
    assert [path.name for path in SimulationFiles.find(str(tmp_path)).paths] == names


def test_other_files_do_not_matter(tmp_path: Path) -> None:
    touch(tmp_path, "x.pdb.1", "x.pdb.2")
    touch(tmp_path, "simulation.json", "README", ".y.pdb.1", "start.pdb", "x.pdb.1.gz", "log.1")
    (tmp_path / "y.pdb.1").mkdir()
    assert [path.name for path in SimulationFiles.find(tmp_path).paths] == ["x.pdb.1", "x.pdb.2"]


def test_frames_that_are_not_there_are_not_left_out(tmp_path: Path) -> None:
    """A link of git-annex whose file was not fetched."""
    touch(tmp_path, "x.pdb.1", "x.pdb.2")
    (tmp_path / "x.pdb.3").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"x\.pdb\.3: goes on .* a broken link\)"):
        SimulationFiles.find(tmp_path)


def test_compressed_files_alone_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "x.pdb.1.gz", "x.pdb.2.gz", "models.pdb.gz")
    with pytest.raises(FileNotFoundError, match=r"decompress models\.pdb\.gz and others"):
        SimulationFiles.find(tmp_path)
    with pytest.raises(ValueError, match=r"models\.pdb\.gz: .* found another file; decompress it"):
        SimulationFiles.find(tmp_path / "models.pdb.gz")


def test_a_folder_of_topology_and_trajectory_is_understood(tmp_path: Path) -> None:
    touch(tmp_path, "conf.gro", "traj.xtc", "traj.edr", "md.log")
    files = SimulationFiles.find(tmp_path)
    assert files == SimulationFiles((tmp_path / "traj.xtc",), tmp_path / "conf.gro")
    touch(tmp_path, "topol.tpr")
    message = r"found conf\.gro, topol\.tpr, traj\.xtc; say which: TOPOLOGY:TRAJECTORY"
    with pytest.raises(ValueError, match=message):
        SimulationFiles.find(tmp_path)


def test_one_numbered_pdb_file_beside_a_trajectory_is_its_topology(tmp_path: Path) -> None:
    touch(tmp_path, "md_1.pdb", "md_1.xtc")
    files = SimulationFiles.find(tmp_path)
    assert files == SimulationFiles((tmp_path / "md_1.xtc",), tmp_path / "md_1.pdb")


def test_paths_may_have_colons(tmp_path: Path) -> None:
    folder = tmp_path / "run:12:30"
    folder.mkdir()
    touch(folder, "a.prmtop", "b.dcd", "x_1.pdb")
    files = SimulationFiles.find(f"{folder}/a.prmtop:{folder}/b.dcd")
    assert files == SimulationFiles((folder / "b.dcd",), folder / "a.prmtop")
    assert SimulationFiles.find(folder / "x_1.pdb").paths == (folder / "x_1.pdb",)


SUFFIX = "goes on with the series .*another suffix; decompress it"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["x.pdb.1", "x.pdb.2", "x.pdb.3.gz"], rf"x\.pdb\.3\.gz: {SUFFIX}"),
        (["x.pdb.1", "x.pdb.2", "x.pdb.3.bz2"], rf"x\.pdb\.3\.bz2: {SUFFIX}"),
        (["x.pdb.1", "x.pdb.2", "x.pdb.10~"], rf"x\.pdb\.10~: {SUFFIX}"),
        (["x_1.pdb", "x_2.pdb", "x_3.pdb.gz"], rf"x_3\.pdb\.gz: {SUFFIX}"),
        (["x_1.pdb", "x_2.pdb", "x_3.pdb.part"], rf"x_3\.pdb\.part: {SUFFIX}"),
        (["x.pdb.1", "x.pdb.2", "y_1.pdb"], r"one series .* x\.pdb\.\* \(2\) and y_\*\.pdb \(1\)"),
        (["x.pdb.1", "x.pdb.2", "x.pdb.4", "x.pdb.7"], r"FOLDER.* 3 missing: 3, 5, 6$"),
        (
            ["x.pdb.1", "x.pdb.2", "x.pdb.20240101"],
            r"20240098 missing: 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, \.\.",
        ),
        (["x_1.pdb", "x_2.pdb", "x_02.pdb"], r"different numbers, found x_02\.pdb and x_2\.pdb"),
    ],
)
def test_what_is_not_one_whole_series_is_refused(
    tmp_path: Path, names: list[str], message: str
) -> None:
    touch(tmp_path, *names)
    with pytest.raises(ValueError, match=message.replace("FOLDER", re.escape(str(tmp_path)))):
        SimulationFiles.find(tmp_path)


def test_a_folder_without_series_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "start.pdb", "simulation.json")
    with pytest.raises(FileNotFoundError, match=r"found no PDB files that are numbered"):
        SimulationFiles.find(tmp_path)


def test_a_pdb_file_is_found(tmp_path: Path) -> None:
    touch(tmp_path, "models.pdb")
    assert SimulationFiles.find(tmp_path / "models.pdb").paths == (tmp_path / "models.pdb",)


def test_a_topology_and_a_trajectory_are_found(tmp_path: Path) -> None:
    touch(tmp_path, "a.prmtop", "b.dcd")
    files = SimulationFiles.find(f"{tmp_path}/a.prmtop:{tmp_path}/b.dcd")
    assert files == SimulationFiles((tmp_path / "b.dcd",), tmp_path / "a.prmtop")


@pytest.mark.parametrize("source", ["nowhere", "a.prmtop:c.dcd", "c.prmtop:b.dcd", "a.prmtop:"])
def test_what_does_not_exist_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(touch(tmp_path, "a.prmtop", "b.dcd"))
    with pytest.raises(FileNotFoundError, match=re.escape(source) + ": there is no"):
        SimulationFiles.find(source)


def test_a_trajectory_without_topology_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "b.dcd")
    with pytest.raises(ValueError, match=r"b\.dcd: expected .*TOPOLOGY:TRAJECTORY"):
        SimulationFiles.find(tmp_path / "b.dcd")
