import MDAnalysis
import numpy as np
import pytest

from socialmd.molecular.write_pdb import write_pdb


def read(path):
    """Universe without an open file, and its positions [frames, N, 3]."""
    universe = MDAnalysis.Universe(path, to_guess=())
    positions = np.array([frame.positions.copy() for frame in universe.trajectory])
    universe.trajectory.close()
    return universe, positions


def test_file_is_written_as_the_format_prescribes(tmp_path):
    path = tmp_path / "new" / "pair.pdb"
    positions = [[[1.25, -0.5], [2.0, 3.0]], [[1.5, -0.25], [-100.0, 0.0004]]]
    write_pdb(path, positions, ["OQL", "ONC"], [0.5, 1], [0.371, 12.0], "B-factor: error")
    assert [line.rstrip() for line in path.read_text().splitlines()] == [
        "TITLE     MDANALYSIS FRAMES FROM 0, STEP 1: SOCIALMD",
        "REMARK     B-factor: error",
        "REMARK     MODEL 1 TIME 0.5",
        "REMARK     MODEL 2 TIME 1",
        "MODEL        1",
        "HETATM    1  X   OQL A   1       1.250  -0.500   0.000  1.00  0.37           X",
        "HETATM    2  X   ONC A   2       2.000   3.000   0.000  1.00 12.00           X",
        "ENDMDL",
        "MODEL        2",
        "HETATM    1  X   OQL A   1       1.500  -0.250   0.000  1.00  0.37           X",
        "HETATM    2  X   ONC A   2    -100.000   0.000   0.000  1.00 12.00           X",
        "ENDMDL",
        "END",
    ]


@pytest.mark.filterwarnings("ignore:Unknown element X:UserWarning")
def test_mdanalysis_reads_it_back(tmp_path, rng):
    positions = rng.normal(scale=30.0, size=(3, 5, 3))
    names = ["OQL", "ONC", "OQL", "A", "OCNX"]
    b_factors = rng.uniform(0, 100, 5)
    write_pdb(tmp_path / "a.pdb", positions, names, [0.25, 1e3, 2e3 / 3], b_factors)
    universe, found = read(tmp_path / "a.pdb")
    # Half of the last decimal, and float32's rounding of numbers of order 100.
    np.testing.assert_allclose(found, positions, rtol=0, atol=5.1e-4)
    assert list(universe.residues.resnames) == names
    np.testing.assert_array_equal(universe.residues.resids, [1, 2, 3, 4, 5])
    assert len(universe.atoms) == len(universe.residues)
    assert set(universe.atoms.chainIDs) == {"A"}
    assert set(universe.atoms.record_types) == {"HETATM"}
    np.testing.assert_allclose(universe.atoms.tempfactors, b_factors, rtol=0, atol=5.1e-3)
    assert universe.dimensions is None
    times = [float(remark.split()[-1]) for remark in universe.trajectory.remarks]
    np.testing.assert_allclose(times, [0.25, 1e3, 2e3 / 3], rtol=1e-8)


@pytest.mark.filterwarnings("ignore:Unknown element X:UserWarning")
def test_all_numbers_up_to_the_largest_stay_in_their_columns(tmp_path):
    count = 9999
    positions = np.full((1, count, 3), [-999.999, 9999.999, -0.0004])
    write_pdb(tmp_path / "a.pdb", positions, ["OQL"] * count, [0], np.full(count, 999.99))
    line = (tmp_path / "a.pdb").read_text().splitlines()[-3]
    assert (
        line[:78]
        == "HETATM 9999  X   OQL A9999    -999.9999999.999  -0.000  1.00999.99           X"
    )
    universe, found = read(tmp_path / "a.pdb")
    np.testing.assert_allclose(found, positions, rtol=0, atol=1e-3)  # what float32 holds of 9999
    np.testing.assert_array_equal(universe.residues.resids, np.arange(1, count + 1))


def with_one(value, frame, particle):
    positions = np.zeros((3, 4, 2))
    positions[frame, particle, 1] = value
    return positions


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.zeros((3, 4, 4))}, r"positions: .* \[frames, N, 2 or 3\], found \(3, 4"),
        ({"positions": np.zeros((3, 0, 2))}, r"positions: expected shape \[frames, N, 2 or 3\]"),
        ({"positions": np.zeros((1, 10_000, 2))}, "at most 9999 molecules, found 10000"),
        ({"positions": np.zeros((10_000, 4, 2))}, "at most 9999 frames, found 10000"),
        ({"positions": with_one(-1000, 2, 1)}, r"found -1000\.0 at frame 2, particle 1"),
        ({"positions": with_one(9999.9995, 0, 3)}, r"found 9999\.9995 at frame 0, particle 3"),
        ({"positions": with_one(np.nan, 1, 0)}, "found nan at frame 1, particle 0"),
        ({"positions": with_one(np.inf, 1, 0)}, "found inf at frame 1, particle 0"),
        ({"times": [0, 1]}, "times: expected 3 finite numbers"),
        ({"times": [0, 1, np.nan]}, "times: expected 3 finite numbers"),
        ({"names": ["A"]}, "names: expected 4, one for each molecule, found 1"),
        ({"names": "OQLX"}, "names: expected 4"),
        ({"names": ["A", "B", "C", "LIGND"]}, "names: .* found 'LIGND'"),
        ({"names": ["A", "B", "C", ""]}, "names: .* found ''"),
        ({"names": ["A", "B", "C", "A B"]}, "names: .* found 'A B'"),
        ({"names": ["A", "B", "C", "å"]}, "names: .* found 'å'"),
        ({"b_factors": np.zeros((3, 4))}, r"b_factors: expected shape \(4,\), found \(3, 4\)"),
        (
            {"b_factors": [0, 0, 1000, 0]},
            r"b_factors: expected 0 to .* found 1000\.0 at particle 2",
        ),
        ({"b_factors": [0, -0.1, 0, 0]}, r"b_factors: expected 0 to .* found -0\.1 at particle 1"),
        ({"b_factors": [0, 0, 0, np.nan]}, "b_factors: expected 0 to .* found nan at particle 3"),
        ({"remark": "1 Å"}, "remark: expected ASCII text, found '1 Å'"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path, changes, message):
    arguments = {
        "positions": np.zeros((3, 4, 2)),
        "names": ["A", "B", "C", "D"],
        "times": [0, 1, 2],
        **changes,
    }
    with pytest.raises(ValueError, match=message):
        write_pdb(tmp_path / "a.pdb", **arguments)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    write_pdb(tmp_path / "a.pdb", np.zeros((1, 1, 3)), ["OQL"], [0])
    before = (tmp_path / "a.pdb").read_bytes()

    def fail(*arguments):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", fail)
        with pytest.raises(OSError, match="disk full"):
            write_pdb(tmp_path / "a.pdb", np.ones((1, 1, 3)), ["OQL"], [0])
    assert (tmp_path / "a.pdb").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdb"]
