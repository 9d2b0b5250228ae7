import hashlib
import json

import numpy as np
import pytest

from socialmd.data.dataset_description import (
    DatasetDescription,
    checksum,
    describe_dataset,
    read_description,
    save_array,
    simulation_name,
)

FEATURES = ["x", "y", "radius"]


@pytest.fixture
def root(tmp_path):
    """Two training simulations, one for test, and files that are no trajectories."""
    for name in ("train/b.npy", "train/a.npy", "test/c.npy", "train/._a.npy", "other/d.npy"):
        save_array(tmp_path / name, np.full((4, 2, 3), ord(name[-5])))
    return tmp_path


def test_simulations_are_numbered_so_that_names_sort():
    assert simulation_name(7) == "simulation_00007.npy"
    assert simulation_name(12345) == "simulation_12345.npy"


def test_checksum_is_sha256(tmp_path):
    content = b"trajectories" * 100_000
    (tmp_path / "file").write_bytes(content)
    assert checksum(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_describes_every_trajectory_of_every_split(root):
    written = describe_dataset(root, features=FEATURES, frame_spacing=0.5, law={"k": 2.0})
    assert list(written.files) == ["train/a.npy", "train/b.npy", "test/c.npy"]
    for name, sha in written.files.items():
        assert sha == hashlib.sha256((root / name).read_bytes()).hexdigest()
    stored = json.loads((root / "dataset.json").read_text())
    assert stored["features"] == FEATURES
    assert stored["frame_spacing"] == 0.5
    assert stored["spatial_dims"] == 2
    assert stored["law"] == {"k": 2.0}
    assert stored["versions"]["numpy"] == np.__version__


def test_a_description_is_read_back_as_it_was_written(root):
    written = describe_dataset(root, features=FEATURES, frame_spacing=0.1, simulation={"seed": 3})
    assert read_description(root) == written


def test_a_second_description_replaces_the_first(root):
    describe_dataset(root, features=FEATURES, frame_spacing=0.5)
    (root / "train" / "b.npy").unlink()
    describe_dataset(root, features=FEATURES, frame_spacing=0.5)
    assert list(read_description(root).files) == ["train/a.npy", "test/c.npy"]


def test_refuses_to_describe_a_folder_without_trajectories(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"found no \.npy file in any of train, validation"):
        describe_dataset(tmp_path, features=FEATURES, frame_spacing=0.5)
    assert not (tmp_path / "dataset.json").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": []}, "features"),
        ({"features": ["x"]}, r"features: expected at least spatial_dims = 2 names, found \['x'\]"),
        ({"spatial_dims": 4}, "spatial_dims"),
        ({"spatial_dims": 0}, "spatial_dims"),
        ({"frame_spacing": 0.0}, "frame_spacing"),
        ({"frame_spacing": float("nan")}, "frame_spacing"),
        ({"frame_spacing": float("inf")}, "frame_spacing"),
    ],
)
def test_refuses_an_impossible_description(root, change, message):
    with pytest.raises(ValueError, match=message):
        describe_dataset(root, **{"features": FEATURES, "frame_spacing": 0.5, **change})
    assert not (root / "dataset.json").exists()


def test_refuses_a_folder_without_description(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"dataset\.json: not found; .*describe_dataset"):
        read_description(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "another-1"}, "format: .*, found 'another-1'"),
        ({"frame_spacing": -1}, "frame_spacing: .*, found -1"),
        ({"files": None}, "files: .*, found None"),
        ({"particles": 25}, "particles: unknown key, expected one of format, .*, found 25"),
    ],
)
def test_refuses_to_read_an_impossible_description(root, change, message):
    describe_dataset(root, features=FEATURES, frame_spacing=0.5)
    path = root / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=rf"dataset\.json: not a data set's .*: {message}"):
        read_description(root)


def test_texts_get_the_names_of_units(root):
    description = describe_dataset(root, features=FEATURES, frame_spacing=0.5)
    text = "MAE (length units), units of length, time units, density per unit of area"
    assert description.name_units(text) == text
    units = {"length_unit": "angstrom", "time_unit": "nanosecond"}
    named = describe_dataset(root, features=FEATURES, frame_spacing=0.5, **units)
    expected = "MAE (angstrom), angstrom, nanosecond, density per square angstrom"
    assert named.name_units(text) == expected


def test_a_byte_order_mark_is_no_part_of_the_description(root):
    expected = describe_dataset(root, features=FEATURES, frame_spacing=0.5)
    path = root / "dataset.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_description(root) == expected
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"dataset\.json: expected text in UTF-8"):
        read_description(root)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (["x", "y", "mass", "mass"], "features: expected different names, found 'mass' twice"),
        (["x", "y", "x"], "features: expected different names, found 'x' twice"),
        (["x", "y", "vx", "vy"], "features: expected scalars .*, found 'vx' and 'vy'"),
        (["x", "y", "dipole_x", "charge", "dipole_y"], "found 'dipole_x' and 'dipole_y'"),
    ],
)
def test_names_that_mislead_are_refused(root, features, message):
    with pytest.raises(ValueError, match=message):
        describe_dataset(root, features=features, frame_spacing=0.5)
    assert not (root / "dataset.json").exists()


def test_names_of_molecules_that_end_in_letters_are_no_vectors(root):
    describe_dataset(root, features=["x", "y", "OQX", "OQY", "axle"], frame_spacing=0.5)


@pytest.mark.parametrize("content", [b"", b"{", b"[]"])
def test_refuses_to_read_what_is_no_description(tmp_path, content):
    (tmp_path / "dataset.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"dataset\.json: not a data set's description"):
        read_description(tmp_path)


def test_arrays_are_written_as_npy(tmp_path):
    array = np.arange(24.0).reshape(4, 2, 3)
    save_array(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), array)
    with pytest.raises(ValueError, match="Object arrays"):
        save_array(tmp_path / "b.npy", np.array([None]))
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_descriptions_do_not_change(root):
    description = describe_dataset(root, features=FEATURES, frame_spacing=0.5)
    assert isinstance(description, DatasetDescription)
    with pytest.raises(ValueError, match="frozen"):
        description.frame_spacing = 1.0
