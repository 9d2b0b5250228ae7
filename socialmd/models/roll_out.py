"""Rollouts of any number of windows: checked, and in parts whose memory is bounded."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from tqdm import tqdm

from socialmd.data.check_trajectory import find_change, is_not_one
from socialmd.data.masked_inputs import Unpacked, pack, unpack
from socialmd.models.closed_loop import check_feedback, check_inputs
from socialmd.models.conservation_filters import ConservationFilters
from socialmd.models.random_turns import RandomTurns
from socialmd.periodic_box import check_box
from socialmd.types import Array, Inputs, Mask

if TYPE_CHECKING:
    from socialmd.models.forecast_model import ForecastModel

__all__ = ["check_rollout", "repeat", "roll_out", "roll_out_together"]

PARTICLES_AT_ONCE = 2048  # of all windows and futures that are rolled out together


def roll_out(
    model: ForecastModel,
    inputs: Inputs,
    num_steps: int,
    feedback: str,
    seed: int | None,
    num_samples: int | None,
    progress: str | None,
    loop: Callable[..., Any] | None = None,
    filters: ConservationFilters | None = None,
) -> tuple[Array, Array]:
    """As `ForecastModel.rollout`, whose options have been checked; not recalibrated.

    Given another loop than the model's closed one, with the same arguments, what that one returns.
    Of the filters, only that acts here which turns windows; the others are part of a loop.
    """
    frames, mask, box = _as_arrays(inputs, model.spatial_dims)
    if not model.built:
        model.build(frames.shape)
    # Before compiling, which would name the error's place in generated code.
    check_inputs(frames.shape, model.num_features, mask, model.spatial_dims, model.max_particles)
    _check_constant_features(frames, mask, model)
    _check_unit_vectors(frames, mask, model.orientation_columns)
    if box is not None:
        model.check_box(box)
    seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
    turns = None
    if filters is not None:
        filters.check(Unpacked(frames, mask, box))
        if filters.rotates:
            turns = RandomTurns.draw(len(frames), model.spatial_dims, seed)
            frames, mask, box = turns.turn(Unpacked(frames, mask, box), model)
    size = max(1, PARTICLES_AT_ONCE // max(1, frames.shape[2] * (num_samples or 1)))
    starts = range(0, max(1, len(frames)), size)
    parts = []
    for first in tqdm(starts, desc=progress, disable=None if progress else True):
        rows = slice(first, first + size)
        past = pack(*(None if each is None else each[rows] for each in (frames, mask, box)))
        seed_of_part = (seed + first) % 2**31
        how = (num_steps, feedback, seed_of_part, num_samples)
        parts.append(roll_out_together(model, past, *how, loop))
    axis = 0 if num_samples is None else 1
    positions, parameters = (np.concatenate(part, axis) for part in zip(*parts, strict=True))
    return (
        (positions, parameters) if turns is None else turns.turn_back(positions, parameters, model)
    )


def roll_out_together(
    model: ForecastModel,
    inputs: Inputs,
    num_steps: int,
    feedback: str,
    seed: int,
    num_samples: int | None,
    loop: Callable[..., Any] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same, all at once."""
    inputs = keras.tree.map_structure(ops.convert_to_tensor, inputs)
    if num_samples is not None:
        inputs = repeat(inputs, num_samples)
    outputs = (loop or model._compiled_loop)(
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


def _as_arrays(inputs: Inputs, spatial_dims: int) -> Unpacked:
    """Frames, which are to be finite, mask and boxes."""
    frames, mask, box = unpack(inputs)
    if np.ma.is_masked(frames):
        raise ValueError("inputs: expected an array without masked numbers, found some")
    with np.errstate(over="ignore"):  # numbers that float32 does not hold become infinite
        frames = np.asarray(ops.convert_to_numpy(frames), np.float32)
    if not np.isfinite(frames).all():
        raise ValueError("inputs: expected finite numbers, found some that are not")
    if box is not None:
        box = np.asarray(ops.convert_to_numpy(box), np.float32)
        check_box("box", box, spatial_dims)
        if box.shape[:-2] not in (frames.shape[:1], frames.shape[:2]):
            raise ValueError(
                f"box: expected [B, D, D] or [B, T, D, D] with inputs {list(frames.shape)}, found "
                f"shape {list(box.shape)}"
            )
        if box.ndim == 3:
            box = np.repeat(box[:, np.newaxis], frames.shape[1], axis=1)
    mask = None if mask is None else np.asarray(ops.convert_to_numpy(mask), np.bool_)
    return Unpacked(frames, mask, box)


def _check_unit_vectors(inputs: Array, mask: Mask, columns: list[int]) -> None:
    """Check that particles point somewhere, if that is forecast; padded ones do not."""
    if not columns:
        return
    lengths = np.linalg.norm(inputs[..., columns], axis=-1)  # [B, T, N]
    is_wrong = is_not_one(lengths)
    if mask is not None:
        is_wrong &= mask[:, np.newaxis]
    if is_wrong.any():
        system, frame, particle = map(int, np.argwhere(is_wrong)[0])
        raise ValueError(
            f"inputs: expected unit vectors in features {columns}, which say where particles "
            f"point, found one of length {lengths[system, frame, particle]:g} of particle "
            f"{particle} in frame {frame} of system {system}"
        )


def _check_constant_features(inputs: Array, mask: Mask, model: ForecastModel) -> None:
    """Check that features of [B, T, N, F] which are not forecast stay as they are.

    Padded particles may do as they like.
    """
    frames = np.moveaxis(inputs, 1, 0)  # [T, B, N, F]
    if mask is not None:
        frames = np.where(mask[..., np.newaxis], frames, 0.0)
    batch, particles = frames.shape[1:3]
    frames_of_all = frames.reshape(len(frames), batch * particles, frames.shape[-1])
    change = find_change(frames_of_all, model.static_columns)
    if change is not None:
        frame, number, feature = change
        system, particle = divmod(number, particles)
        raise ValueError(
            f"inputs: expected features that stay the same in all frames after the first "
            f"{model.spatial_dims}, which are coordinates, found that feature {feature} of "
            f"particle {particle} in system {system} is "
            f"{frames[0, system, particle, feature]:g} in frame 0 "
            f"and {frames[frame, system, particle, feature]:g} in frame {frame}"
        )


def repeat(inputs: Inputs, num_samples: int) -> Inputs:
    """Every past for each of S futures: [B, ...] -> [S B, ...]."""
    return keras.tree.map_structure(
        lambda each: ops.tile(each, (num_samples, *[1] * (len(each.shape) - 1))), inputs
    )
