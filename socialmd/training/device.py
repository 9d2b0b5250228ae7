"""The device or devices that a training runs on."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf

__all__ = ["on_device"]


def on_device(name: str, replicas: int = 1) -> AbstractContextManager[Any]:
    """Scope in which variables and computations are where a configuration wants them.

    On the `"cpu"`, the `"gpu"`, or `"auto"`, a GPU where there is one: TensorFlow takes the first
    by itself. Several `replicas` hold copies of all variables that are made in the scope, and
    divide among them each batch of a model that is made there (`tf.distribute.MirroredStrategy`).
    """
    if name == "gpu" and not tf.config.list_physical_devices("GPU"):
        found = ", ".join(device.name for device in tf.config.list_physical_devices())
        raise ValueError(f"training.device: expected a GPU, found only {found}")
    if replicas == 1:
        return tf.device("CPU:0") if name == "cpu" else nullcontext()
    has_gpu = name != "cpu" and tf.config.list_physical_devices("GPU")
    kind = "GPU" if has_gpu else "CPU"
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if len(devices) < replicas:
        raise ValueError(
            f"training.replicas: expected at most {len(devices)}, the number of {kind} devices "
            f"({', '.join(devices)}), found {replicas}"
        )
    return _mirrored(*devices[:replicas]).scope()


@functools.cache
def _mirrored(*devices: str) -> tf.distribute.Strategy:
    """One strategy for all trainings of a process: two mistake each other's messages."""
    if _mirrored.cache_info().currsize:
        raise ValueError(
            "training.replicas: expected as many devices as an earlier training of this process "
            f"had, found {len(devices)}"
        )
    return tf.distribute.MirroredStrategy(devices)
