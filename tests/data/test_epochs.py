"""Order and rotations: random, anew in every training epoch, and reproducible."""

import keras
import numpy as np
import pytest
import scipy.stats

from socialmd.data import make_dataset
from tests.data.samples import PLAIN, SMALL, all_frames, angles_between, nearest_windows, one_pass


def test_samples_are_rotated_windows(root):
    rotated = all_frames(make_dataset(root / "train", SMALL, 5))
    plain = np.repeat(all_frames(make_dataset(root / "train", PLAIN, 5)), 4, axis=0)
    angles = angles_between(rotated, plain)
    # A complex factor turns and never mirrors: inputs and targets of all particles share it.
    turned = plain * np.exp(1j * angles)[:, np.newaxis, np.newaxis]
    np.testing.assert_allclose(rotated, turned, atol=1e-5)
    assert len(np.unique(angles.round(4))) == len(angles) == 48


def test_rotations_are_uniform_over_samples_and_over_epochs(root):
    num_epochs = 40
    dataset = make_dataset(root / "train", SMALL, 48, shuffle=True)
    plain = all_frames(make_dataset(root / "train", PLAIN, 12))
    angles = np.empty((num_epochs, 12, 4))
    for epoch in range(num_epochs):
        rotated = all_frames(dataset)
        windows = nearest_windows(rotated, plain)
        for window in range(12):
            same = rotated[windows == window]
            angles[epoch, window] = angles_between(same, plain[window])
    uniform = scipy.stats.uniform(0, 2 * np.pi)
    assert scipy.stats.kstest(angles.ravel(), uniform.cdf).pvalue > 0.01
    for window in range(12):
        assert scipy.stats.kstest(angles[:, window].ravel(), uniform.cdf).pvalue > 0.001
    assert len(np.unique(angles.round(5))) > 0.99 * angles.size


def test_every_epoch_has_every_window_as_often_as_there_are_rotations(root):
    dataset = make_dataset(root / "train", SMALL, 5, shuffle=True)
    plain = all_frames(make_dataset(root / "train", PLAIN, 5))
    orders = [nearest_windows(all_frames(dataset), plain) for _ in range(3)]
    for order in orders:
        np.testing.assert_array_equal(np.bincount(order), np.full(12, 4))
        assert (order != np.sort(order)).any()
    assert (orders[0] != orders[1]).any()
    assert (orders[1] != orders[2]).any()


def test_shuffling_changes_the_order_and_nothing_else(root):
    shuffled = all_frames(make_dataset(root / "train", SMALL, 5, shuffle=True))
    ordered = all_frames(make_dataset(root / "train", SMALL, 5))
    order = np.argsort(shuffled[:, 0, 0].real), np.argsort(ordered[:, 0, 0].real)
    assert (order[0] != order[1]).any()
    np.testing.assert_array_equal(shuffled[order[0]], ordered[order[1]])


def test_training_draws_rotations_anew_in_every_epoch(root):
    dataset = make_dataset(root / "train", SMALL, 5, shuffle=True)
    # Sorted along the samples, so that equal rotations in another order would be found.
    first, second = (np.sort(all_frames(dataset)[:, 0, 0].real) for _ in range(2))
    assert np.intersect1d(first.round(5), second.round(5)).size < 5


def test_validation_is_the_same_in_every_epoch(root):
    dataset = make_dataset(root / "validation", SMALL, 5)
    first, second = one_pass(dataset), one_pass(dataset)
    again = one_pass(make_dataset(root / "validation", SMALL, 7))
    for part in range(2):
        np.testing.assert_array_equal(first[part], second[part])
        np.testing.assert_array_equal(first[part], again[part])


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_the_seed_makes_epochs_reproducible(root, shuffle, seed):
    # The global seed must not matter, nor what has been drawn in between.
    keras.utils.set_random_seed(1)
    dataset = make_dataset(root / "train", SMALL, 5, shuffle=shuffle, seed=seed)
    expected = [one_pass(dataset) for _ in range(3)]
    keras.utils.set_random_seed(2)
    dataset = make_dataset(root / "train", SMALL, 5, shuffle=shuffle, seed=seed)
    for inputs, targets in expected:
        again = one_pass(dataset)
        np.testing.assert_array_equal(inputs, again[0])
        np.testing.assert_array_equal(targets, again[1])


@pytest.mark.parametrize("shuffle", [True, False])
def test_another_seed_makes_other_samples(root, shuffle):
    first, second = (
        all_frames(make_dataset(root / "train", SMALL, 5, shuffle=shuffle, seed=seed))
        for seed in (0, 1)
    )
    assert np.intersect1d(first.real.round(5), second.real.round(5)).size < 0.05 * first.size


def test_a_resumed_training_starts_at_its_epoch(root):
    dataset = make_dataset(root / "train", SMALL, 5, shuffle=True, seed=3)
    epochs = [one_pass(dataset) for _ in range(4)]
    resumed = make_dataset(root / "train", SMALL, 5, shuffle=True, seed=3, initial_epoch=2)
    for expected in epochs[2:]:
        np.testing.assert_array_equal(one_pass(resumed)[0], expected[0])


def test_a_resumed_training_goes_on_in_the_middle_of_an_epoch(root):
    dataset = make_dataset(root / "train", SMALL, 5, shuffle=True, seed=3)
    epochs = [list(dataset.as_numpy_iterator()) for _ in range(3)]
    resumed = make_dataset(root / "train", SMALL, 5, shuffle=True, seed=3, initial_epoch=1)
    rest = resumed.skip(4)
    assert len(rest) == len(epochs[1]) - 4
    for found, expected in [(rest, epochs[1][4:]), (resumed, epochs[2])]:
        for batch, other in zip(found.as_numpy_iterator(), expected, strict=True):
            np.testing.assert_array_equal(batch[0], other[0])
            np.testing.assert_array_equal(batch[1], other[1])


def test_a_keras_fit_makes_one_pass_per_epoch(root):
    dataset = make_dataset(root / "train", SMALL, 5, shuffle=True)
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(18)])
    model.add(keras.layers.Reshape((3, 3, 2)))
    model.compile("sgd", "mse")
    model.fit(dataset, epochs=3, verbose=0, shuffle=False)
    resumed = make_dataset(root / "train", SMALL, 5, shuffle=True, initial_epoch=3)
    np.testing.assert_array_equal(one_pass(dataset)[0], one_pass(resumed)[0])


def test_repeating_goes_on_to_the_next_epoch(root):
    dataset = make_dataset(root / "train", SMALL, 5, shuffle=True)
    inputs, _ = one_pass(dataset.repeat(2))
    again = make_dataset(root / "train", SMALL, 5, shuffle=True)
    expected = [one_pass(again)[0], one_pass(again)[0]]
    np.testing.assert_array_equal(inputs, np.concatenate(expected))
