import numpy as np
import pytest

from socialmd.extended_xyz import write_extended_xyz


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.zeros((2, 3, 3))}, r"positions: expected shape \[frames, N, 2\]"),
        ({"positions": np.zeros((0, 3, 2))}, r"positions: expected shape \[frames, N, 2\]"),
        ({"positions": np.full((2, 3, 2), np.nan)}, "positions: expected finite"),
        ({"times": [0.0]}, r"times: expected shape \(2,\), found \(1,\)"),
        ({"times": [0.0, np.inf]}, "times: expected finite"),
        ({"features": {"mass": [1.0, 2.0]}}, r"mass: expected shape \(3,\) or \(2, 3\), found"),
        ({"features": {"mass": [1.0, np.nan, 2.0]}}, "mass: expected finite"),
        ({"features": {"two words": np.ones(3)}}, "free identifier as a name, found 'two words'"),
        ({"features": {"pos": np.ones(3)}}, "free identifier as a name, found 'pos'"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path, changes, message):
    arguments = {"positions": np.zeros((2, 3, 2)), "times": [0, 1], "features": {}, **changes}
    with pytest.raises(ValueError, match=message):
        write_extended_xyz(tmp_path / "a.xyz", **arguments)
    assert not list(tmp_path.iterdir())
