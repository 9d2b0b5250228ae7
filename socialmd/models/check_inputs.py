"""Checks of what models are called with: shapes, masks, features and numbers of steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from socialmd.data.check_trajectory import find_change
from socialmd.types import Mask, Shape, Tensor

__all__ = ["check_constant_features", "check_inputs", "check_num_steps"]


def check_inputs(
    shape: Shape,
    num_features: int | None = None,
    mask_shape: Shape = None,
    spatial_dims: int = 2,
    max_particles: int | None = None,
) -> None:
    """Check the shapes of a model's call arguments; unknown dimensions pass.

    Args:
        shape: of the inputs, to be [B, T >= 2, N, F >= D].
        num_features: F of a model that is built.
        mask_shape: to be [B, N], if there is a mask.
        spatial_dims: D.
        max_particles: most particles that a model was built for, if it was for a number of them.

    Raises:
        ValueError: a shape is another; the message says which and what was found.
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
    if mask_shape is not None:
        _check_mask(tuple(mask_shape), (shape[0], shape[2]))


def check_constant_features(inputs: Tensor, mask: Mask, spatial_dims: int) -> None:
    """Check that features which are no coordinates stay as they are.

    Args:
        inputs: [B, T, N, F].
        mask: bool [B, N], false for padded particles, which may do as they like.
        spatial_dims: D.

    Raises:
        ValueError: one changes. The message names system, frame, particle and feature.
    """
    frames = np.moveaxis(ops.convert_to_numpy(inputs), 1, 0)  # [T, B, N, F]
    if mask is not None:
        frames = np.where(ops.convert_to_numpy(mask)[..., np.newaxis], frames, 0.0)
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


def check_num_steps(num_steps: Any) -> int:
    """Check a number of steps.

    Args:
        num_steps: an integer of any type, or a float that is whole.

    Returns:
        The number.

    Raises:
        ValueError: it is none, less than one, or more than 2**31 - 1.
    """
    try:
        number = math.nan if isinstance(num_steps, str) else float(num_steps)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (1 <= number < 2**31 and number.is_integer()):
        raise ValueError(
            f"num_steps: expected a whole number from 1 to 2**31 - 1, found {num_steps!r}"
        )
    return int(number)


def _check_mask(found: tuple[int | None, ...], expected: tuple[int | None, ...]) -> None:
    known = [pair for pair in zip(found, expected, strict=False) if None not in pair]
    if len(found) != 2 or any(ours != theirs for ours, theirs in known):
        raise ValueError(
            f"mask: expected [batch, particles] = {list(expected)}, found shape {list(found)}"
        )
