"""Particles that stay where they are."""

from __future__ import annotations

import numpy as np

from socialmd.evaluation.baselines.baseline import Baseline, register_baseline
from socialmd.types import FloatArray

__all__ = ["ConstantPosition"]


@register_baseline
class ConstantPosition(Baseline):
    """Every particle stays where it was seen last, and points there."""

    name = "constant position"

    def forecast(self, frames: FloatArray, num_steps: int) -> FloatArray:
        return np.repeat(self.read_poses(frames[:, -1:]), num_steps, axis=1)
