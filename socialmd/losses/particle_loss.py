"""The base of all losses: a number for each particle at each step."""

from __future__ import annotations

import keras
from keras import ops

from socialmd.replicas import replica_context
from socialmd.types import Positions, Tensor

__all__ = ["ParticleLoss"]


class ParticleLoss(keras.losses.Loss):
    """A loss whose `call` gives [B, T', N], averaged over what has weight, on however many devices.

    Args:
        reduction: as in Keras; `"mean_with_sample_weight"` averages over what has weight.

    Call arguments:
        y_true: positions, [B, T', N, D].
        y_pred: what is predicted, [B, T', N, ...].
        sample_weight: optional, [B, T', N]; zero leaves a padded particle out. Masked particles
            (see `SocialLSTM`) are left out by themselves.
    """

    def __call__(
        self, y_true: Positions, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        mean = super().__call__(y_true, y_pred, sample_weight)
        context = replica_context()
        if context is None or self.reduction != "mean_with_sample_weight":
            return mean
        # One of several devices has averaged over its part of the batch and divided by their
        # number, as Keras has it. The mean of the parts' means is another than that of the batch.
        weights = ops.ones(ops.shape(y_pred)[:3], "float32")
        for factor in (sample_weight, getattr(y_pred, "_keras_mask", None)):
            weights = weights if factor is None else weights * ops.cast(factor, weights.dtype)
        weight = ops.sum(weights)
        total, weight = context.all_reduce("SUM", [mean * weight, weight])
        return ops.divide_no_nan(total, weight)
