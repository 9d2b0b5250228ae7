import ase.io
import numpy as np
import pytest

from socialmd.data.extended_xyz import write_extended_xyz


def test_file_is_written_as_the_format_prescribes(tmp_path):
    path = tmp_path / "new" / "pair.xyz"
    positions = [[[0.25, -1.5], [1.75, 3.5]], [[0.0, 1e-9], [2.0, -3.0]]]
    write_extended_xyz(path, positions, [0.5, 1.0], {"mass": [1.2, 0.8], "sigma": np.eye(2)})
    comment = 'Properties=species:S:1:pos:R:3:mass:R:1:sigma:R:1 Time={} pbc="F F F"'
    assert path.read_text().splitlines() == [
        "2",
        comment.format("0.5"),
        "X 0.25 -1.5 0 1.2 1",
        "X 1.75 3.5 0 0.8 0",
        "2",
        comment.format("1"),
        "X 0 1e-09 0 1.2 0",
        "X 2 -3 0 0.8 1",
    ]


def test_molecules_in_space_have_names_and_a_third_coordinate(tmp_path):
    path = tmp_path / "pair.xyz"
    write_extended_xyz(path, [[[1, 2, 3], [4, 5, 6.5]]], [7], {}, ["OQL", "ONC"])
    assert path.read_text().splitlines() == [
        "2",
        'Properties=species:S:1:resname:S:1:pos:R:3 Time=7 pbc="F F F"',
        "X OQL 1 2 3",
        "X ONC 4 5 6.5",
    ]


def test_float32_numbers_are_read_back_exactly(tmp_path, rng):
    positions = rng.normal(size=(3, 4, 2)).astype(np.float32)
    masses = rng.uniform(0.5, 1.5, 4).astype(np.float32)
    write_extended_xyz(tmp_path / "a.xyz", positions, np.arange(3), {"mass": masses})
    lines = (tmp_path / "a.xyz").read_text().splitlines()
    assert len(lines) == 3 * (4 + 2)
    for frame in range(3):
        rows = [line.split() for line in lines[frame * 6 + 2 : frame * 6 + 6]]
        read = np.array([row[1:] for row in rows], dtype=np.float32)  # x, y, z, mass
        np.testing.assert_array_equal(read[:, :2], positions[frame])
        np.testing.assert_array_equal(read[:, 2], 0)
        np.testing.assert_array_equal(read[:, 3], masses)


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_ase_reads_positions_and_names(tmp_path, rng, spatial_dims):
    positions = rng.normal(scale=30.0, size=(3, 4, spatial_dims)).astype(np.float32)
    names = ["ARG", "ONC", "OQL", "2_A'"]
    errors = {"error": rng.uniform(size=(3, 4))}
    write_extended_xyz(tmp_path / "a.xyz", positions, np.arange(3), errors, names)
    frames = ase.io.read(tmp_path / "a.xyz", ":", format="extxyz")
    read = np.array([frame.positions for frame in frames])
    assert all(list(frame.arrays["resname"]) == names for frame in frames)
    np.testing.assert_array_equal(read[..., :spatial_dims].astype(np.float32), positions)
    np.testing.assert_array_equal(read[..., spatial_dims:], 0)
    np.testing.assert_allclose([frame.arrays["error"] for frame in frames], errors["error"])
    assert [frame.info["Time"] for frame in frames] == [0, 1, 2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.zeros((2, 3, 4))}, r"positions: .* \[frames, N, 2 or 3\], found \(2, 3"),
        ({"positions": np.zeros((0, 3, 2))}, r"positions: expected shape \[frames, N, 2 or 3\]"),
        ({"positions": np.full((2, 3, 2), np.nan)}, "positions: expected finite"),
        ({"times": [0.0]}, r"times: expected shape \(2,\), found \(1,\)"),
        ({"times": [0.0, np.inf]}, "times: expected finite"),
        ({"features": {"mass": [1.0, 2.0]}}, r"mass: expected shape \(3,\) or \(2, 3\), found"),
        ({"features": {"mass": [1.0, np.nan, 2.0]}}, "mass: expected finite"),
        ({"features": {"two words": np.ones(3)}}, "free identifier as a name, found 'two words'"),
        ({"features": {"resname": np.ones(3)}}, "free identifier as a name, found 'resname'"),
        ({"features": {"pos": np.ones(3)}}, "free identifier as a name, found 'pos'"),
        ({"names": ["A", "B"]}, "names: expected 3, one for each particle, found 2"),
        ({"names": "ABC"}, "names: expected 3"),
        ({"names": ["A", "B", "a drug"]}, "expected some without white space, found 'a drug'"),
        ({"names": ["A", "B", ""]}, "expected some without white space, found ''"),
        ({"names": ["A", "B", "C\n"]}, r"expected some without white space, found 'C\\n'"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path, changes, message):
    arguments = {"positions": np.zeros((2, 3, 2)), "times": [0, 1], "features": {}, **changes}
    with pytest.raises(ValueError, match=message):
        write_extended_xyz(tmp_path / "a.xyz", **arguments)
    assert not list(tmp_path.iterdir())
