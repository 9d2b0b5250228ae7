"""The optimizer of several devices that share each batch."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from socialmd.models.replicas import replica_context
from socialmd.registration import register

__all__ = ["MirroredNadam"]


@register
class MirroredNadam(keras.optimizers.Nadam):
    """Nadam that clips the gradient of the whole batch.

    Keras clips on each device the gradient of that device's part of the batch and then adds up what
    is left. Here they are added up first; where one device has the whole batch, this is Nadam.

    Args:
        As of `keras.optimizers.Nadam`.

    Example:
        >>> with tf.distribute.MirroredStrategy().scope():
        ...     model.compile(MirroredNadam(global_clipnorm=1.0), loss=NegativeLogLikelihood())
    """

    def apply(self, grads: Any, trainable_variables: Any | None = None) -> None:
        context = replica_context()
        if context is not None:
            # Keras will add up once more: the sum comes from the first device, zeros from others.
            share = ops.cast(context.replica_id_in_sync_group == 0, "float32")
            grads = [share * total for total in context.all_reduce("SUM", list(grads))]
        super().apply(grads, trainable_variables)
