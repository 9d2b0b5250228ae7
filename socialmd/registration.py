"""Registration of classes with Keras, and the arguments that it saves of their objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import keras

__all__ = ["arguments_of", "register"]

T = TypeVar("T", bound=type)

# Of layers, models, losses and metrics with `get_config`.
register: Callable[[T], T] = keras.saving.register_keras_serializable(package="socialmd")


def arguments_of(cls: Any, instance: Any) -> dict[str, Any]:
    """What a class' constructor was given, for `get_config`: attributes of the same names.

    Layers among them are as Keras saves them.
    """
    arguments: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(cls.__init__).parameters.items())[1:]:
        if parameter.kind is not parameter.VAR_KEYWORD:
            value = getattr(instance, name)
            is_layer = isinstance(value, keras.layers.Layer)
            arguments[name] = keras.saving.serialize_keras_object(value) if is_layer else value
    return arguments
