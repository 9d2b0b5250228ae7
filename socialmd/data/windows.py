"""Which frames make a sample: index arithmetic only, no trajectory is touched here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from socialmd.config import DataConfig

__all__ = ["first_frames", "sample_rows", "window_offsets"]


def first_frames(num_frames: int, config: DataConfig) -> NDArray[np.int64]:
    """First frame of every window of one trajectory (thesis section 4.3).

    The trajectory is subsampled once per phase offset, and windows slide over each of these
    sequences.

    Args:
        num_frames: stored frames of the trajectory.
        config: how trajectories become samples.

    Returns:
        int64 [windows], ordered by phase offset, then by time. Empty if no window fits.

    Example:
        >>> first_frames(1000, DataConfig(num_phases=2))
        array([  0, 100, 200, 300,  10, 110, 210, 310])
    """
    last = num_frames - 1 - int(window_offsets(config)[-1])
    shift = config.window_shift * config.subsample
    starts = [first for offset in config.phase_offsets for first in range(offset, last + 1, shift)]
    return np.array(starts, np.int64)


def window_offsets(config: DataConfig) -> NDArray[np.int64]:
    """Frames of one window, counted from its first.

    Args:
        config: how trajectories become samples.

    Returns:
        int64 [T + T'].
    """
    return np.arange(config.window, dtype=np.int64) * config.subsample


def sample_rows(num_simulations: int, num_frames: int, config: DataConfig) -> NDArray[np.int64]:
    """First row of every sample in trajectories that are laid end to end.

    Args:
        num_simulations: S.
        num_frames: frames of each simulation.
        config: how trajectories become samples.

    Returns:
        int64 [samples], rows of an array [S * frames, ...]. Samples are ordered by simulation,
        phase offset, time and rotation, the last one fastest.
    """
    simulations = np.arange(num_simulations)[:, np.newaxis] * num_frames  # [S, 1]
    rows = simulations + first_frames(num_frames, config)  # [S, windows]
    return np.repeat(rows, max(1, config.num_rotations))  # [samples]
