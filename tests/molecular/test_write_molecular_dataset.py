import json

import numpy as np
import pytest

from socialmd.data import dataset_description, dataset_writer
from socialmd.data.dataset_description import checksum, read_description
from socialmd.data.dataset_writer import DatasetWriter
from socialmd.molecular.write_molecular_dataset import (
    TrajectoryFile,
    make_features,
    write_molecular_dataset,
)
from tests.folder_contents import contents

SETTINGS = {"slices": 2, "split": (70, 30)}


def make_files(num_coordinates=2, shift=0.0):
    """Two files train and one validates; 3, 2 and 4 molecules."""
    rng = np.random.default_rng(3)
    kinds = (("train", "BAB", 5), ("validation", "AB", 4), ("train", "AAAB", 5))
    return [
        TrajectoryFile(
            split,
            rng.normal(size=(frames, len(names), num_coordinates)) + shift,
            list(names),
            {"simulation": index},
        )
        for index, (split, names, frames) in enumerate(kinds)
    ]


def write(directory, files=None, settings=SETTINGS, frame_spacing=0.5, **options):
    files = make_files() if files is None else files
    return write_molecular_dataset(
        directory, files, frame_spacing=frame_spacing, settings=settings, **options
    )


def is_there(directory, settings=SETTINGS):
    return DatasetWriter(directory, {"settings": settings}).check()


def test_files_are_numbered_through_the_splits(tmp_path):
    assert write(tmp_path / "set")
    files = make_files()
    expected = {
        "train/simulation_00000.npy": (files[0], [[0, 1], [1, 0], [0, 1]]),
        "train/simulation_00001.npy": (files[2], [[1, 0], [1, 0], [1, 0], [0, 1]]),
        "validation/simulation_00002.npy": (files[1], [[1, 0], [0, 1]]),
    }
    found = {p.relative_to(tmp_path / "set").as_posix() for p in (tmp_path / "set").rglob("*.npy")}
    assert found == set(expected)
    for name, (file, one_hot) in expected.items():
        array = np.load(tmp_path / "set" / name)
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array[..., :2], file.positions)
        np.testing.assert_array_equal(array[..., 2:], [one_hot] * len(file.positions))


def test_description_says_how_files_were_made(tmp_path):
    write(tmp_path / "set", simulations=[{"source": "a"}], time_unit="picosecond")
    description = read_description(tmp_path / "set")
    assert description.features == ("x", "y", "A", "B")
    assert description.spatial_dims == 2
    assert description.frame_spacing == 0.5
    assert (description.length_unit, description.time_unit) == ("angstrom", "picosecond")
    assert description.preprocessing == {
        "settings": {"slices": 2, "split": [70, 30]},
        "simulations": [{"source": "a"}],
        "files": {
            "train/simulation_00000.npy": {"molecules": ["B", "A", "B"], "simulation": 0},
            "train/simulation_00001.npy": {"molecules": ["A", "A", "A", "B"], "simulation": 2},
            "validation/simulation_00002.npy": {"molecules": ["A", "B"], "simulation": 1},
        },
    }
    assert set(description.versions) == {"python", "numpy", "numba", "MDAnalysis"}
    for name, sha in description.files.items():
        assert checksum(tmp_path / "set" / name) == sha


def test_names_may_be_given_in_another_order_and_without_molecules(tmp_path):
    write(tmp_path / "set", make_files(3), names=["C", "B", "A"])
    description = read_description(tmp_path / "set")
    assert description.features == ("x", "y", "z", "C", "B", "A")
    assert description.spatial_dims == 3
    array = np.load(tmp_path / "set/train/simulation_00000.npy")
    np.testing.assert_array_equal(array[0, :, 3:], [[0, 1, 0], [0, 0, 1], [0, 1, 0]])


def test_an_empty_folder_is_filled_and_nothing_else_is_left(tmp_path):
    (tmp_path / "set").mkdir()
    assert write(tmp_path / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_relative_path_is_understood(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert write("new/set")
    assert (tmp_path / "new/set/dataset.json").is_file()


def test_identical_data_set_is_left_alone(tmp_path):
    write(tmp_path / "set")
    path = tmp_path / "set/dataset.json"
    description = json.loads(path.read_text())
    path.write_text(json.dumps(description | {"versions": {"numpy": "1.0"}}))
    before = contents(tmp_path)
    assert not write(tmp_path / "set")
    after = contents(tmp_path)
    assert before == after


@pytest.mark.parametrize("is_empty_folder", [False, True])
def test_processes_that_write_one_data_set_at_the_same_moment_both_succeed(
    tmp_path, monkeypatch, is_empty_folder
):
    if is_empty_folder:
        (tmp_path / "set").mkdir()
    written = write_meanwhile(tmp_path, monkeypatch)
    assert not write(tmp_path / "set")
    assert written == [True]
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert write(tmp_path / "alone")
    expected = {name: data for name, (data, _) in contents(tmp_path / "alone").items()}
    assert {name: data for name, (data, _) in contents(tmp_path / "set").items()} == expected


def test_another_data_set_written_at_the_same_moment_is_refused(tmp_path, monkeypatch):
    write_meanwhile(tmp_path, monkeypatch, make_files(shift=1.0))
    with pytest.raises(ValueError, match="of the same settings, one with other files"):
        write(tmp_path / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def write_meanwhile(tmp_path, monkeypatch, files=None):
    """Another process writes a data set while this one waits for its turn."""
    unfinished_folder, written = dataset_writer.unfinished_folder, []

    def wait_for_other(directory, wait):
        assert wait
        if not written:
            written.append(None)
            written[0] = write(tmp_path / "set", files)
        return unfinished_folder(directory, wait)

    monkeypatch.setattr(dataset_writer, "unfinished_folder", wait_for_other)
    return written


def test_what_an_interrupted_process_has_left_is_replaced(tmp_path):
    """Killed while files took their places, before the description, which comes last."""
    write(tmp_path / "whole")
    write(tmp_path / "set")
    (tmp_path / "set/.unfinished").mkdir()
    (tmp_path / "set/dataset.json").rename(tmp_path / "set/.unfinished/dataset.json")
    (tmp_path / "set/train/simulation_00000.npy").write_bytes(b"old")
    assert not is_there(tmp_path / "set")
    assert write(tmp_path / "set")
    data = [{k: v for k, (v, _) in contents(tmp_path / n).items()} for n in ("whole", "set")]
    assert data[0] == data[1]


def test_a_link_to_a_folder_is_written_through(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "set").symlink_to(tmp_path / "elsewhere")
    assert write(tmp_path / "set")
    assert (tmp_path / "set").is_symlink()
    assert (tmp_path / "elsewhere/dataset.json").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": {"slices": 3, "split": (70, 30)}}, "slices: expected 3, found 2"),
        ({"settings": {"slices": 2}}, r"split: expected None, found \[70, 30\]"),
        ({"files": make_files(shift=1.0)}, "of the same settings, one with other files"),
        ({"frame_spacing": 1.0}, "of the same settings, one with other frame_spacing"),
        ({"simulations": [{"source": "b"}]}, "of the same settings, one with other preprocessing"),
    ],
)
def test_another_data_set_is_refused_untouched(tmp_path, options, message):
    write(tmp_path / "set")
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "set", **options)
    assert contents(tmp_path) == before


def test_a_damaged_data_set_is_named(tmp_path):
    write(tmp_path / "set")
    path = tmp_path / "set/train/simulation_00001.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match=r"simulation_00001\.npy: missing, or changed"):
        write(tmp_path / "set")
    path.unlink()
    with pytest.raises(ValueError, match=r"simulation_00001\.npy: missing, or changed"):
        write(tmp_path / "set")


def test_a_foreign_folder_is_refused_untouched(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=r"expected no file of another origin, found .*notes\.txt"):
        write(tmp_path)
    assert contents(tmp_path) == before
    with pytest.raises(NotADirectoryError, match=r"notes\.txt: expected a folder"):
        write(tmp_path / "notes.txt")


def test_output_folder_may_be_asked_for_early(tmp_path):
    assert not is_there(tmp_path)
    assert not is_there(tmp_path / "absent")
    write(tmp_path / "set")
    assert is_there(tmp_path / "set")
    with pytest.raises(ValueError, match="slices: expected 1, found 2"):
        is_there(tmp_path / "set", {"slices": 1})


def test_failing_to_write_the_last_file_leaves_nothing(tmp_path, monkeypatch):
    write_atomically, written = dataset_description.write_atomically, []

    def fail_at_the_third(path, fill):
        written.append(path)
        if len(written) == 3:
            raise OSError("no space left")
        write_atomically(path, fill)

    monkeypatch.setattr(dataset_description, "write_atomically", fail_at_the_third)
    with pytest.raises(OSError, match="no space left"):
        write(tmp_path / "set")
    assert len(written) == 3
    assert list(tmp_path.iterdir()) == []


def with_file(**changes):
    """The files, the last of them changed."""
    files = make_files()
    return [*files[:-1], files[-1]._replace(**changes)]


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ([], {}, "files: expected one number of coordinates in all, found no file"),
        (with_file(split="training"), {}, "split: expected train or validation or test, found"),
        (with_file(names="AB"), {}, r"positions: expected shape \[frames, 2, 2 or 3\], found"),
        (with_file(positions=np.zeros((0, 4, 2))), {}, r"found \(0, 4, 2\)"),
        (with_file(positions=np.zeros((3, 4, 1))), {}, r"found \(3, 4, 1\)"),
        (with_file(positions=np.full((3, 4, 2), np.nan)), {}, "positions: expected finite"),
        (with_file(positions=np.zeros((3, 4, 3))), {}, r"number of coordinates .* \[2, 3\]"),
        (with_file(positions=np.zeros((3, 4, 2))), {}, r"frames in all of train, found \[3, 5\]"),
        (make_files(), {"names": ["A"]}, "names: expected some of A, found 'B'"),
        (make_files(), {"names": ["A", "B", "B"]}, "names: expected different ones.* found 'B'"),
        (make_files(), {"names": ["A", "B", "x"]}, "names: expected different ones.* found 'x'"),
        (make_files(), {"frame_spacing": 0.0}, "frame_spacing"),
        (make_files(), {"settings": {"a": float("nan")}}, "not JSON compliant"),
        ([file._replace(origin={"a": float("inf")}) for file in make_files()], {}, "not JSON"),
        (
            [*make_files(), make_files()[0]._replace(split="test")],
            {},
            r"found train/simulation_00000\.npy equal to test/simulation_00003\.npy",
        ),
    ],
)
def test_impossible_data_sets_are_named_and_leave_nothing(tmp_path, files, options, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "set", files, **options)
    assert list(tmp_path.iterdir()) == []


def test_features_are_coordinates_and_one_hot_names():
    file = TrajectoryFile("test", [[[0.5, 2.0], [1.0, 3.0]]], ["b", "a"], {})
    np.testing.assert_array_equal(
        make_features(file, ["a", "b", "c"]), [[[0.5, 2.0, 0, 1, 0], [1.0, 3.0, 1, 0, 0]]]
    )


def test_anchors_follow_names_and_are_a_vector(tmp_path, rng):
    files = [
        file._replace(anchors=rng.normal(size=file.positions.shape[1:])) for file in make_files(3)
    ]
    assert write(tmp_path / "set", files)
    layout = read_description(tmp_path / "set").layout
    assert layout.features == ("x", "y", "z", "A", "B", "anchor_x", "anchor_y", "anchor_z")
    assert layout.vectors == [slice(0, 3), slice(5, 8)]
    assert layout.species == ("A", "B")
    array = np.load(tmp_path / "set/train/simulation_00000.npy")
    np.testing.assert_array_equal(array[..., 5:], [files[0].anchors] * len(array))
    with pytest.raises(ValueError, match="expected anchors in all of them or in none"):
        write(tmp_path / "other", [*files[:2], make_files(3)[2]])
    with pytest.raises(ValueError, match=r"anchors: expected finite numbers of shape \(3, 3\)"):
        write(tmp_path / "other", [files[0]._replace(anchors=np.zeros((2, 3))), *files[1:]])
