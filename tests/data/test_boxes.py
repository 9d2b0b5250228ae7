"""Data sets of simulations in periodic boxes."""

import numpy as np
import pytest
import tensorflow as tf

from socialmd.config import DataConfig
from socialmd.data import describe_dataset, load_trajectories, make_dataset, read_windows
from socialmd.periodic_box import PeriodicBox

BOX = np.array([[6.0, 0.0, 0.0], [1.0, 7.0, 0.0], [-1.0, 2.0, 8.0]])
DATA = DataConfig(subsample=2, num_phases=1, input_steps=2, target_steps=3, num_rotations=0)


@pytest.fixture
def walks(rng):
    return rng.normal(scale=0.4, size=(3, 30, 5, 3)).cumsum(axis=1)


@pytest.fixture(params=[False, True], ids=["one box", "a box each frame"])
def boxes(request):
    """Of three simulations, the last of which is larger."""
    sizes = np.array([1.0, 1.0, 1.1])[:, None, None] * BOX
    if not request.param:
        return sizes
    return sizes[:, None] * (1 + 1e-3 * np.arange(30))[:, None, None]


def write(folder, walks, boxes):
    for index, (split, walk) in enumerate(zip(("train", "train", "test"), walks, strict=True)):
        name = f"{split}/simulation_{index:05d}.npy"
        for path, array in ((folder / name, walk), (folder / "boxes" / name, boxes[index])):
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, array)
    describe_dataset(folder, features=["x", "y", "z"], spatial_dims=3, frame_spacing=1.0)
    return folder


def test_trajectories_come_with_their_boxes(tmp_path, walks, boxes):
    trajectories = load_trajectories(write(tmp_path, walks, boxes) / "train")
    np.testing.assert_array_equal(trajectories.frames, walks[:2])
    np.testing.assert_array_equal(trajectories.boxes, boxes[:2].reshape(2, -1, 3, 3))
    assert trajectories.description.is_periodic


def test_what_was_wrapped_is_unwrapped_up_to_whole_boxes(tmp_path, walks, boxes):
    each = np.broadcast_to(boxes.reshape(3, -1, 3, 3), (3, 30, 3, 3))
    wrapped = PeriodicBox.of(each).wrap(walks)
    assert np.abs(np.diff(wrapped, axis=1)).max() > 3
    found = load_trajectories(write(tmp_path, wrapped, boxes) / "train").frames
    assert np.abs(np.diff(found, axis=1)).max() < 2.5
    images = PeriodicBox.of(each[:2]).fractions(found - wrapped[:2])
    np.testing.assert_allclose(images, np.round(images), atol=1e-9)


def test_windows_and_batches_have_the_boxes_of_their_frames(tmp_path, walks, boxes):
    folder = write(tmp_path, walks, boxes)
    windows = read_windows(folder, "train", DATA)
    each = np.broadcast_to(boxes.reshape(3, -1, 3, 3), (3, 30, 3, 3)).astype("float32")
    np.testing.assert_array_equal(windows.boxes[0], each[0, :10:2])
    np.testing.assert_array_equal(windows.past["box"], windows.boxes[:, :2])
    inputs, _ = next(iter(make_dataset(folder / "train", DATA, batch_size=100)))
    np.testing.assert_array_equal(inputs["box"], windows.past["box"])
    np.testing.assert_array_equal(windows.at(np.array([1])).boxes, windows.boxes[1:2])


def test_boxes_turn_with_what_is_in_them(tmp_path, walks, boxes):
    """Distances of nearest images stay what they were."""
    folder = write(tmp_path, walks, boxes)
    config = DATA.model_copy(update={"num_rotations": 1})
    still, turned = (
        next(iter(make_dataset(folder / "train", each, batch_size=100)))[0]
        for each in (DATA, config)
    )

    def distances(inputs):
        x = inputs["inputs"]
        offsets = x[:, :, :, None] - x[:, :, None]
        return tf.norm(PeriodicBox.of(inputs["box"]).displacement(offsets), axis=-1)

    assert np.abs(turned["inputs"] - still["inputs"]).max() > 0.1
    straight = tf.norm(still["inputs"][:, :, :, None] - still["inputs"][:, :, None], axis=-1)
    near = distances(still) < 2.4  # nearest images are exact up to half of the smallest width
    assert (near & (distances(still) < straight - 0.1)).numpy().any()
    np.testing.assert_allclose(distances(turned)[near], distances(still)[near], atol=1e-4)


def test_teacher_forcing_has_a_box_for_every_given_frame(tmp_path, walks, boxes):
    folder = write(tmp_path, walks, boxes)
    samples = make_dataset(folder / "train", DATA, batch_size=4, teacher_forcing=True)
    inputs, _ = next(iter(samples))
    assert inputs["inputs"].shape[:2] == inputs["box"].shape[:2] == (4, 4)


def test_impossible_boxes_are_refused(tmp_path, walks, boxes):
    folder = write(tmp_path, walks, boxes)
    (folder / "boxes/train/simulation_00001.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"boxes/train/simulation_00001\.npy: missing"):
        load_trajectories(folder / "train")
    np.save(folder / "boxes/train/simulation_00001.npy", np.eye(3))
    with pytest.raises(ValueError, match=r"boxes/train/simulation_00001\.npy: expected SHA-256"):
        load_trajectories(folder / "train")
    for box, message in ((np.eye(2), "box vectors"), (np.ones((7, 3, 3)) * BOX, r"\[30, D, D\]")):
        folder = write(tmp_path, walks, [BOX, box, BOX])
        with pytest.raises(ValueError, match=rf"box.*train/simulation_00001\.npy: .*{message}"):
            load_trajectories(folder / "train")
