"""A learned external field, against tables that are looked up one by one."""

import keras
import numpy as np
import pytest

from socialmd.layers import ExternalField

pytestmark = pytest.mark.usefixtures("eagerly")


def numbers(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def make_field(rng, dims=2, cells=8, width=4.0):
    field = ExternalField(width=width, cells=cells, hidden_units=3)
    field.build((None, None, dims), num_features=2)
    for table in field.tables:
        table.assign(rng.normal(size=table.shape))
    return field


def look_up(table, place):
    """Of a table of n cells along each axis, at a place in widths from the corner."""
    cells, dims = len(table), len(place)
    at = np.clip(np.asarray(place) * cells - 0.5, 0, cells - 1)
    low = np.minimum(np.floor(at).astype(int), cells - 2)
    total = 0.0
    for corner in np.ndindex(*[2] * dims):
        shares = np.where(corner, at - low, 1 - (at - low))
        total = total + np.prod(shares) * table[tuple(low + corner)]
    return total


@pytest.mark.parametrize("dims", [2, 3])
def test_at_centres_of_the_finest_cells_it_is_the_sum_of_all_tables(rng, dims):
    field = make_field(rng, dims)
    centres = rng.integers(8, size=(1, 20, dims))
    places = (centres + 0.5) / 8
    features = rng.normal(size=(1, 20, 2)).astype("float32")
    table, response = field.read(features)
    found = numbers(field((places * 4 - 2).astype("float32"), table, response))
    expected = [sum(look_up(numbers(t), place) for t in field.tables) for place in places[0]]
    np.testing.assert_allclose(found[0], numbers(response)[0] * expected, rtol=1e-4, atol=1e-5)
    assert [t.shape[0] for t in field.tables] == [4, 8]


def test_it_is_linear_between_centres_and_constant_beyond(rng):
    field = make_field(rng)
    table, _ = field.read(np.zeros((1, 1, 2), "float32"))
    one = np.ones((1, 1, 1), "float32")

    def at(x, y):
        return numbers(field(np.array([[[x, y]]], "float32"), table, one))[0, 0]

    middle = (at(0.25, 0.25) + at(0.75, 0.25)) / 2
    np.testing.assert_allclose(at(0.5, 0.25), middle, rtol=1e-5)
    np.testing.assert_allclose(at(9.0, 0.25), at(1.9, 0.25), rtol=1e-5)


def test_the_gradient_in_places_is_that_of_differences(rng):
    import tensorflow as tf

    field = make_field(rng)
    table, _ = field.read(np.zeros((1, 1, 2), "float32"))
    one, x = (
        np.ones((1, 3, 1), "float32"),
        tf.constant(rng.uniform(-1.5, 1.5, (1, 3, 2)), "float32"),
    )
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(field(x, table, one))
    slope = tape.gradient(total, x)[0, 1, 0]
    step = np.zeros((1, 3, 2), "float32")
    step[0, 1, 0] = 1e-3
    above, below = (numbers(field(x + sign * step, table, one)).sum() for sign in (1, -1))
    np.testing.assert_allclose(numbers(slope), (above - below) / 2e-3, rtol=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"width": 0.0}, "width: expected a positive"), ({"width": 1.0, "cells": 2}, "at least 4")],
)
def test_impossible_sizes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ExternalField(**arguments)
