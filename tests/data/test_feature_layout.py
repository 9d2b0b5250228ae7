"""One place knows columns: what is read, turned, predicted, and found by name."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from socialmd.config import DataConfig
from socialmd.data import (
    FeatureBlock,
    FeatureLayout,
    describe_dataset,
    load_trajectories,
    make_dataset,
    read_windows,
)
from socialmd.data.dataset_description import read_description
from socialmd.data.rotations import rotate

PLACE = FeatureBlock(name="position", size=3, kind="coordinate", predicted=True)
VELOCITY = FeatureBlock(name="velocity", size=3, kind="vector", given=False)
MASS = FeatureBlock(name="mass", static=True)
DIPOLE = FeatureBlock(name="dipole", size=3, kind="vector", predicted=True)
SPECIES = FeatureBlock(name="species", size=2, static=True)
NAMES = ("x", "y", "z", "vx", "vy", "vz", "mass", "px", "py", "pz", "ONC", "OQL")
LAYOUT = FeatureLayout(features=NAMES, blocks=(PLACE, VELOCITY, MASS, DIPOLE, SPECIES))
DATA = DataConfig(subsample=1, num_phases=1, input_steps=2, target_steps=3, num_rotations=0)


@pytest.fixture
def folder(rng, tmp_path):
    """Two systems of four particles, whose dipoles are their velocities."""
    (tmp_path / "train").mkdir()
    for index in range(2):
        x = rng.normal(size=(8, 4, 3)).cumsum(axis=0)
        v = np.gradient(x, axis=0)
        static = np.broadcast_to(rng.uniform(1, 2, (4, 3)), (8, 4, 3))
        array = np.concatenate([x, v, static[..., :1], v, static[..., 1:]], axis=-1)
        np.save(tmp_path / "train" / f"simulation_{index:05d}.npy", array)
    describe_dataset(tmp_path, layout=LAYOUT, frame_spacing=1.0)
    return tmp_path


def test_columns_are_found_by_what_they_are():
    assert LAYOUT.spatial_dims == 3
    assert LAYOUT.find("mass") == 6
    assert LAYOUT.find("charge") is None
    assert LAYOUT.find("dipole") is None  # no scalar
    assert LAYOUT.species == ("ONC", "OQL")
    assert LAYOUT.inputs == [0, 1, 2, 6, 7, 8, 9, 10, 11]
    assert LAYOUT.targets == [0, 1, 2, 7, 8, 9]
    assert LAYOUT.vectors == [slice(0, 3), slice(3, 6), slice(7, 10)]
    assert LAYOUT.given.blocks == (PLACE, MASS, DIPOLE, SPECIES)
    assert LAYOUT.given.find("mass") == 3


def test_files_that_do_not_say_theirs_have_scalars_that_never_change(tmp_path):
    (tmp_path / "train").mkdir()
    np.save(tmp_path / "train" / "a.npy", np.zeros((2, 1, 4)))
    describe_dataset(tmp_path, features=["x", "y", "mass", "charge"], frame_spacing=1.0)
    text = (tmp_path / "dataset.json").read_text()
    new = read_description(tmp_path)
    start, end = text.index('"blocks"'), text.index('"frame_spacing"')
    (tmp_path / "dataset.json").write_text(text[:start] + text[end:])  # as it was written once
    old = read_description(tmp_path)
    assert old == new
    assert [block.name for block in old.layout.blocks] == ["position", "mass", "charge"]
    assert (old.layout.inputs, old.layout.targets) == ([0, 1, 2, 3], [0, 1])


def test_names_of_molecules_in_old_files_are_species(tmp_path):
    (tmp_path / "train").mkdir()
    np.save(tmp_path / "train" / "a.npy", np.zeros((2, 1, 4)))
    made = {"files": {"train/a.npy": {"molecules": ["ONC"]}}}
    features = ["x", "y", "ONC", "OQL"]
    describe_dataset(tmp_path, features=features, frame_spacing=1.0, preprocessing=made)
    assert read_description(tmp_path).layout.species == ("ONC", "OQL")


def test_what_is_only_stored_reaches_no_model_and_dipoles_are_targets(folder):
    frames = load_trajectories(folder / "train").frames
    inputs, targets = next(iter(make_dataset(folder / "train", DATA, batch_size=1)))
    expected = frames[:1, :5].astype("float32")
    np.testing.assert_array_equal(inputs, expected[:, :2, :, LAYOUT.inputs])
    np.testing.assert_array_equal(targets, expected[:, 2:, :, LAYOUT.targets])
    windows = read_windows(folder, "train", DATA)
    np.testing.assert_array_equal(windows.inputs[:1], inputs)
    np.testing.assert_array_equal(windows.truth[:1], targets[..., :3])  # places


def test_all_vectors_turn_alike_and_scalars_do_not(rng):
    trajectories = rng.normal(size=(2, 3, 4, 12)).astype("float32")
    matrices = Rotation.random(2, random_state=1).as_matrix().astype("float32")
    turned = np.asarray(rotate(trajectories, matrices, LAYOUT.vectors))
    for columns in LAYOUT.vectors:
        expected = np.einsum("bij,btnj->btni", matrices, trajectories[..., columns])
        np.testing.assert_allclose(turned[..., columns], expected, atol=1e-6)
    scalars = [6, 10, 11]
    np.testing.assert_array_equal(turned[..., scalars], trajectories[..., scalars])


@pytest.mark.parametrize("reflections", [False, True])
def test_half_of_the_samples_are_mirrored_if_asked(folder, reflections):
    config = DATA.model_copy(update={"num_rotations": 100, "reflections": reflections})
    samples = make_dataset(folder / "train", config, 200, shuffle=True, seed=3)
    inputs, targets = map(np.asarray, next(iter(samples)))
    mirrored = handedness(inputs[:, 0])
    if reflections:
        assert abs(mirrored.mean()) < 0.2
    else:
        stored = handedness(load_trajectories(folder / "train").frames[:, 0])
        np.testing.assert_array_equal(np.sort(mirrored), np.sort(np.repeat(stored, 100)))
    # Dipoles are mirrored with places: they still are the mean displacement before and after.
    moved = (targets[:, 0, :, :3] - inputs[:, 0, :, :3]) / 2
    np.testing.assert_allclose(inputs[:, 1, :, 4:7], moved, atol=1e-5)


def handedness(frames):
    """Of the tetrahedron of four particles, [..., 4, F]: one or minus one."""
    return np.sign(np.linalg.det(frames[..., 1:, :3] - frames[..., :1, :3]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blocks": (MASS, PLACE)}, "blocks: expected the 5 columns"),
        ({"features": ("m", "x", "y", "z"), "blocks": (MASS, PLACE)}, "expected one coordinate, "),
        ({"features": ("x", "y", "z", "x")}, "expected different names, found 'x' twice"),
        (
            {"features": ("x", "y", "z", "v"), "blocks": (PLACE, VELOCITY.model_copy(
                update={"size": 1}))},
            "expected vectors of 3 numbers, as the place has them, found 1 of velocity",
        ),
        ({"features": ("x", "y", "z", "m", "n"), "blocks": (PLACE, MASS, MASS)}, "'mass' twice"),
    ],
)  # fmt: skip
def test_impossible_layouts_are_refused(change, message):
    arguments = {"features": ("x", "y", "z", "mass", "n"), "blocks": (PLACE, MASS)}
    with pytest.raises(ValueError, match=message):
        FeatureLayout(**(arguments | change))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"kind": "coordinate", "size": 2}, "a: expected a place that changes, is given and pre"),
        ({"static": True, "predicted": True}, "a: expected nothing static to be predicted"),
        ({}, "a: expected what changes to be predicted as well if it is given"),
    ],
)
def test_impossible_blocks_are_refused(block, message):
    with pytest.raises(ValueError, match=message):
        FeatureBlock(name="a", **block)


def test_what_is_hidden_is_neither_given_nor_predicted():
    layout = FeatureLayout.of_scalars(("x", "y", "mass", "charge"), 2)
    hidden = layout.hiding("charge")
    assert hidden.features == layout.features
    assert hidden.given.in_words() == "position (x, y), mass"
    assert hidden.hiding() == hidden
    with pytest.raises(ValueError, match=r"hidden: expected features among position .*found spin"):
        layout.hiding("mass", "spin")
