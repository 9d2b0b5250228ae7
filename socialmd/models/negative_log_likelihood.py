"""The training loss."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from socialmd import distributions
from socialmd.models.replicas import replica_context
from socialmd.registration import register

__all__ = ["NegativeLogLikelihood"]


@register
class NegativeLogLikelihood(keras.losses.Loss):
    """Negative log-likelihood of the true positions, averaged over batch, steps and particles.

        loss = -mean log p(x_true | parameters)         thesis equations (18) and (24)

    In nats per particle and step; positions in units of length. It may well be negative.

    Args:
        distribution: name of the predicted distribution: `"gaussian"`, `"mixture"` or
            `"correlated_mixture"`.
        reduction: as in Keras; the default averages over what has weight.

    Call arguments:
        y_true: positions, [B, T', N, D].
        y_pred: parameters, [B, T', N, P].
        sample_weight: optional, [B, T', N]; zero leaves a padded particle out. Masked particles
            (see `SocialLSTM`) are left out by themselves.

    Raises:
        ValueError: there is no such distribution.

    Example:
        >>> model.compile("nadam", loss=NegativeLogLikelihood("gaussian"))
    """

    def __init__(
        self,
        distribution: str | distributions.Distribution = "gaussian",
        reduction: str = "mean_with_sample_weight",
        name: str = "negative_log_likelihood",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.distribution = distribution
        self._distribution = distributions.get(distribution)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any | None = None) -> Any:
        mean = super().__call__(y_true, y_pred, sample_weight)
        context = replica_context()
        if context is None or self.reduction != "mean_with_sample_weight":
            return mean
        # One of several devices has averaged over its part of the batch and divided by their
        # number, as Keras has it. The mean of the parts' means is another than that of the batch.
        weights = ops.ones(ops.shape(y_pred)[:-1])
        for factor in (sample_weight, getattr(y_pred, "_keras_mask", None)):
            weights = weights if factor is None else weights * ops.cast(factor, weights.dtype)
        weight = ops.sum(weights)
        total, weight = context.all_reduce("SUM", [mean * weight, weight])
        return ops.divide_no_nan(total, weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return -self._distribution.from_parameters(y_pred).log_prob(y_true)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "distribution": self.distribution}
