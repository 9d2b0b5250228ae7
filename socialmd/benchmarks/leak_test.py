"""Whether forecasts know what they are to forecast."""

from __future__ import annotations

import numpy as np

from socialmd.config import DataConfig
from socialmd.data import Trajectories
from socialmd.data.windows import cut_windows
from socialmd.evaluation import Forecaster

__all__ = ["leak_test"]


def leak_test(
    forecaster: Forecaster, split: Trajectories, config: DataConfig, max_windows: int = 100
) -> float:
    """Change every frame after the last given one, and see how far that moves forecasts.

    All that stands between trajectories on disk and a forecast takes part: how windows are cut,
    what of them a model is given, and how it is read.

    Args:
        forecaster: a model or baseline.
        split: trajectories, of which the first window of each is forecast.
        config: how trajectories become windows.
        max_windows: trajectories to look at, at most.

    Returns:
        The largest change of any coordinate, in units of length; zero of an honest forecast.

    Raises:
        ValueError: the changed trajectories gave the same truth: there was nothing to see.

    Example:
        >>> leak_test(model, load_trajectories("data/monopoles/test"), config.data)
        0.0
    """
    frames = split.frames[:max_windows]
    first = split._replace(
        frames=frames,
        mask=split.mask[:max_windows],
        boxes=None if split.boxes is None else split.boxes[:max_windows],
    )
    changed = frames.copy()
    columns = split.description.layout.columns(static=False)
    last_given = (config.input_steps - 1) * config.subsample
    later = changed[:, last_given + 1 :, :, columns]
    noise = np.random.default_rng(0).normal(0.0, frames[..., columns].std(), later.shape)
    changed[:, last_given + 1 :, :, columns] = later + noise
    before, after = (
        cut_windows(each, config).one_of_each_simulation(max_windows)
        for each in (first, first._replace(frames=changed))
    )
    if (before.truth == after.truth).all():
        raise ValueError("split: expected frames after the given ones, which can be changed")
    forecasts = [
        forecaster.rollout(
            windows.past, config.target_steps, feedback=forecaster.point_feedback, seed=0
        )[0]
        for windows in (before, after)
    ]
    return float(np.abs(np.asarray(forecasts[1]) - np.asarray(forecasts[0])).max())
