"""Keras' default type, which users may have set to another for models of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

__all__ = ["float32_by_default"]


@contextmanager
def float32_by_default() -> Iterator[None]:
    """Let Keras make float32 of whatever it is told no type of.

    Layers, losses and metrics of this package name theirs. Keras itself does not: the learning rate
    of its optimizers, the mean of losses, and arrays that are cut into batches are of the type that
    `keras.config.floatx()` says, in which float16 positions would be lost.

    Example:
        >>> with float32_by_default():
        ...     model.compile("nadam", loss=NegativeLogLikelihood())
    """
    before = keras.config.floatx()
    keras.config.set_floatx("float32")
    try:
        yield
    finally:
        keras.config.set_floatx(before)
