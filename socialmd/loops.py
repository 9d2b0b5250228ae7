"""Loops of a graph that say how often they run, which XLA needs to differentiate them.

Keras' loops on TensorFlow do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from socialmd.types import States, Tensor

__all__ = ["repeat_body", "run_loop"]


def run_loop(
    advance: Callable[[States, Any], States], start: States, inputs: Any
) -> tuple[States, States]:
    """Apply `advance(state, input)` to each of [T, ...] inputs: the last state, and all, [T, ...].

    There is at least one.
    """
    if keras.backend.backend() != "tensorflow":
        return ops.scan(lambda state, each: (advance(state, each),) * 2, start, inputs)
    import tensorflow as tf

    states = tf.scan(advance, inputs, start)
    return keras.tree.map_structure(lambda each: each[-1], states), states


def repeat_body(count: int, body: Callable[[States], States], start: States) -> States:
    """Apply `body(state)` so many times."""
    if keras.backend.backend() != "tensorflow":
        return ops.fori_loop(0, count, lambda _, state: body(state), start)
    import tensorflow as tf

    def numbered(number: Tensor, state: States) -> tuple[Tensor, States]:
        return number + 1, body(state)

    return tf.while_loop(
        lambda number, _: number < count, numbered, (0, start), maximum_iterations=count
    )[1]
