import json

import numpy as np
import pytest

from socialmd.molecular.followed_simulation import FollowedSimulation
from socialmd.molecular.slices import cut_slices
from socialmd.molecular.split_frames import split_frames

NAMES = ("OQL", "ONC", "ONC", "OQL")
ATOMS = ("N1", "C2", "C3", "O4")
POSITIONS = np.array(
    [
        [[1, 0, 0], [0, 2, 0], [0, 0, 3], [4, 0, 0.5]],
        [[1, 0, 1], [0, 2, 0], [0, 0, 3], [4, 0, 1.5]],
        [[1, 0, 2], [0, 2, 0], [0, 0, 3], [4, 0, 2.5]],
    ],
    float,
)
RADII = np.array([1.0, 2.0, 3.0, 5.0])
FRAMES = ("a.pdb.1", "a.pdb.2", "a.pdb.3")


@pytest.fixture
def sliced():
    slices = cut_slices(POSITIONS, [[0, 0, 1], [1, 0, 0]], half_thickness=1.0)
    return FollowedSimulation("run", POSITIONS, NAMES, ATOMS, RADII, FRAMES, slices)


def test_every_slice_becomes_a_file_of_each_part(sliced):
    train, validation = split_frames([3], (2, 1, 0))
    files = [*sliced.make_files(train), *sliced.make_files(validation)]
    assert [file.split for file in files] == ["train"] * 2 + ["validation"] * 2
    assert [file.origin["slice"] for file in files] == [0, 1, 0, 1]
    assert [file.origin["frames"] for file in files] == [[0, 2], [0, 2], [2, 3], [2, 3]]
    assert files[0].names == ["OQL", "ONC", "OQL"]
    assert files[0].origin["atoms"] == ["N1", "C2", "O4"]
    assert files[1].names == ["OQL", "ONC", "ONC"]
    assert files[1].origin["atoms"] == ["N1", "C2", "C3"]
    np.testing.assert_array_equal(files[0].positions, POSITIONS[:2][:, [0, 1, 3], :2])
    np.testing.assert_array_equal(files[2].positions, POSITIONS[2:][:, [0, 1, 3], :2])


def test_without_slices_one_file_has_all_molecules():
    simulation = FollowedSimulation("run", POSITIONS, NAMES, ATOMS, RADII, FRAMES)
    (part,) = split_frames([3], (1, 0, 0))
    (file,) = simulation.make_files(part)
    np.testing.assert_array_equal(file.positions, POSITIONS)
    assert file.names == list(NAMES)
    assert file.origin == {
        "atoms": list(ATOMS),
        "simulation": 0,
        "slice": None,
        "frames": [0, 3],
    }


def test_record_says_how_thick_slices_become(sliced):
    record = json.loads(json.dumps(sliced.make_record(), allow_nan=False))
    first = record.pop("slices")[0]
    assert record == {
        "source": "run",
        "num_frames": 3,
        "first_frame": "a.pdb.1",
        "last_frame": "a.pdb.3",
        "num_molecules": {"ONC": 2, "OQL": 2},
    }
    assert first["normal"] == [0, 0, 1]
    assert first["num_molecules"] == 3
    assert first["largest_distance"] == {"first_frame": 0.5, "mean": 1.5, "last_frame": 2.5}
    assert first["rms_distance"]["first_frame"] == pytest.approx(np.sqrt(0.25 / 3))
    assert first["rms_distance"]["last_frame"] == pytest.approx(np.sqrt((4 + 6.25) / 3))


def test_anchors_are_turned_and_flattened_as_molecules_are(sliced):
    """Those in the places of the first frame are where the molecules are then."""
    tied = sliced._replace(anchors=POSITIONS[0])
    train, _ = split_frames([3], (2, 1, 0))
    for file in tied.make_files(train):
        np.testing.assert_allclose(file.anchors, file.positions[0])
    (whole,) = tied._replace(slices=()).make_files(train)
    np.testing.assert_array_equal(whole.anchors, POSITIONS[0])
    assert all(file.anchors is None for file in sliced.make_files(train))
