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
    advance: Callable[[States, Any], States],
    start: States,
    inputs: Any,
    keep: Callable[[States], States],
) -> tuple[States, States]:
    """Apply `advance(state, input)` to each of [T, ...] inputs.

    Gives the last state, and what is to be kept of each, [T, ...]: of all others, memory holds the
    present one, unless gradients are asked for.
    """
    if keras.backend.backend() != "tensorflow":

        def step(state: States, each: Any) -> tuple[States, States]:
            following = advance(state, each)
            return following, keep(following)

        return ops.scan(step, start, inputs)
    import tensorflow as tf

    first = tf.nest.flatten(inputs)[0]
    count = tf.shape(first)[0] if first.shape[0] is None else first.shape[0]

    def array_of(tensor: Tensor, shape: Any) -> tf.TensorArray:
        return tf.TensorArray(tensor.dtype, count, element_shape=shape)

    given = tf.nest.map_structure(lambda each: array_of(each, each.shape[1:]).unstack(each), inputs)
    kept = tf.nest.map_structure(lambda each: array_of(each, each.shape), keep(start))

    def body(number: Tensor, state: States, kept: States) -> tuple[Tensor, States, States]:
        following = advance(state, tf.nest.map_structure(lambda each: each.read(number), given))
        write = tf.nest.map_structure(
            lambda array, value: array.write(number, value), kept, keep(following)
        )
        return number + 1, following, write

    _, last, kept = tf.while_loop(
        lambda number, *_: number < count, body, (0, start, kept), maximum_iterations=count
    )
    return last, tf.nest.map_structure(lambda array: array.stack(), kept)


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
