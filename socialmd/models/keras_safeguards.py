"""Safeguards around Keras: its default type, variables made late, and empty parts of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from socialmd.data.masked_inputs import pack, unpack
from socialmd.replicas import replica_context
from socialmd.types import Inputs, Tensor

__all__ = ["build_optimizer", "float32_by_default", "never_empty"]


@contextmanager
def float32_by_default() -> Iterator[None]:
    """Let Keras make float32 of whatever it is told no type of.

    Layers, losses and metrics of this package name theirs. Keras itself does not: the learning rate
    of its optimizers, the mean of losses, and arrays that are cut into batches are of the type that
    `keras.config.floatx()` says, which users may have set to float16, in which positions are lost.
    """
    before = keras.config.floatx()
    keras.config.set_floatx("float32")
    try:
        yield
    finally:
        keras.config.set_floatx(before)


def build_optimizer(model: keras.Model) -> None:
    """Make the optimizer's variables; the model is built and compiled.

    Keras would make them in the first step, whose graph TensorFlow then builds a second time.
    """
    # Keras forgets a variable of Nadam that is built by the optimizer for loss scaling around it.
    getattr(model.optimizer, "inner_optimizer", model.optimizer).build(model.trainable_variables)
    model.optimizer.build(model.trainable_variables)


def never_empty(call: Callable[..., Any]) -> Callable[..., Any]:
    """Let a model's `call(self, inputs, training)` never see a part of a batch without any system.

    The last batch of an epoch may be smaller than the number of devices. Not all of TensorFlow's
    operations work without any system. So there is one then, of zeros, whose parameters are left
    out of what is returned: it has neither loss nor gradient.
    """

    @functools.wraps(call)
    def call_with_systems(self: Any, inputs: Inputs, training: bool | None = None) -> Tensor:
        if replica_context() is None:
            return call(self, inputs, training)
        frames, mask, box = unpack(inputs)
        some = pack(_at_least_one(frames), _at_least_one(mask), _at_least_one(box))
        if box is not None:  # zeros are no box: one is added to the diagonal of those that are none
            nothing = ops.cast(ops.all(some["box"] == 0, axis=(-2, -1), keepdims=True), "float32")
            some["box"] = some["box"] + nothing * ops.eye(box.shape[-1])
        return call(self, some, training)[: ops.shape(frames)[0]]

    return call_with_systems


def _at_least_one(tensor: Tensor) -> Tensor:
    """The tensor [B, ...] or, if B is zero, zeros [1, ...]."""
    if tensor is None:
        return None
    import tensorflow as tf

    missing = tf.maximum(1 - tf.shape(tensor)[0], 0)
    return tf.pad(tensor, [[0, missing], *[[0, 0]] * (len(tensor.shape) - 1)])
