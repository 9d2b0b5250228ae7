"""Where a training runs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf

__all__ = ["on_device"]


def on_device(name: str) -> AbstractContextManager[Any]:
    """Scope in which variables and computations are where a configuration wants them.

    Args:
        name: `"cpu"`; `"gpu"`; or `"auto"`, a GPU where there is one. TensorFlow takes the first
            GPU by itself.

    Returns:
        The scope, for `with`.

    Raises:
        ValueError: a GPU is asked for and TensorFlow finds none.

    Example:
        >>> with on_device("cpu"):
        ...     model.fit(dataset)
    """
    if name == "gpu" and not tf.config.list_physical_devices("GPU"):
        found = ", ".join(device.name for device in tf.config.list_physical_devices())
        raise ValueError(f"training.device: expected a GPU, found only {found}")
    return tf.device("CPU:0") if name == "cpu" else nullcontext()
