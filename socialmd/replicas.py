"""Devices that share a batch: what each of them has to know of it."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["replica_context"]


def replica_context() -> Any | None:
    """The `tf.distribute.ReplicaContext` of one device of several that share a batch.

    Its `all_reduce("SUM", tensors)` adds up what each device has; gradients flow through it. There
    is none where one device has the whole batch: outside of a `Strategy.run` of several.
    """
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return None if context is None or context.num_replicas_in_sync == 1 else context
