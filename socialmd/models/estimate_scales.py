"""Scales that a model takes from its training data before it is trained: units of predictions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from socialmd.data import real_particles
from socialmd.data.masked_inputs import unpack
from socialmd.pose_space import PoseSpace
from socialmd.types import Array, FloatArray

__all__ = ["MotionScales", "Scales", "check_turns", "estimate_scales"]

STILL = 1e-6  # radians: what unit vectors in float32 move by rounding


@dataclass(frozen=True)
class MotionScales:
    """Root mean squares of how something moves, per coordinate.

    Args:
        displacement: d, of x_t - x_(t-1).
        acceleration: a, of x_t - 2 x_(t-1) + x_(t-2).
        error_by_step: of the error of constant velocity, by steps ahead, [T'].
    """

    displacement: float
    acceleration: float
    error_by_step: FloatArray

    def errors(self, num_steps: int) -> FloatArray:
        """`error_by_step` of any number of steps, [num_steps]; beyond T', as at T'.

        Never below a thousandth of d, which only exactly uniform motion is.
        """
        errors = np.maximum(self.error_by_step, 1e-3 * self.displacement)
        return errors[np.minimum(np.arange(num_steps), len(errors) - 1)]


@dataclass(frozen=True)
class Scales(MotionScales):
    """Those of training data, in units of length, and more.

    Args:
        input_shape: of the inputs, [B, T, N, F].
        feature_mean, feature_scale: mean and standard deviation of each static feature, [F - D]; so
            that it is read as one where it does not vary.
        turns: those of how unit vectors turn, in radians; none without any.
    """

    input_shape: tuple[int, ...]
    feature_mean: FloatArray
    feature_scale: FloatArray
    turns: MotionScales | None = None


def estimate_scales(
    batches: Iterable[Any],
    spatial_dims: int = 2,
    steps: int | None = None,
    orientation: Sequence[int] = (),
) -> Scales:
    """Look at training data, batches (inputs [B, T, N, F], targets [B, T', N, D]); at most `steps`.

    Unit vectors are the columns `orientation` of the inputs, and the last D of the targets.

    >>> frames = np.arange(4.0).reshape(1, 4, 1, 1) * [1.0, 1.0]  # a unit step each time
    >>> scales = estimate_scales([(frames[:, :2], frames[:, 2:])])
    >>> scales.displacement, scales.acceleration
    (1.0, 0.0)
    """
    totals: dict[str, Any] = {}
    counts: dict[str, int] = {}
    shape: tuple[int, ...] | None = None
    space = PoseSpace(spatial_dims, bool(orientation))
    for batch, targets in itertools.islice(iter(batches), steps):
        inputs, mask, _ = unpack(batch)
        shape = tuple(inputs.shape)
        past, future = (ops.convert_to_numpy(part).astype("float64") for part in (inputs, targets))
        if future.shape[-1] != space.width:
            raise ValueError(
                f"targets: expected {space.width} numbers, of a place"
                f"{' and a unit vector' * space.has_orientation}, found {future.shape[-1]}"
            )
        features = past[:, -1:, :, spatial_dims:]
        poses = np.concatenate([past[..., :spatial_dims], past[..., list(orientation)]], axis=-1)
        poses = np.concatenate([poses, future], axis=1)
        if mask is not None:
            mask = ops.convert_to_numpy(mask)
            features, poses = real_particles(features, mask), real_particles(poses, mask)
        moved, changes, errors = _motion(space, poses, shape[1])
        squares = {
            "displacement": (_by_part(moved, space), (0, 1, 2, 4)),
            "acceleration": (_by_part(changes, space), (0, 1, 2, 4)),
            "error": (_by_part(errors, space), (0, 2, 4)),
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
    varies = deviation > 1e-6 * np.abs(means["mean"])
    of_places, *of_turns = (
        MotionScales(
            displacement=float(np.sqrt(means["displacement"][part])),
            acceleration=float(np.sqrt(means["acceleration"][part])),
            error_by_step=np.sqrt(means["error"][..., part]),
        )
        for part in range(1 + space.has_orientation)
    )
    return Scales(
        **vars(of_places),
        input_shape=shape,
        # Read as zeros, all of them would leave nothing from which a law could grow.
        feature_mean=np.where(varies, means["mean"], means["mean"] - 1.0),
        feature_scale=np.where(varies, deviation, 1.0),
        turns=of_turns[0] if of_turns else None,
    )


def check_turns(turns: MotionScales) -> None:
    """Refuse unit vectors that do not turn, or all evenly.

    Raises:
        ValueError: nothing is left to learn of them.
    """
    found = [turns.displacement, turns.acceleration]
    if min(found) < STILL:
        raise ValueError(
            "adapt: expected particles that turn, and not all evenly, found scales of turns "
            f"{found}, in radians; orientation = false forecasts places alone"
        )


def _motion(space: PoseSpace, poses: FloatArray, given: int) -> tuple[Array, Array, Array]:
    """Displacements, their changes, and errors of constant velocity after the given frames."""
    last = given - 1
    moved, arrived = (
        np.asarray(way(poses[:, 1:], poses[:, :-1])) for way in (space.difference, space.arrival)
    )
    start, velocity = poses[:, last, None], arrived[:, last - 1, None]
    ahead = np.arange(1, poses.shape[1] - last)[:, np.newaxis, np.newaxis]
    uniform = space.move(*np.broadcast_arrays(start, ahead * velocity))
    errors = space.difference(poses[:, last + 1 :], uniform)
    return moved, moved[:, 1:] - arrived[:, :-1], np.asarray(errors)


def _by_part(vectors: Array, space: PoseSpace) -> Array:
    """Squares of places and of turns apart, [B, T, N, 1 or 2, D]."""
    return np.square(vectors.reshape(*vectors.shape[:-1], -1, space.spatial_dims))
