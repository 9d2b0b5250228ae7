"""The metric shown while training."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from socialmd import distributions
from socialmd.registration import register
from socialmd.types import Positions, Tensor

__all__ = ["PositionError"]


@register
class PositionError(keras.metrics.Mean):
    """Mean absolute error of the predicted mean position, per coordinate, in units of length.

    Args:
        distribution: what is predicted, by name or as an object (see `socialmd.distributions`).

    Call arguments:
        y_true: positions, [B, T', N, D], or poses, [B, T', N, 2 D], whose positions count.
        y_pred: parameters, [B, T', N, P], or M futures, [B, T', N, M, D], whose mean counts.
        sample_weight: optional, broadcast to [B, T', N]; by default, masked particles (see
            `SocialLSTM`) have none.

    Raises:
        ValueError: there is no such distribution.

    Example:
        >>> model.compile("nadam", loss=NegativeLogLikelihood(), metrics=[PositionError()])
    """

    def __init__(
        self,
        distribution: str | distributions.Distribution = "gaussian",
        name: str = "mae",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **{"dtype": "float32", **kwargs})
        self.distribution = distribution
        distributions.get(distribution)  # refused here, if it is none

    def update_state(
        self, y_true: Positions, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        predicted = ops.cast(y_pred, "float32")
        are_futures = len(predicted.shape) > len(y_true.shape)
        distribution = distributions.get(self.distribution, y_true.shape[-1])
        mean = ops.mean(predicted, axis=-2) if are_futures else distribution.mean(predicted)
        error = ops.abs(mean - ops.cast(y_true, "float32"))
        if isinstance(distribution, distributions.Pose):
            error = error[..., : distribution.spatial_dims]
        error = ops.mean(error, axis=-1)
        if sample_weight is None:  # Keras leaves masked particles out of losses, not out of metrics
            sample_weight = getattr(y_pred, "_keras_mask", None)
        super().update_state(error, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "distribution": self.distribution}
