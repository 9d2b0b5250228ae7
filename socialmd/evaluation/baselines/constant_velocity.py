"""Particles that go straight on."""

from __future__ import annotations

import numpy as np

from socialmd.evaluation.baselines.baseline import Baseline, register_baseline
from socialmd.types import FloatArray

__all__ = ["ConstantVelocity"]


@register_baseline
class ConstantVelocity(Baseline):
    """Every particle goes on with its last displacement per step.

        x_(t+n) = x_t + n (x_t - x_(t-1))

    Example:
        >>> positions, _ = ConstantVelocity().rollout([[[[0.0, 5.0]], [[1.0, 5.0]]]], num_steps=2)
        >>> positions[0, :, 0]
        array([[2., 5.],
               [3., 5.]])
    """

    name = "constant velocity"

    def forecast(self, frames: FloatArray, num_steps: int) -> FloatArray:
        positions = frames[..., : self.spatial_dims]
        steps = np.arange(1, num_steps + 1)[:, np.newaxis, np.newaxis]  # [num_steps, 1, 1]
        return np.asarray(positions[:, -1:] + steps * (positions[:, -1:] - positions[:, -2:-1]))
