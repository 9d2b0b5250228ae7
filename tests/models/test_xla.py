"""Trainings whose steps XLA compiles are those that TensorFlow runs, to rounding."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.losses import EnergyScore, NegativeLogLikelihood
from tests.run_eagerly import run_eagerly
from tests.tiny_models import interacting_inputs, interacting_model, tiny_inputs, tiny_model

pytestmark = pytest.mark.slow


def batches_of(inputs, targets):
    """Of a size that no graph knows."""
    return tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(2)


def trained(make_model, make_inputs, feedback, jit_compile, **arguments):
    """Losses of two epochs, and weights after."""
    rng = np.random.default_rng(3)
    model, inputs = make_model(rng, **arguments), make_inputs(rng, batch=4, steps=6)
    given, targets = inputs[:, :3], inputs[:, 3:, :, :2]
    if feedback == "truth":
        given, targets = inputs[:, :-1], inputs[:, 2:, :, :2]
    model.begin_training(feedback)
    model.compile(
        keras.optimizers.SGD(0.03, global_clipnorm=1.0),
        NegativeLogLikelihood(model.distribution_name),
        jit_compile=jit_compile,
    )
    assert model.jit_compile is jit_compile
    with contextlib.nullcontext() if jit_compile else run_eagerly():
        losses = model.fit(batches_of(given, targets), epochs=2, verbose=0).history["loss"]
    return losses, [np.array(weight.value) for weight in model.trainable_weights]


@pytest.mark.parametrize(
    ("make_model", "make_inputs", "feedback", "arguments"),
    [
        (interacting_model, interacting_inputs, "truth", {"memory_in_law": False}),
        (tiny_model, tiny_inputs, "mean", {"prediction": "acceleration"}),
    ],
    ids=["radial law", "pooling"],
)
def test_training_is_the_same_to_rounding(make_model, make_inputs, feedback, arguments):
    plain, compiled = (
        trained(make_model, make_inputs, feedback, jit_compile, **arguments)
        for jit_compile in (False, True)
    )
    assert np.isfinite(plain[0]).all()
    np.testing.assert_allclose(compiled[0], plain[0], rtol=1e-4)
    for one, other in zip(compiled[1], plain[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_it_trains_on_futures(rng):
    """Which are others: XLA draws in its own way."""
    model = interacting_model(rng, distribution="student_t", feedback="sample")
    inputs = interacting_inputs(rng, batch=4, steps=6)
    before = [np.array(weight.value) for weight in model.trainable_weights]
    model.begin_training("sample", num_samples=2)
    model.compile("sgd", EnergyScore(), jit_compile=True)
    losses = model.fit(batches_of(inputs[:, :3], inputs[:, 3:, :, :2]), verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    after = [np.array(weight.value) for weight in model.trainable_weights]
    assert all(np.isfinite(each).all() for each in after)
    assert any((one != other).any() for one, other in zip(before, after, strict=True))
