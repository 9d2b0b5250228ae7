"""Check of what a baseline is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from socialmd.types import FloatArray

__all__ = ["check_frames"]


def check_frames(inputs: ArrayLike, num_steps: int) -> FloatArray:
    """Refuse what cannot be continued.

    Args:
        inputs: [B, T, N, F] with T, F >= 2.
        num_steps: steps ahead.

    Returns:
        Inputs in float64, [B, T, N, F].

    Raises:
        ValueError: inputs are of another shape or not finite, or `num_steps` is not positive.
    """
    frames = np.asarray(inputs, np.float64)
    if frames.ndim != 4 or frames.shape[1] < 2 or frames.shape[3] < 2:
        raise ValueError(
            "inputs: expected [batch, steps, particles, features] with at least two steps and "
            f"x and y as the first features, found shape {frames.shape}"
        )
    if not np.isfinite(frames).all():
        raise ValueError("inputs: expected finite numbers, found some that are not")
    if num_steps < 1:
        raise ValueError(f"num_steps: expected at least 1, found {num_steps}")
    return frames
