"""The one serialization decorator of the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import keras

__all__ = ["register"]

T = TypeVar("T", bound=type)

# Of layers, models, losses and metrics with `get_config`.
register: Callable[[T], T] = keras.saving.register_keras_serializable(package="socialmd")
