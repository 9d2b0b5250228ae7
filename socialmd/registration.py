"""The one serialization decorator of the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import keras

__all__ = ["register"]

T = TypeVar("T", bound=type)


def register(cls: T) -> T:
    """Register a class for saving and loading by Keras under `package="socialmd"`.

    Args:
        cls: a layer, model, loss or metric with `get_config`.

    Returns:
        The class itself.

    Example:
        >>> @register
        ... class Halve(keras.layers.Layer):
        ...     def call(self, inputs):
        ...         return inputs / 2
    """
    decorate: Callable[[T], T] = keras.saving.register_keras_serializable(package="socialmd")
    return decorate(cls)
