"""Particles that go straight on, and turn as they did."""

from __future__ import annotations

import numpy as np

from socialmd.evaluation.baselines.baseline import Baseline, register_baseline
from socialmd.types import FloatArray

__all__ = ["ConstantVelocity"]


@register_baseline
class ConstantVelocity(Baseline):
    """Every particle goes on with its last displacement per step.

        x_(t+n) = x_t + n (x_t - x_(t-1))

    What points somewhere goes on turning, by its last angle per step.

    Example:
        >>> positions, _ = ConstantVelocity().rollout([[[[0.0, 5.0]], [[1.0, 5.0]]]], num_steps=2)
        >>> positions[0, :, 0]
        array([[2., 5.],
               [3., 5.]])
    """

    name = "constant velocity"

    def forecast(self, frames: FloatArray, num_steps: int) -> FloatArray:
        space, poses = self.poses, self.read_poses(frames[:, -2:])
        before, last = poses[:, :1], poses[:, 1:]
        velocity = np.asarray(space.arrival(last, before))
        steps = np.arange(1, num_steps + 1)[:, np.newaxis, np.newaxis]  # [num_steps, 1, 1]
        return np.asarray(space.move(*np.broadcast_arrays(last, steps * velocity)))
