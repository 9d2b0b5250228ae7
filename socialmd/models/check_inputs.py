"""Checks of what models are called with: shapes, masks, features, and options of rollouts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from socialmd.data.check_trajectory import find_change
from socialmd.data.masked_inputs import unpack
from socialmd.models.closed_loop import check_feedback
from socialmd.types import Array, Inputs, Mask, Shape

__all__ = ["as_arrays", "check_constant_features", "check_inputs", "check_rollout"]


def check_inputs(
    shape: Shape,
    num_features: int | None = None,
    mask: Mask = None,
    spatial_dims: int = 2,
    max_particles: int | None = None,
) -> None:
    """Check the shape of inputs, to be [B, T >= 2, N, F >= D], and of a mask, to be [B, N].

    Lengths that are unknown pass; F and the largest N are those of a model that is built.
    """
    if len(shape) != 4 or shape[-1] is None or shape[-1] < spatial_dims:
        raise ValueError(
            "inputs: expected [batch, steps, particles, features] with "
            f"{' and '.join('xyz'[:spatial_dims])} as the first features, "
            f"found shape {tuple(shape)}"
        )
    if shape[1] is not None and shape[1] < 2:
        raise ValueError(f"inputs: expected at least two time steps, found {shape[1]}")
    if num_features is not None and shape[-1] != num_features:
        raise ValueError(
            f"inputs: expected {num_features} features per particle, found {shape[-1]}"
        )
    if None not in (shape[2], max_particles) and shape[2] > max_particles:
        raise ValueError(
            f"inputs: expected at most the {max_particles} particles that the model was built for, "
            f"found {shape[2]}"
        )
    if mask is None:
        return
    found, expected = tuple(mask.shape), (shape[0], shape[2])
    known = [pair for pair in zip(found, expected, strict=False) if None not in pair]
    if len(found) != 2 or any(ours != theirs for ours, theirs in known):
        raise ValueError(
            f"mask: expected [batch, particles] = {list(expected)}, found shape {list(found)}"
        )


def as_arrays(inputs: Inputs) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Frames, which are to be finite, and mask."""
    frames, mask = unpack(inputs)
    if np.ma.is_masked(frames):
        raise ValueError("inputs: expected an array without masked numbers, found some")
    with np.errstate(over="ignore"):  # numbers that float32 does not hold become infinite
        frames = np.asarray(ops.convert_to_numpy(frames), np.float32)
    if not np.isfinite(frames).all():
        raise ValueError("inputs: expected finite numbers, found some that are not")
    return frames, None if mask is None else np.asarray(ops.convert_to_numpy(mask), np.bool_)


def check_constant_features(inputs: Array, mask: Mask, spatial_dims: int) -> None:
    """Check that features of [B, T, N, F] which are no coordinates stay as they are.

    Padded particles may do as they like.
    """
    frames = np.moveaxis(inputs, 1, 0)  # [T, B, N, F]
    if mask is not None:
        frames = np.where(mask[..., np.newaxis], frames, 0.0)
    batch, particles = frames.shape[1:3]
    change = find_change(frames.reshape(len(frames), batch * particles, -1), spatial_dims)
    if change is not None:
        frame, number, feature = change
        system, particle = divmod(number, particles)
        raise ValueError(
            f"inputs: expected features that stay the same in all frames after the first "
            f"{spatial_dims}, which are coordinates, found that feature {feature} of particle "
            f"{particle} in system {system} is {frames[0, system, particle, feature]:g} in frame 0 "
            f"and {frames[frame, system, particle, feature]:g} in frame {frame}"
        )


def check_rollout(
    num_steps: Any, feedback: str, seed: int | None, num_samples: int | None, recalibrated: bool
) -> int:
    """Check the options of `ForecastModel.rollout`; the number of steps, if it is whole."""
    try:
        number = math.nan if isinstance(num_steps, str) else float(num_steps)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (1 <= number < 2**31 and number.is_integer()):
        raise ValueError(
            f"num_steps: expected a whole number from 1 to 2**31 - 1, found {num_steps!r}"
        )
    if seed is not None and not 0 <= seed < 2**31:
        raise ValueError(f"seed: expected 0 to 2**31 - 1, found {seed}")
    check_feedback(feedback)
    if num_samples is not None and (
        num_samples < 1 or num_samples != int(num_samples) or feedback != "sample"
    ):
        raise ValueError(
            'num_samples: expected at least 1, and whole, and feedback="sample", found '
            f"{num_samples} and {feedback!r}"
        )
    if recalibrated and feedback == "sample" and (num_samples or 1) < 2:
        raise ValueError(
            'recalibrated: expected num_samples of at least 2 with feedback="sample", since '
            f"futures move about their mean, found {num_samples}"
        )
    return int(number)
