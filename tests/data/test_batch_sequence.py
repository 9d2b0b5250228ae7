"""Batches without `tf.data`: the same, bit for bit, pass after pass."""

import keras
import numpy as np
import pytest

from socialmd.config import DataConfig
from socialmd.data import load_trajectories, make_dataset
from socialmd.data.batch_sequence import BatchSequence
from socialmd.data.batches import Batches
from tests.data.samples import SMALL

REVERSED = SMALL.model_copy(update={"time_reversal": True, "reflections": True})
NOT_TURNED = SMALL.model_copy(update={"num_rotations": 0})


@pytest.fixture
def split(write_dataset, numbered):
    """Systems of two and of three particles."""
    trajectories = numbered(3, 30)
    root = write_dataset({"train": [trajectories[0], trajectories[1][:, :2], trajectories[2]]})
    return load_trajectories(root / "train")


@pytest.fixture
def boxed(split):
    """In boxes that grow."""
    growth = 1 + 0.01 * np.arange(30)[:, np.newaxis, np.newaxis]
    boxes = np.tile(100 * np.eye(2) * growth, (3, 1, 1, 1))
    return split._replace(boxes=boxes)


def make_both(split, config, initial_epoch=0, **options):
    options = {"seed": 3, **options}
    sequence = BatchSequence(Batches(split, config, 5, **options), initial_epoch)
    return sequence, make_dataset(split, config, 5, initial_epoch=initial_epoch, **options)


def assert_same_pass(sequence, dataset):
    expected = list(dataset.as_numpy_iterator())
    assert len(sequence) == len(expected) > 2
    for batch, other in zip(sequence, expected, strict=True):
        pairs = zip(keras.tree.flatten(batch), keras.tree.flatten(other), strict=True)
        for found, array in pairs:
            assert found.dtype == array.dtype
            np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("config", [SMALL, REVERSED, NOT_TURNED])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("teacher_forcing", [True, False])
def test_every_pass_is_that_of_tf_data(request, config, shuffle, teacher_forcing):
    for name in ("split", "boxed"):
        both = make_both(
            request.getfixturevalue(name), config, shuffle=shuffle, teacher_forcing=teacher_forcing
        )
        for _ in range(3):
            assert_same_pass(*both)


def test_a_pass_goes_on_in_its_middle(split):
    sequence, dataset = make_both(split, SMALL, initial_epoch=2, shuffle=True)
    assert_same_pass(sequence.skip(4), dataset.skip(4))
    assert_same_pass(sequence, dataset)  # the one after it is whole


def test_what_a_batch_is_is_known_before(boxed):
    sequence, dataset = make_both(boxed, SMALL)
    expected = keras.tree.flatten(dataset.element_spec)
    for found, spec in zip(keras.tree.flatten(sequence.element_spec), expected, strict=True):
        assert (tuple(found.shape), found.dtype) == (tuple(spec.shape), spec.dtype.name)


def test_a_keras_fit_makes_one_pass_per_epoch(root):
    split = load_trajectories(root / "train")
    sequence, dataset = make_both(split, SMALL, shuffle=True)
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(18)])
    model.add(keras.layers.Reshape((3, 3, 2)))
    model.compile("sgd", "mse")
    model.fit(sequence, epochs=2, verbose=0, shuffle=False, validation_data=sequence)
    for _ in range(4):  # training and validation
        list(dataset)
    assert_same_pass(sequence, dataset)


def test_a_turned_window_is_the_matrix_times_its_places(split):
    """By a loop over particles; mass and charge stay."""
    batches = Batches(split, DataConfig(**{**SMALL.model_dump(), "reflections": True}), 5)
    samples = batches.draw(0)
    inputs, _ = batches.cut(samples.part(0, 5))
    for number, (row, matrix) in enumerate(zip(samples.rows, samples.rotations, strict=True)):
        if number == 5:
            break
        simulation, first = divmod(int(row), 30)
        for step, particle in np.ndindex(*inputs["inputs"].shape[1:3]):
            frame = split.frames[simulation, first + step * SMALL.subsample, particle]
            found = inputs["inputs"][number, step, particle]
            np.testing.assert_allclose(found[:2], matrix @ frame[:2], rtol=1e-5, atol=1e-5)
            np.testing.assert_array_equal(found[2:], frame[2:].astype("float32"))
