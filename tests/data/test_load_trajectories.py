import hashlib
import json
import shutil

import numpy as np
import pytest

from socialmd.data import load_trajectories


@pytest.fixture
def root(write_dataset, numbered):
    """Three training and two test simulations [20, 3, 4]."""
    trajectories = numbered(5, 20)
    return write_dataset({"train": trajectories[:3], "test": trajectories[3:]})


def list_again(root, path):
    """Make the checksum in `dataset.json` right for whatever the file now holds."""
    description = json.loads((root / "dataset.json").read_text())
    name = path.relative_to(root).as_posix()
    description["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (root / "dataset.json").write_text(json.dumps(description))


def replace(root, array):
    path = root / "train" / "001.npy"
    np.save(path, array)
    list_again(root, path)


def test_loads_the_stored_numbers_in_the_order_of_file_names(root, numbered):
    trajectories, description, mask, *_ = load_trajectories(root / "train")
    assert mask.all()
    assert trajectories.dtype == np.float64
    np.testing.assert_array_equal(trajectories, numbered(3, 20))
    assert description.features == ("x", "y", "feature_2", "feature_3")
    np.testing.assert_array_equal(load_trajectories(root / "test")[0], numbered(5, 20)[3:])


def test_loads_float32_as_it_is(write_dataset, numbered):
    root = write_dataset({"train": numbered(2, 20).astype(np.float32)})
    assert load_trajectories(root / "train")[0].dtype == np.float32


def test_loads_what_another_machine_or_language_has_written(write_dataset, numbered):
    """Big-endian, and with the first index running fastest."""
    foreign = [np.asfortranarray(array.astype(">f8")) for array in numbered(2, 20)]
    frames = load_trajectories(write_dataset({"train": foreign}) / "train")[0]
    np.testing.assert_array_equal(frames, numbered(2, 20))
    assert frames.dtype == np.float64
    assert frames.dtype.isnative


def test_loads_a_relative_folder(root, monkeypatch):
    monkeypatch.chdir(root / "train")
    assert load_trajectories(".")[0].shape == (3, 20, 3, 4)


def test_systems_of_fewer_particles_are_padded_to_the_largest_of_any_split(root):
    path = root / "test" / "000.npy"
    larger = np.ones((20, 5, 4))
    np.save(path, larger)
    list_again(root, path)
    frames, _, mask, *_ = load_trajectories(root / "train")
    assert frames.shape == (3, 20, 5, 4)
    assert mask.tolist() == [[True, True, True, False, False]] * 3
    assert not frames[:, :, 3:].any()
    frames, _, mask, *_ = load_trajectories(root / "test")
    assert mask.tolist() == [[True] * 5, [True, True, True, False, False]]
    np.testing.assert_array_equal(frames[0], larger)


def test_hidden_files_do_not_count(root):
    for name in (".003.npy.17.tmp", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (root / "train" / name).write_bytes(b"half a file")
    assert len(load_trajectories(root / "train")[0]) == 3


def refuse(folder, message, error=ValueError, **options):
    with pytest.raises(error, match=message):
        load_trajectories(folder, **options)


def test_refuses_a_folder_that_is_no_split(root):
    refuse(root, r"trajectories: expected .* found 'trajectories'")


def test_refuses_a_split_that_does_not_exist_or_is_empty(root):
    splits = "3 files in train, 2 files in test"
    folder = root / "validation"
    message = f"validation: there is no such folder; the data set has {splits}"
    refuse(folder, message, FileNotFoundError)
    folder.mkdir()
    message = f"validation: .*dataset.json lists no file in here, but {splits}"
    refuse(folder, message, FileNotFoundError)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dataset.json", r"dataset\.json: not found"),
        ("train/002.npy", r"train/002\.npy: missing"),
    ],
)
def test_refuses_a_data_set_of_which_a_file_is_missing(root, name, message):
    (root / name).unlink()
    refuse(root / "train", message, FileNotFoundError)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("003.npy", "move it to another folder, or list the files anew"),
        ("notes.txt", "move it to another folder$"),
        ("folder/", "move it to another folder$"),
    ],
)
def test_refuses_a_foreign_file(root, name, advice):
    path = root / "train" / name
    if name.endswith("/"):
        path.mkdir()
    else:
        path.write_bytes((root / "train" / "000.npy").read_bytes())
    refuse(root / "train", f"train/{path.name}: foreign.*{advice}")


def test_refuses_a_checksum_that_does_not_match(root):
    np.save(root / "train" / "001.npy", np.zeros((20, 3, 4)))
    refuse(root / "train", r"train/001\.npy: expected SHA-256 [0-9a-f]{64}, found")


@pytest.mark.parametrize(
    ("pointer", "command"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s99--4d7a.npy\n", "git annex get"),
    ],
)
def test_says_so_if_a_file_was_not_fetched(root, pointer, command):
    (root / "train" / "001.npy").write_bytes(pointer)
    refuse(root / "train", rf"train/001\.npy: .* fetch it with `{command}`")


def test_refuses_a_simulation_that_lies_in_two_splits(root):
    shutil.copy(root / "test" / "000.npy", root / "train" / "001.npy")
    list_again(root, root / "train" / "001.npy")
    for split, other in [("train/001", "test/000"), ("test/000", "train/001")]:
        refuse(root / split.split("/")[0], rf"{split}\.npy: .* {other}\.npy")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((20, 12)), r"expected shape \[frames, N, 4\], .* found \(20, 12\)"),
        (np.ones((2, 20, 3, 4)), r"expected shape \[frames, N, 4\], .* found \(2, 20, 3, 4\)"),
        (np.ones((20, 0, 4)), r"expected shape \[frames, N, 4\], .* found \(20, 0, 4\)"),
        (np.ones((20, 3, 5)), r"expected shape \[frames, N, 4\], F being x, y, .* \(20, 3, 5\)"),
        (np.ones((21, 3, 4)), r"expected as many frames as in 000.npy, 20, found 21"),
        (np.ones((9, 3, 4)), "expected at least 10 frames, enough for one window, found 9"),
        (np.ones((20, 3, 4), np.int64), "expected float32 or float64 numbers, found int64"),
        (np.ones((20, 3, 4), np.float16), "expected float32 or float64 numbers, found float16"),
        (np.ones((20, 3, 4), object), "not a .npy file of numbers"),
    ],
)
def test_refuses_an_array_of_another_kind(root, array, message):
    replace(root, array)
    refuse(root / "train", rf"train/001\.npy: {message}", minimum_frames=10)


# The last one is what NetCDF fills with.
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39, -1e39, 9.969209968386869e36])
@pytest.mark.parametrize("feature", [1, 3])
def test_refuses_numbers_that_are_not_finite_in_float32(root, numbered, value, feature):
    array = numbered(1, 20)[0]
    array[7, 2, feature] = value
    replace(root, array)
    name = ["x", "y", "feature_2", "feature_3"][feature]
    refuse(root / "train", rf"train/001\.npy: .* frame 7, particle 2, feature {name}")


def test_refuses_what_is_no_trajectory(root, numbered):
    """See `check_trajectory`."""
    array = numbered(1, 20)[0]
    array[5:, 1, 2] += 1.0
    replace(root, array)
    refuse(root / "train", r"train/001\.npy: feature feature_2: .* at frame 5, particle 1")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x,y\n1,2\n",
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x01\x00\x08\x00{'descr'",  # a header that breaks off
    ],
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_refuses_a_file_that_is_no_npy_even_of_another_split(root, content, split):
    path = root / split / "001.npy"
    path.write_bytes(content)
    list_again(root, path)
    refuse(root / "train", rf"{split}/001\.npy: not a .npy file of numbers: ")


def test_refuses_a_truncated_file(root):
    path = root / "train" / "001.npy"
    path.write_bytes(path.read_bytes()[:-8])
    list_again(root, path)
    refuse(root / "train", r"train/001\.npy: not a .npy file")
