"""A trajectory file -> the past that a model is given, and what follows it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from socialmd.config import DataConfig
from socialmd.data.feature_layout import FeatureLayout
from socialmd.data.load_trajectories import read_trajectory
from socialmd.types import Array, FloatArray

__all__ = ["ForecastTask", "read_forecast_task"]


class ForecastTask(NamedTuple):
    """What to forecast, cut out of a trajectory.

    Args:
        past: [T, N, F].
        truth: how the trajectory goes on, [0..steps, N, D].
        last_frame: number of the trajectory's frame that ends the past.
        boxes: periodic ones of past and truth, [T..T + steps, D, D]; none without.
        orientations: unit vectors that followed, like truth; none of particles without.
    """

    past: Array
    truth: Array
    last_frame: int
    boxes: FloatArray | None = None
    orientations: Array | None = None


def read_forecast_task(
    file: str | Path,
    config: DataConfig,
    layout: FeatureLayout,
    steps: int,
    start_frame: int | None = None,
    box: FloatArray | None = None,
) -> ForecastTask:
    """Cut a past and its continuation out of a trajectory, of a data set or not.

    Args:
        file: `.npy` file of [frames, N, F].
        config: T and how the model's frames are subsampled.
        layout: of the file's columns; `FeatureLayout.unnamed` of what a model reads, if nothing
            else says it.
        steps: steps ahead.
        start_frame: first frame of the past, which ends with the last frame if none is given.
        box: periodic one, [D, D] or of each of the file's frames, [frames, D, D].

    Returns:
        The task.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds no finite floating-point numbers [frames, N, F] with this F, too few
            frames, or none left after `start_frame`.

    Example:
        >>> task = read_forecast_task("mine.npy", config.data, description.layout, steps=30)
        >>> positions, parameters = model.rollout(task.past[None], 30)
    """
    trajectory = read_trajectory(file, layout, box)
    span = (config.input_steps - 1) * config.subsample
    latest = len(trajectory) - 1 - span  # frame at which a past can begin
    if latest < 0:
        raise ValueError(
            f"{file}: a past of {config.input_steps} frames, {config.subsample} apart, needs "
            f"{span + 1} frames, found {len(trajectory)}"
        )
    start = latest if start_frame is None else start_frame
    if not 0 <= start <= latest:
        raise ValueError(f"start_frame: expected 0 to {latest} with {file}, found {start}")
    kept = trajectory[start :: config.subsample]
    past, future = np.split(kept, [config.input_steps])
    truth = future[:steps, :, : layout.spatial_dims]
    orientations = future[:steps][..., layout.orientation] if layout.orientation else None
    boxes = None
    if box is not None:
        each = np.broadcast_to(box, (len(trajectory), *box.shape[-2:]))
        boxes = each[start :: config.subsample][: config.input_steps + len(truth)]
    return ForecastTask(past[..., layout.inputs], truth, start + span, boxes, orientations)
