"""A loss for points: errors of which outliers are a part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from socialmd import distributions
from socialmd.losses.particle_loss import ParticleLoss
from socialmd.registration import register
from socialmd.types import Positions, Tensor

__all__ = ["StudentTError"]

FREEDOM = 3.0  # degrees of


@register
class StudentTError(ParticleLoss):
    """Error of the predicted mean position, as a Student-t distribution of one scale has it.

        loss = (nu + D) / 2 log(1 + |x - mu|**2 / (nu s**2)),   nu = 3

    A squared error within a scale s, a logarithm beyond it: the few particles in close encounters,
    whose errors are a hundred times those of all others, do not outweigh them. How wide densities
    are plays no part. Of poses, it is the sum of two such losses, of positions and of unit vectors.

    Args:
        scale: s, in units of length; of poses a pair, the second in radians.
        distribution: what is predicted, whose mean counts.
        reduction: see `ParticleLoss`.

    Call arguments:
        y_true, sample_weight: see `ParticleLoss`.
        y_pred: parameters, [B, T', N, P].

    Raises:
        ValueError: a scale is not positive, or there is no such distribution.

    Example:
        >>> model.compile("nadam", loss=StudentTError(0.0004, model.distribution_name))
    """

    def __init__(
        self,
        scale: float | Sequence[float],
        distribution: str | distributions.Distribution = "student_t",
        reduction: str = "mean_with_sample_weight",
        name: str = "student_t_error",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, **{"dtype": "float32", **kwargs})
        if not np.all(np.greater(scale, 0)):
            raise ValueError(f"scale: expected a positive length, found {scale}")
        self.scale = scale
        self.distribution = distribution
        distributions.get(distribution)  # refused here, if it is none

    def call(self, y_true: Positions, y_pred: Tensor) -> Tensor:
        mean = distributions.get(self.distribution, y_true.shape[-1]).mean(y_pred)
        error = mean - ops.cast(y_true, y_pred.dtype)
        if np.ndim(self.scale) == 0:
            return _of_one(error / self.scale)
        parts, scales = ops.split(error, 2, axis=-1), np.ravel(self.scale).tolist()
        return sum(_of_one(part / scale) for part, scale in zip(parts, scales, strict=True))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "distribution": self.distribution}


def _of_one(error: Tensor) -> Tensor:
    squares = ops.sum(ops.square(error), axis=-1)
    return (FREEDOM + error.shape[-1]) / 2 * ops.log1p(squares / FREEDOM)
