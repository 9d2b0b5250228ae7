"""Windows of trajectories: which frames make a sample, and all samples of a split at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from socialmd.config import DataConfig
from socialmd.data.load_trajectories import Trajectories, load_trajectories
from socialmd.data.masked_inputs import pack, real_particles
from socialmd.types import Array, FloatArray, Inputs, IntArray

__all__ = [
    "Windows",
    "cut_windows",
    "evenly_spread",
    "first_frames",
    "read_windows",
    "sample_rows",
    "take_boxes",
    "window_offsets",
]


def first_frames(num_frames: int, config: DataConfig) -> Array:
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


def window_offsets(config: DataConfig) -> Array:
    """Frames of one window, counted from its first, int64 [T + T']."""
    return np.arange(config.window, dtype=np.int64) * config.subsample


def sample_rows(num_simulations: int, num_frames: int, config: DataConfig) -> Array:
    """First row of every sample in trajectories that are laid end to end, [S * frames, ...].

    int64 [samples], by simulation, phase offset, time and rotation, the last one fastest.
    """
    simulations = np.arange(num_simulations)[:, np.newaxis] * num_frames  # [S, 1]
    rows = simulations + first_frames(num_frames, config)  # [S, windows]
    return np.repeat(rows, max(1, config.num_rotations))


class Windows(NamedTuple):
    """Samples of one split, as they are stored: not rotated, in the order of the files.

    Args:
        inputs: past, [W, T, N, F].
        truth: what followed, [W, T', N, D].
        simulations: number of the simulation that each is from, [W]. What was cut out of the same
            one (slices of a nanoparticle) has the same number, because it is not independent.
        mask: bool [W, N], false for padded particles; none if there are none.
        boxes: periodic ones, of past and truth, [W, T + T', D, D]; none without.
        orientations: unit vectors that followed, [W, T', N, D], of particles that point somewhere.
        velocities: that followed, likewise, of data that hold them, in units of length and time.
    """

    inputs: Array
    truth: Array
    simulations: Array
    mask: Array | None = None
    boxes: Array | None = None
    orientations: Array | None = None
    velocities: Array | None = None

    @property
    def past(self) -> Inputs:
        """Inputs as models take them, with their mask and boxes if there are any."""
        boxes = None if self.boxes is None else self.boxes[:, : self.inputs.shape[1]]
        return pack(self.inputs, self.mask, boxes)

    @property
    def is_real(self) -> NDArray[np.bool_]:
        """Which particles are there and not padded, [W, N], also where all are."""
        return np.ones(self.inputs.shape[::2][:2], bool) if self.mask is None else self.mask

    @property
    def true_boxes(self) -> Array | None:
        """Periodic boxes of the truth, [W, T', D, D], if there are any."""
        return None if self.boxes is None else self.boxes[:, self.inputs.shape[1] :]

    def one_of_each_simulation(self, most: int) -> Windows:
        """The first window of each simulation, of at most so many."""
        _, first = np.unique(self.simulations, return_index=True)
        return self.at(first[:most])

    def at(self, chosen: Array) -> Windows:
        """Some of the windows, by their numbers."""
        given: list[Any] = [None if each is None else each[chosen] for each in self]
        return Windows(*given)

    def of_particles(self) -> Windows:
        """Every real particle as a window of its own, for the same means; if some are padded."""
        if self.mask is None:
            return self
        simulations = np.repeat(self.simulations, self.mask.sum(axis=1))
        turning, moving = (
            None if each is None else self.real(each)
            for each in (self.orientations, self.velocities)
        )
        inputs, truth = self.real(self.inputs), self.real(self.truth)
        return Windows(inputs, truth, simulations, orientations=turning, velocities=moving)

    def real(self, array: Any) -> Array:
        """An array [W, steps, N, ...] likewise: [M, steps, 1, ...] if some are padded."""
        return np.asarray(array) if self.mask is None else real_particles(array, self.mask)


def read_windows(
    data: str | Path, split: str, config: DataConfig, max_windows: int | None = None
) -> Windows:
    """Every window of a split, or at most so many, evenly spread.

    Args:
        data: folder of the data set.
        split: `"test"`, say.
        config: how trajectories become windows; its rotations are left out.
        max_windows: at most so many; all if none is given.

    Returns:
        The windows, float32.

    Raises:
        FileNotFoundError, ValueError: as `load_trajectories`.

    Example:
        >>> windows = read_windows("data/monopoles", "test", config.data)
        >>> ConstantVelocity().rollout(windows.past, 30)[0].shape == windows.truth.shape
        True
    """
    trajectories = load_trajectories(Path(data) / split, config.minimum_frames)
    return cut_windows(trajectories, config, max_windows)


def cut_windows(
    trajectories: Trajectories, config: DataConfig, max_windows: int | None = None
) -> Windows:
    """The same, of a split that is in memory."""
    frames, description, mask, directory, boxes = trajectories
    num_simulations, num_frames = frames.shape[:2]
    rows = sample_rows(num_simulations, num_frames, config.without_rotations)
    rows = rows[evenly_spread(len(rows), max_windows or len(rows))]
    simulations, first = np.divmod(rows, num_frames)
    steps = first[:, np.newaxis] + window_offsets(config)  # [W, T + T']
    frames = frames.astype(np.float32, copy=False)
    windows = frames[simulations[:, np.newaxis], steps]  # [W, T + T', N, F]
    layout = description.layout
    # Slices of one simulation belong together.
    files = description.files_of(directory.name)
    made = (description.preprocessing or {}).get("files", {})
    origins = [made.get(name, {}).get("simulation", i) for i, name in enumerate(files)]
    followed = windows[:, config.input_steps :]
    return Windows(
        inputs=windows[:, : config.input_steps, :, layout.inputs],
        truth=followed[..., : layout.spatial_dims],
        simulations=np.array(origins)[simulations],
        mask=None if mask.all() else mask[simulations],
        boxes=None if boxes is None else take_boxes(boxes, simulations, steps),
        orientations=followed[..., layout.orientation] if layout.orientation else None,
        velocities=followed[..., layout.velocity] if layout.velocity else None,
    )


def take_boxes(boxes: FloatArray, simulations: Array, steps: Array) -> NDArray[np.float32]:
    """Of boxes [S, frames or 1, D, D], those of frames [W, steps]: [W, steps, D, D]."""
    frames = np.minimum(steps, boxes.shape[1] - 1)
    return boxes[simulations[:, np.newaxis], frames].astype(np.float32)


def evenly_spread(total: int, count: int) -> IntArray:
    """Indices of at most `count` of `total` things, the first and the last one among them."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(int)
