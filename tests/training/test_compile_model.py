"""Nadam that leaves out what is not finite; on several devices, see test_mirrored."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.training.compile_model import ClippedNadam


def steps(optimizer, gradients):
    variable = keras.Variable(np.ones(3, "float32"))
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient, tf.float32)], [variable])
    return np.array(variable)


def test_finite_gradients_are_those_of_nadam():
    gradients = [[1.0, 2.0, 3.0], [0.1, -5.0, 0.0]]
    found, expected = (
        steps(kind(0.1, global_clipnorm=1.0), gradients)
        for kind in (ClippedNadam, keras.optimizers.Nadam)
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_gradient_that_is_not_finite_counts_as_none(bad):
    optimizer = ClippedNadam(0.1, global_clipnorm=1.0)
    found = steps(optimizer, [[1.0, 2.0, 3.0], [0.0, bad, 1.0], [1.0, 0.0, 0.0]])
    expected = steps(
        keras.optimizers.Nadam(0.1, global_clipnorm=1.0),
        [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]],
    )
    np.testing.assert_array_equal(found, expected)
    assert int(optimizer.num_left_out) == 1
