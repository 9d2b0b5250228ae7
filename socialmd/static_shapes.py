"""What XLA needs to know beforehand: shapes that depend on no value, and products by rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import keras
from keras import ops

from socialmd.types import Tensor

__all__ = ["by_rows", "has_static_shapes", "static_shapes"]

_asked_for: ContextVar[bool] = ContextVar("static_shapes", default=False)


@contextmanager
def static_shapes(asked_for: bool = True) -> Iterator[None]:
    """Let layers take the form whose shapes are known before any value is, which XLA needs.

    All are compared with all then, whoever is far away, with weights of zero. It is the same to
    rounding.

    Example:
        >>> with static_shapes():
        ...     tf.function(layer, jit_compile=True)(positions, values)
    """
    token = _asked_for.set(asked_for)
    try:
        yield
    finally:
        _asked_for.reset(token)


def by_rows(layer: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """A layer of [M, X] -> [M, Y] of values [..., X]: [..., Y].

    Keras would multiply more axes with a matrix by an operation whose gradient, in a loop over
    batches of unknown size, XLA cannot compile, and which takes longer to build.
    """
    result = layer(ops.reshape(values, (-1, values.shape[-1])))
    return ops.reshape(result, (*ops.shape(values)[:-1], result.shape[-1]))


def has_static_shapes() -> bool:
    """Whether shapes are to be known beforehand; outside of TensorFlow they always are."""
    return keras.backend.backend() != "tensorflow" or _asked_for.get()
