"""Checks of positions and features for what they cannot be, although they are numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from socialmd.data.feature_layout import ORIENTATION, FeatureLayout
from socialmd.types import Array

__all__ = ["check_trajectory", "find_change", "has_changed", "is_not_one"]

# What programs write for a place that is not known, in all coordinates.
FILL_VALUES = (-999.0, 9999.0, -9999.0, 99999.0, -99999.0)
# A step that is so many times as long as half of all steps are is none of a particle's own.
UNUSUAL = 10.0
# By how much the length of a unit vector may differ from one.
MOST_OFF = 1e-3


def check_trajectory(path: str | Path, array: Array, layout: FeatureLayout) -> None:
    """Refuse a trajectory [frames, N, F] that would be learned as something else than it is.

    That is, a static feature changes in time; orientations are no unit vectors; a frame of zeros,
    or a place that only fill values mean, stands among others; or a particle jumps by more than
    half the extent of all, as at the wall of a periodic box. The numbers have to be finite; `path`
    is for messages.
    """
    names = layout.features
    if (change := find_change(array, layout.columns(static=True))) is not None:
        frame, particle, feature = change
        raise ValueError(
            f"{path}: feature {names[feature]}: expected one that stays the same in all frames, "
            f"found {array[0, particle, feature]:g} at frame 0 and "
            f"{array[frame, particle, feature]:g} at frame {frame}, particle {particle}. Forecasts "
            "keep static features as they are, and rotations turn coordinates and vectors only: "
            "leave out what changes, or say by a layout what it is"
        )
    if turning := layout.orientation:
        lengths = np.linalg.norm(array[..., turning], axis=-1)  # [frames, N]
        if (is_wrong := is_not_one(lengths)).any():
            frame, particle = map(int, np.argwhere(is_wrong)[0])
            raise ValueError(
                f"{path}: {ORIENTATION}: expected unit vectors, found one of length "
                f"{lengths[frame, particle]:g} at frame {frame}, particle {particle}"
            )
    x = array[..., : layout.spatial_dims]
    filled = np.isin(x[..., 0], FILL_VALUES) & (x == x[..., :1]).all(axis=-1)  # [frames, N]
    if filled.any():
        frame, particle = map(int, np.argwhere(filled)[0])
        raise ValueError(
            f"{path}: expected places, found {x[frame, particle].tolist()} at frame {frame}, "
            f"particle {particle}, which is written where none is known"
        )
    if len(x) > 1:
        _check_steps(path, x, names)


def find_change(array: Array, columns: Sequence[int]) -> tuple[int, int, int] | None:
    """Frame, particle and feature where one of these columns first changes in time."""
    static = array[..., columns]
    changed = has_changed(static, static[:1])
    if not changed.any():
        return None
    frame, particle, feature = map(int, np.argwhere(changed)[0])
    return frame, particle, columns[feature]


def has_changed(values: Any, first: Any) -> Any:
    """Where values, an array or tensor, differ from the first ones by more than rounding does."""
    return abs(values - first) > 1e-5 * abs(first) + 1e-12


def is_not_one(lengths: Any) -> Any:
    """Where lengths, an array or tensor, are not those of unit vectors, but for rounding."""
    return abs(lengths - 1) > MOST_OFF


def _check_steps(path: str | Path, x: Array, names: Sequence[str]) -> None:
    steps = np.abs(np.diff(x, axis=0))  # [frames - 1, N, D]
    moving = steps[steps > 0]
    usual = float(np.median(moving)) if moving.size else 0.0
    for frame in np.flatnonzero((x == 0).all(axis=(1, 2))):
        if steps[max(frame - 1, 0) : frame + 1].max() > UNUSUAL * usual:
            raise ValueError(
                f"{path}: expected places, found zeros for all particles at frame {frame}, as in a "
                "frame that was never written"
            )
    extent = np.ptp(x, axis=(0, 1))  # [D]
    jumps = (steps > extent / 2) & (steps > UNUSUAL * usual)
    if jumps.any():
        step, particle, axis = map(int, np.argwhere(jumps)[0])
        raise ValueError(
            f"{path}: particle {particle} moves from {names[axis]} = {x[step, particle, axis]:g} "
            f"to {x[step + 1, particle, axis]:g} between frames {step} and {step + 1}, more "
            f"than half the extent of all, {extent[axis]:.4g}, and {UNUSUAL:g} times a usual step, "
            f"{usual:.2g}, and so in {int(jumps.any(axis=-1).sum()) - 1} more places. If the walls "
            "of a periodic box did it, unwrap the trajectories (add the box where they pass)"
        )
