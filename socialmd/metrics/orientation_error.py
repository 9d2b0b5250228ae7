"""Where particles point, as a metric shown while training."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from socialmd.registration import register
from socialmd.types import Tensor

__all__ = ["OrientationError"]


@register
class OrientationError(keras.metrics.Mean):
    """Mean angle between predicted and true direction, in degrees.

    Args:
        distribution: what is predicted, a `Pose`.

    Call arguments:
        y_true: positions and unit vectors, [B, T', N, 2 D].
        y_pred: parameters, [B, T', N, P], or M futures, [B, T', N, M, 2 D], whose mean counts.
        sample_weight: as of `PositionError`.

    Example:
        >>> model = InteractionLSTM(orientation=True)
        >>> model.compile("nadam", metrics=[OrientationError(model.distribution_name)])
    """

    def __init__(self, distribution: Any, name: str = "degrees", **kwargs: Any) -> None:
        super().__init__(name=name, **{"dtype": "float32", **kwargs})
        is_saved = isinstance(distribution, dict)
        self.distribution = (
            keras.saving.deserialize_keras_object(distribution) if is_saved else distribution
        )

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        predicted = ops.cast(y_pred, "float32")
        are_futures = len(predicted.shape) > len(y_true.shape)
        poses = ops.mean(predicted, axis=-2) if are_futures else self.distribution.mean(predicted)
        dims = self.distribution.spatial_dims
        mean, truth = poses[..., dims:], ops.cast(y_true, "float32")[..., dims:]
        if are_futures:
            mean = ops.normalize(mean, axis=-1)
        apart, together = (ops.norm(each, axis=-1) for each in (mean - truth, mean + truth))
        angle = 2 * ops.arctan2(apart, together) * (180 / math.pi)
        if sample_weight is None:  # as in PositionError
            sample_weight = getattr(y_pred, "_keras_mask", None)
        super().update_state(angle, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "distribution": self.distribution}
