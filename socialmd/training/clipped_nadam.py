"""The optimizer where gradients are clipped, or where several devices share each batch."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from socialmd.registration import register
from socialmd.replicas import replica_context

__all__ = ["ClippedNadam"]


@register
class ClippedNadam(keras.optimizers.Nadam):
    """Nadam that clips the gradient of the whole batch, and leaves out one that is not finite.

    Keras clips on each device the gradient of that device's part of the batch and then adds up what
    is left. Here they are added up first.

    Through a close encounter, a gradient may overflow float32 where the loss does not; no clipping
    brings it back. Such a batch counts as one of gradient zero, and is counted.

    Attributes:
        num_left_out: batches left out so far, int32.

    Args:
        As of `keras.optimizers.Nadam`.

    Example:
        >>> with tf.distribute.MirroredStrategy().scope():
        ...     model.compile(ClippedNadam(global_clipnorm=1.0), loss=NegativeLogLikelihood())
    """

    def build(self, variables: list[Any]) -> None:
        if not self.built:
            self.num_left_out = self.add_variable(
                (), dtype="int32", name="num_left_out", aggregation="only_first_replica"
            )
        super().build(variables)

    def apply(self, grads: Any, trainable_variables: Any | None = None) -> None:
        context = replica_context()
        if context is not None:
            grads = list(context.all_reduce("SUM", list(grads)))
        known = [grad for grad in grads if grad is not None]
        finite = ops.all(ops.stack([ops.all(ops.isfinite(grad)) for grad in known]))
        grads = [None if grad is None else ops.where(finite, grad, 0.0) for grad in grads]
        if context is not None:
            # Keras will add up once more: the sum comes from the first device, zeros from others.
            share = ops.cast(context.replica_id_in_sync_group == 0, "float32")
            grads = [share * total for total in grads]
        if self.built:
            self.num_left_out.assign_add(ops.cast(ops.logical_not(finite), "int32"))
        super().apply(grads, trainable_variables)
