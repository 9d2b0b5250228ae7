import json

import numpy as np
import pytest
import tensorflow as tf

from socialmd.config import DataConfig
from socialmd.data import (
    FeatureBlock,
    FeatureLayout,
    load_trajectories,
    make_dataset,
    read_windows,
)
from tests.data.samples import PLAIN, SMALL, all_frames, one_pass


@pytest.mark.parametrize(
    ("split", "num_simulations", "num_samples"),
    [("train", 100, 20_000), ("validation", 20, 4_000), ("test", 20, 4_000)],
)
@pytest.mark.parametrize("shuffle", [True, False])
def test_default_configuration_makes_the_samples_of_the_thesis(
    write_dataset, split, num_simulations, num_samples, shuffle
):
    simulations = np.arange(num_simulations, dtype=float)[:, np.newaxis, np.newaxis, np.newaxis]
    root = write_dataset({split: np.broadcast_to(simulations, (num_simulations, 1000, 1, 2))})
    dataset = make_dataset(root / split, DataConfig(), 32, shuffle=shuffle)
    inputs, targets = one_pass(dataset)
    assert inputs.shape == (num_samples, 5, 1, 2)
    assert targets.shape == (num_samples, 30, 1, 2)
    assert len(dataset) == num_samples // 32


def test_windows_are_slices_of_the_trajectories(root, numbered):
    expected = [
        trajectory[phase::3][start : start + 5]
        for trajectory in numbered(2, 30)
        for phase in (0, 1)
        for start in (0, 2, 4)
    ]
    inputs, targets = one_pass(make_dataset(root / "train", PLAIN, 5))
    np.testing.assert_array_equal(inputs, np.float32(expected)[:, :2])
    np.testing.assert_array_equal(targets, np.float32(expected)[:, 2:, :, :2])


def test_batches_have_static_shapes_and_the_last_one_is_kept(root):
    dataset = make_dataset(root / "train", PLAIN, 5)
    inputs, targets = dataset.element_spec
    assert (inputs.shape.as_list(), inputs.dtype) == ([None, 2, 3, 4], "float32")
    assert (targets.shape.as_list(), targets.dtype) == ([None, 3, 3, 2], "float32")
    assert [len(inputs) for inputs, _ in dataset] == [5, 5, 2]
    assert len(dataset) == 3


@pytest.mark.parametrize("num_features", [2, 3, 7])
def test_features_after_the_coordinates_pass_unrotated(write_dataset, numbered, num_features):
    root = write_dataset({"train": numbered(2, 30, num_features)})
    inputs, targets = one_pass(make_dataset(root / "train", SMALL, 5))
    plain, _ = one_pass(make_dataset(root / "train", PLAIN, 5))
    assert inputs.shape == (48, 2, 3, num_features)
    assert targets.shape == (48, 3, 3, 2)
    np.testing.assert_array_equal(inputs[..., 2:], np.repeat(plain[..., 2:], 4, axis=0))


def test_no_frame_of_one_split_appears_in_another(write_dataset):
    # x numbers the simulation, y the frame; nothing is rotated, so both can be read off.
    simulation, frame = np.meshgrid(np.arange(6.0), np.arange(30.0), indexing="ij")
    trajectories = np.stack([simulation, frame], axis=-1)[:, :, np.newaxis]
    root = write_dataset(
        {"train": trajectories[:3], "validation": trajectories[3:5], "test": trajectories[5:]}
    )
    seen = {}
    for split in ("train", "validation", "test"):
        frames = all_frames(make_dataset(root / split, PLAIN, 5))
        seen[split] = set(frames.ravel())
    assert {number.real for number in seen["train"]} == {0, 1, 2}
    assert {number.real for number in seen["validation"]} == {3, 4}
    assert {number.real for number in seen["test"]} == {5}
    assert sum(map(len, seen.values())) == len(set().union(*seen.values()))


@pytest.mark.parametrize("batch_size", [0, -1])
def test_refuses_a_batch_size_that_is_not_positive(root, batch_size):
    with pytest.raises(ValueError, match=f"batch_size: expected .* found {batch_size}"):
        make_dataset(root / "train", SMALL, batch_size)


def test_refuses_one_dimension(write_dataset, numbered):
    trajectories = numbered(2, 30)
    trajectories[..., 1] = 0.5  # no coordinate any more
    root = write_dataset({"train": trajectories}, spatial_dims=1)
    with pytest.raises(ValueError, match=r"dataset\.json: expected spatial_dims = 2 or 3, found 1"):
        make_dataset(root / "train", SMALL, 4)


def test_rotates_in_space(write_dataset, numbered):
    """Distances between particles stay, every coordinate changes, and the fourth number stays."""
    root = write_dataset({"train": numbered(2, 30)}, spatial_dims=3)
    rotated, targets = one_pass(make_dataset(root / "train", SMALL, 4))
    plain, _ = one_pass(make_dataset(root / "train", PLAIN, 4))
    plain = np.repeat(plain, SMALL.num_rotations, axis=0)
    assert targets.shape[1:] == (3, 3, 3)
    np.testing.assert_allclose(
        np.linalg.norm(rotated[..., :3], axis=-1),
        np.linalg.norm(plain[..., :3], axis=-1),
        rtol=1e-5,
    )
    for axis in range(3):
        assert np.abs(rotated[..., axis] - plain[..., axis]).max() > 1.0
    np.testing.assert_array_equal(rotated[..., 3], plain[..., 3])


def test_systems_of_different_sizes_come_with_a_mask(write_dataset, numbered):
    trajectories = numbered(3, 30)
    root = write_dataset(
        {"train": [trajectories[0], trajectories[1][:, :2]], "test": [trajectories[2]]}
    )
    dataset = make_dataset(root / "train", PLAIN, 4)
    batches = list(dataset.as_numpy_iterator())
    inputs = np.concatenate([past["inputs"] for past, _ in batches])
    mask = np.concatenate([past["mask"] for past, _ in batches])
    targets = np.concatenate([future for _, future in batches])
    half = len(mask) // 2
    assert mask.tolist() == [[True] * 3] * half + [[True, True, False]] * half
    np.testing.assert_array_equal(inputs[half:, :, 2], 0.0)
    np.testing.assert_array_equal(targets[half:, :, 2], 0.0)
    whole = make_dataset(root / "test", PLAIN, 4)
    assert isinstance(whole.element_spec[0], tf.TensorSpec)  # there, every system has three


def test_refuses_too_few_frames_for_one_window_at_every_phase(write_dataset, numbered):
    root = write_dataset({"train": numbered(2, SMALL.minimum_frames - 1)})
    with pytest.raises(ValueError, match=r"train/000\.npy: expected at least 14 frames.* found 13"):
        make_dataset(root / "train", SMALL, 5)


def test_accepts_just_enough_frames(write_dataset, numbered):
    root = write_dataset({"train": numbered(2, SMALL.minimum_frames)})
    assert len(one_pass(make_dataset(root / "train", SMALL, 5))[0]) == 2 * 2 * 4


def test_slices_of_one_simulation_are_counted_as_one(write_dataset, numbered):
    """They are not independent: what is computed per simulation must not take them for ten."""
    root = write_dataset({"train": numbered(4, 30)})
    plain = read_windows(root, "train", PLAIN).simulations
    assert np.unique(plain).tolist() == [0, 1, 2, 3]
    path = root / "dataset.json"
    description = json.loads(path.read_text())
    made = dict(zip(sorted(description["files"]), (7, 7, 7, 9), strict=True))
    files = {name: {"simulation": simulation} for name, simulation in made.items()}
    path.write_text(json.dumps({**description, "preprocessing": {"files": files}}))
    grouped = read_windows(root, "train", PLAIN).simulations
    np.testing.assert_array_equal(grouped, np.where(plain == 3, 9, 7))


def test_teacher_forcing_gives_all_frames_and_asks_for_all_from_the_third_on(root):
    plain, future = one_pass(make_dataset(root / "train", PLAIN, 5))
    inputs, targets = one_pass(make_dataset(root / "train", PLAIN, 5, teacher_forcing=True))
    positions = np.concatenate([plain[..., :2], future], axis=1)
    np.testing.assert_array_equal(inputs[..., :2], positions[:, :-1])
    np.testing.assert_array_equal(targets, positions[:, 2:])
    assert inputs.shape == (12, 4, 3, 4)


def test_time_reversal_turns_half_of_a_training_s_samples_around(root):
    config = PLAIN.model_copy(update={"time_reversal": True})
    plain = all_frames(make_dataset(root / "train", PLAIN, 5))
    known = {window.tobytes(): 1 for window in plain}
    known |= {np.ascontiguousarray(window[::-1]).tobytes(): -1 for window in plain}
    dataset = make_dataset(root / "train", config, 5, shuffle=True, seed=3)
    directions = [
        [known[np.ascontiguousarray(window).tobytes()] for window in all_frames(dataset)]
        for _ in range(8)
    ]
    assert 0.3 < np.mean(np.equal(directions, 1)) < 0.7
    assert directions[0] != directions[1]  # drawn anew in each epoch
    validation = all_frames(make_dataset(root / "train", config, 5))
    np.testing.assert_array_equal(validation, plain)


def test_what_runs_backwards_has_the_opposite_velocity(write_dataset, numbered):
    place = FeatureBlock(name="position", size=2, kind="coordinate", predicted=True)
    velocity = FeatureBlock(name="velocity", size=2, kind="vector")
    layout = FeatureLayout(features=("x", "y", "vx", "vy"), blocks=(place, velocity))
    root = write_dataset({"train": 1.0 + numbered(2, 30, 4)})
    split = load_trajectories(root / "train")
    description = split.description.model_copy(
        update={"features": layout.features, "blocks": layout.blocks}
    )
    split = split._replace(description=description)
    config = PLAIN.model_copy(update={"time_reversal": True, "num_rotations": 0})
    inputs, targets = one_pass(make_dataset(split, config, 5, shuffle=True, seed=3))
    is_later = targets[:, 0, 0, 0] > inputs[:, -1, 0, 0]  # numbers grow in time
    assert 0 < is_later.sum() < len(inputs)
    assert targets.shape[-1] == 2
    assert (inputs[is_later][..., 2:] > 0).all()
    assert (inputs[~is_later][..., 2:] < 0).all()
