"""Devices that share a batch: what each of them has to know of it."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["replica_context"]


def replica_context() -> Any | None:
    """Where one of several devices computes its part of a batch (`tf.distribute`).

    Its `all_reduce("SUM", tensors)` adds up what each device has; gradients flow through it.

    Returns:
        The `tf.distribute.ReplicaContext`; nothing where one device has the whole batch, which is
        everywhere but inside a `tf.distribute.Strategy.run` of several devices.

    Example:
        >>> replica_context() is None
        True
    """
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return None if context is None or context.num_replicas_in_sync == 1 else context
