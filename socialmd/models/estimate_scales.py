"""Scales that a model takes from its training data before it is trained: units of predictions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from socialmd.data import real_particles
from socialmd.data.masked_inputs import unpack
from socialmd.types import FloatArray

__all__ = ["Scales", "estimate_scales"]


@dataclass(frozen=True)
class Scales:
    """Root mean squares of training data, per coordinate and in units of length, and more.

    Args:
        input_shape: of the inputs, [B, T, N, F].
        displacement: d, of x_t - x_(t-1).
        acceleration: a, of x_t - 2 x_(t-1) + x_(t-2).
        error_by_step: of the error of constant velocity, by steps ahead, [T'].
        feature_mean, feature_scale: mean and standard deviation of each static feature, [F - D];
            one where it does not vary.
    """

    input_shape: tuple[int, ...]
    displacement: float
    acceleration: float
    error_by_step: FloatArray
    feature_mean: FloatArray
    feature_scale: FloatArray

    def errors(self, num_steps: int) -> FloatArray:
        """`error_by_step` of any number of steps, [num_steps]; beyond T', as at T'.

        Never below a thousandth of d, which only exactly uniform motion is.
        """
        errors = np.maximum(self.error_by_step, 1e-3 * self.displacement)
        return errors[np.minimum(np.arange(num_steps), len(errors) - 1)]


def estimate_scales(
    batches: Iterable[Any], spatial_dims: int = 2, steps: int | None = None
) -> Scales:
    """Look at training data, batches (inputs [B, T, N, F], targets [B, T', N, D]); at most `steps`.

    >>> frames = np.arange(4.0).reshape(1, 4, 1, 1) * [1.0, 1.0]  # a unit step each time
    >>> scales = estimate_scales([(frames[:, :2], frames[:, 2:])])
    >>> scales.displacement, scales.acceleration
    (1.0, 0.0)
    """
    totals: dict[str, Any] = {}
    counts: dict[str, int] = {}
    shape: tuple[int, ...] | None = None
    for batch, targets in itertools.islice(iter(batches), steps):
        inputs, mask, _ = unpack(batch)
        shape = tuple(inputs.shape)
        past, future = (ops.convert_to_numpy(part).astype("float64") for part in (inputs, targets))
        features = past[:, -1:, :, spatial_dims:]
        positions = np.concatenate([past[..., :spatial_dims], future], axis=1)
        if mask is not None:
            mask = ops.convert_to_numpy(mask)
            features, positions = real_particles(features, mask), real_particles(positions, mask)
        last = shape[1] - 1
        ahead = np.arange(1, future.shape[1] + 1)[:, np.newaxis, np.newaxis]
        uniform = positions[:, last, None] + ahead * np.diff(positions, axis=1)[:, last - 1, None]
        squares = {
            "displacement": (np.square(np.diff(positions, axis=1)), (0, 1, 2, 3)),
            "acceleration": (np.square(np.diff(positions, n=2, axis=1)), (0, 1, 2, 3)),
            "error": (np.square(positions[:, last + 1 :] - uniform), (0, 2, 3)),
            "mean": (features, (0, 1, 2)),
            "square": (np.square(features), (0, 1, 2)),
        }
        for name, (values, axes) in squares.items():
            total = values.sum(axis=axes)
            totals[name] = totals.get(name, 0.0) + total
            counts[name] = counts.get(name, 0) + values.size // max(1, np.size(total))
    if shape is None:
        raise ValueError("adapt: expected batches of inputs and targets, found none")
    means = {name: total / max(1, counts[name]) for name, total in totals.items()}
    if not all(np.isfinite(mean).all() for mean in means.values()):
        raise ValueError(
            "batches: expected finite trajectories of three frames or more, found mean squares "
            f"{means['displacement']} of displacements and {means['acceleration']} of their changes"
        )
    deviation = np.sqrt(np.maximum(means["square"] - np.square(means["mean"]), 0.0))
    return Scales(
        input_shape=shape,
        displacement=float(np.sqrt(means["displacement"])),
        acceleration=float(np.sqrt(means["acceleration"])),
        error_by_step=np.sqrt(means["error"]),
        feature_mean=means["mean"],
        feature_scale=np.where(deviation > 1e-6 * np.abs(means["mean"]), deviation, 1.0),
    )
