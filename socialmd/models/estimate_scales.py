"""How far particles move in a step, and by how much that changes: the units of predictions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from keras import ops

from socialmd.data import real_particles
from socialmd.models.check_inputs import unpack

__all__ = ["estimate_scales"]


def estimate_scales(batches: Iterable[Any]) -> tuple[float, float]:
    """Root mean square, per step and coordinate, of displacements and of second differences.

        d = rms(x_t - x_(t-1))        a = rms(x_t - 2 x_(t-1) + x_(t-2))

    Args:
        batches: pairs (inputs [B, T, N, F], targets [B, T', N, 2]).

    Returns:
        d and a, in units of length.

    Raises:
        ValueError: there is no batch, or trajectories are not finite.

    Example:
        >>> frames = np.arange(4.0).reshape(1, 4, 1, 1) * [1.0, 1.0]  # a unit step each time
        >>> estimate_scales([(frames[:, :2], frames[:, 2:])])
        (1.0, 0.0)
    """
    totals, counts = np.zeros(2), np.zeros(2)
    for batch, targets in batches:
        inputs, mask = unpack(batch)
        past, future = (ops.convert_to_numpy(part)[..., :2] for part in (inputs, targets))
        positions = np.concatenate([past, future], axis=1).astype("float64")
        if mask is not None:
            positions = real_particles(positions, ops.convert_to_numpy(mask))
        for order in (1, 2):
            difference = np.diff(positions, n=order, axis=1)
            totals[order - 1] += np.square(difference).sum()
            counts[order - 1] += difference.size
    if not counts.all() or not np.isfinite(totals).all():
        raise ValueError(
            "batches: expected finite trajectories of three frames or more, found "
            f"{int(counts[1])} second differences and sums of squares {totals.tolist()}"
        )
    displacement, acceleration = np.sqrt(totals / counts).tolist()
    return displacement, acceleration
