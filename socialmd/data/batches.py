"""Samples of a split: which an epoch has, in which order and how turned, and batches of them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from socialmd.config import DataConfig
from socialmd.data.load_trajectories import Trajectories
from socialmd.data.masked_inputs import pack
from socialmd.data.rotations import mirror_half, random_rotations, rotate
from socialmd.data.windows import sample_rows, window_offsets
from socialmd.types import Array

__all__ = ["Batches", "Samples"]

ORDER, ROTATIONS, REFLECTIONS, DIRECTIONS = range(4)  # what is drawn, each by itself


class Samples(NamedTuple):
    """Some of the samples, in their order.

    Args:
        rows: the first frame of each, in trajectories that are laid end to end, int64 [W].
        rotations: by which it is turned, float32 [W, D, D].
        backwards: whether it runs backwards in time, bool [W].
    """

    rows: Array
    rotations: Array
    backwards: Array

    def part(self, first: int, end: int) -> Samples:
        """From one of them up to another."""
        return Samples(*(each[first:end] for each in self))


class Batches:
    """Windows of trajectories, cut and turned batch by batch, in NumPy: the same on any backend.

    Only the trajectories are held in memory. Arguments are those of `make_dataset`.

    Example:
        >>> batches = Batches(load_trajectories("data/monopoles/train"), DataConfig(), 32)
        >>> samples = batches.draw(epoch=0)
        >>> inputs, targets = batches.cut(samples.part(0, 32))
    """

    def __init__(
        self,
        split: Trajectories,
        config: DataConfig,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        teacher_forcing: bool = False,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size: expected a positive integer, found {batch_size}")
        self.config, self.batch_size, self.shuffle, self.seed = config, batch_size, shuffle, seed
        self.layout = split.description.layout
        num_simulations, self.num_frames, *each = split.frames.shape
        self.frames = split.frames.reshape(-1, *each).astype(np.float32)  # [S * frames, N, F]
        self.mask = None if split.mask.all() else split.mask  # [S, N]
        self.boxes = None if split.boxes is None else split.boxes.astype(np.float32)
        self.rows = sample_rows(num_simulations, self.num_frames, config)
        self.offsets = window_offsets(config)
        self.given = slice(None, -1 if teacher_forcing else config.input_steps)
        self.asked = slice(2 if teacher_forcing else config.input_steps, None)

    @property
    def one(self) -> tuple[Any, Array]:
        """A batch of one sample, which is not turned."""
        dims = self.layout.spatial_dims
        return self.cut(
            Samples(self.rows[:1], np.eye(dims, dtype=np.float32)[np.newaxis], np.zeros(1, bool))
        )

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def draw(self, epoch: int) -> Samples:
        """All samples of an epoch, a function of it and of the seed alone."""
        count, dims = len(self.rows), self.layout.spatial_dims
        seeds = [(self.seed, int(epoch), what) for what in range(4)]
        rotations = np.tile(np.eye(dims, dtype=np.float32), (count, 1, 1))
        if self.config.num_rotations:
            rotations = random_rotations(count, dims, seeds[ROTATIONS])
            if self.config.reflections:
                rotations = mirror_half(rotations, seeds[REFLECTIONS])
        backwards, order = np.zeros(count, bool), np.arange(count)
        if self.shuffle:
            order = np.random.default_rng(seeds[ORDER]).permutation(count)
            if self.config.time_reversal:
                backwards = np.random.default_rng(seeds[DIRECTIONS]).random(count) < 0.5
        return Samples(self.rows[order], rotations[order], backwards[order])

    def cut(self, samples: Samples) -> tuple[Any, Array]:
        """Inputs, with what is beside them, and targets (see `make_dataset`)."""
        rows, rotations, backwards = samples
        offsets = np.where(backwards[:, np.newaxis], self.offsets[::-1], self.offsets)
        windows = self.frames[rows[:, np.newaxis] + offsets]  # [B, T + T', N, F]
        if self.config.num_rotations:
            windows = rotate(windows, rotations, self.layout.vectors)
        if self.layout.velocity and self.config.time_reversal:
            signs = np.ones(windows.shape[-1], np.float32)
            signs[self.layout.velocity] = -1
            windows[backwards] *= signs
        simulations, first = np.divmod(rows, self.num_frames)
        mask = None if self.mask is None else self.mask[simulations]
        box = None
        if self.boxes is not None:
            frames = first[:, np.newaxis] + offsets[:, self.given]
            frames = np.minimum(frames, self.boxes.shape[1] - 1)  # of a box that does not change
            turned_back = np.swapaxes(rotations, 1, 2)[:, np.newaxis]
            box = self.boxes[simulations[:, np.newaxis], frames] @ turned_back
        inputs, targets = windows[:, self.given], windows[:, self.asked]
        inputs, targets = inputs[..., self.layout.inputs], targets[..., self.layout.targets]
        return pack(inputs, mask, box), targets
