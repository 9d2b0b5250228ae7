"""The device or devices that a training runs on."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras

__all__ = ["gpu_names", "on_device"]


def on_device(name: str, replicas: int = 1) -> AbstractContextManager[Any]:
    """Scope in which variables and computations are where a configuration wants them.

    On the `"cpu"`, the `"gpu"`, or `"auto"`, a GPU where there is one: the backend takes the first
    by itself. Several `replicas` hold copies of all variables that are made in the scope, and
    divide among them each batch of a model that is made there (`tf.distribute.MirroredStrategy`).
    """
    if name == "gpu" and not _gpus():
        found = ", ".join(_device_names())
        raise ValueError(f"training.device: expected a GPU, found only {found}")
    if keras.backend.backend() == "jax":
        return _on_jax(name, replicas)
    return _on_tensorflow(name, replicas)


def gpu_names() -> list[str]:
    """What each GPU calls itself that Keras' backend can use."""
    if keras.backend.backend() == "jax":
        return [gpu.device_kind for gpu in _gpus()]
    import tensorflow as tf

    details = map(tf.config.experimental.get_device_details, _gpus())
    return [each.get("device_name", "GPU") for each in details]


def _gpus() -> list[Any]:
    if keras.backend.backend() == "jax":
        import jax

        return [device for device in jax.devices() if device.platform != "cpu"]
    import tensorflow as tf

    return list(tf.config.list_physical_devices("GPU"))


def _device_names() -> list[str]:
    if keras.backend.backend() == "jax":
        import jax

        return list(map(str, jax.devices()))
    import tensorflow as tf

    return [device.name for device in tf.config.list_physical_devices()]


def _on_jax(name: str, replicas: int) -> AbstractContextManager[Any]:
    import jax

    if replicas > 1:
        raise ValueError(f"training.replicas: expected 1 on JAX, found {replicas}")
    return jax.default_device(jax.devices("cpu")[0]) if name == "cpu" else nullcontext()


def _on_tensorflow(name: str, replicas: int) -> AbstractContextManager[Any]:
    import tensorflow as tf

    if replicas == 1:
        return tf.device("CPU:0") if name == "cpu" else nullcontext()
    kind = "GPU" if name != "cpu" and _gpus() else "CPU"
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if len(devices) < replicas:
        raise ValueError(
            f"training.replicas: expected at most {len(devices)}, the number of {kind} devices "
            f"({', '.join(devices)}), found {replicas}"
        )
    return _mirrored(*devices[:replicas]).scope()


@functools.cache
def _mirrored(*devices: str) -> Any:
    """One strategy for all trainings of a process: two mistake each other's messages."""
    import tensorflow as tf

    if _mirrored.cache_info().currsize:
        raise ValueError(
            "training.replicas: expected as many devices as an earlier training of this process "
            f"had, found {len(devices)}"
        )
    return tf.distribute.MirroredStrategy(devices)
