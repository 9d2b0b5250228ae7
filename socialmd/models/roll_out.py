"""Rollouts of any number of windows, in parts whose memory is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from tqdm import tqdm

from socialmd.data.masked_inputs import pack
from socialmd.models.check_inputs import as_arrays, check_constant_features, check_inputs
from socialmd.types import Array, Inputs

if TYPE_CHECKING:
    from socialmd.models.forecast_model import ForecastModel

__all__ = ["repeat", "roll_out", "roll_out_together"]

PARTICLES_AT_ONCE = 2048  # of all windows and futures that are rolled out together


def roll_out(
    model: ForecastModel,
    inputs: Inputs,
    num_steps: int,
    feedback: str,
    seed: int | None,
    num_samples: int | None,
    progress: str | None,
) -> tuple[Array, Array]:
    """As `ForecastModel.rollout`, whose options have been checked; not recalibrated."""
    frames, mask = as_arrays(inputs)
    if not model.built:
        model.build(frames.shape)
    # Before compiling, which would name the error's place in generated code.
    check_inputs(frames.shape, model.num_features, mask, model.spatial_dims, model.max_particles)
    check_constant_features(frames, mask, model.spatial_dims)
    seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
    size = max(1, PARTICLES_AT_ONCE // max(1, frames.shape[2] * (num_samples or 1)))
    starts = range(0, max(1, len(frames)), size)
    parts = []
    for first in tqdm(starts, desc=progress, disable=None if progress else True):
        rows = slice(first, first + size)
        past = pack(frames[rows], None if mask is None else mask[rows])
        seed_of_part = (seed + first) % 2**31
        parts.append(roll_out_together(model, past, num_steps, feedback, seed_of_part, num_samples))
    axis = 0 if num_samples is None else 1
    positions, parameters = (np.concatenate(part, axis) for part in zip(*parts, strict=True))
    return positions, parameters


def roll_out_together(
    model: ForecastModel,
    inputs: Inputs,
    num_steps: int,
    feedback: str,
    seed: int,
    num_samples: int | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same, all at once; memory also holds every step's h and c."""
    inputs = keras.tree.map_structure(ops.convert_to_tensor, inputs)
    if num_samples is not None:
        inputs = repeat(inputs, num_samples)
    outputs = model._compiled_loop(
        inputs, ops.arange(num_steps), feedback, ops.convert_to_tensor(seed, "int32")
    )
    positions, parameters = map(ops.convert_to_numpy, outputs)
    if not (np.isfinite(positions).all() and np.isfinite(parameters).all()):
        raise FloatingPointError(
            f"the forecast became infinite within {num_steps} steps; ask for fewer"
        )
    if num_samples is None:
        return positions, parameters
    return tuple(each.reshape(num_samples, -1, *each.shape[1:]) for each in (positions, parameters))


def repeat(inputs: Inputs, num_samples: int) -> Inputs:
    """Every past for each of S futures: [B, ...] -> [S B, ...]."""
    return keras.tree.map_structure(
        lambda each: ops.tile(each, (num_samples, *[1] * (len(each.shape) - 1))), inputs
    )
