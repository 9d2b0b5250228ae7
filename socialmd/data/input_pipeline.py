"""The input pipeline: trajectories on disk -> tf.data batches of (inputs, targets)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from socialmd.config import DataConfig
from socialmd.data.load_trajectories import Trajectories, load_trajectories
from socialmd.data.masked_inputs import pack
from socialmd.data.windows import sample_rows, window_offsets

__all__ = ["make_dataset", "random_rotations", "rotate"]


def make_dataset(
    split: str | Path | Trajectories,
    config: DataConfig,
    batch_size: int,
    shuffle: bool = False,
    seed: int = 0,
    initial_epoch: int = 0,
    teacher_forcing: bool = False,
) -> tf.data.Dataset:
    """Batches of samples from one split of a data set (thesis section 4.3).

    Every trajectory is subsampled once per phase offset, cut into overlapping windows, and each
    window is rotated about the origin `config.num_rotations` times, at random: in the x-y plane or,
    in three dimensions, uniformly over SO(3); with `config.reflections`, half of the samples are
    mirrored as well. What of the features turns, is read and is a target, their layout says.
    Only the trajectories are held in memory; windows and rotations are made batch by batch.

    For training (`shuffle=True`), order and rotations are drawn anew in each epoch, that is in each
    pass over the returned object. They are functions of seed, epoch and sample alone, so a second
    data set made in the same way gives the same batches. With `config.time_reversal`, half of the
    samples then run backwards, at random: motion without friction obeys the same law that way.

    For evaluation (`shuffle=False`) every pass is the same, and samples come in the order of
    simulation, phase offset, time and rotation.

    Args:
        split: of a data set: its folder, like `data/monopoles/train`, or what `load_trajectories`
            has read from there.
        config: how trajectories become samples. With `num_rotations=0` every window comes once,
            as it is stored.
        batch_size: B; the last batch of an epoch may be smaller.
        shuffle: whether order and rotations change from epoch to epoch.
        seed: of order and rotations.
        initial_epoch: number of the first pass; a resumed training goes on where it was. In the
            middle of an epoch, it takes that pass from `dataset.skip(batches)`.
        teacher_forcing: whether every frame is a target, and all those before it are given: inputs
            are then all frames but the last, [B, T + T' - 1, N, F], and targets all from the third
            on, [B, T + T' - 2, N, D] (see `ForecastModel.one_step`).

    Returns:
        A data set of known length, of float32 pairs: inputs [B, T, N, F], targets [B, T', N, D].
        Where not all systems have N particles, N being the largest number, the first of the pair is
        a dictionary of these `"inputs"` and a `"mask"`, bool [B, N], false for padded particles,
        which the models take as it is. In periodic boxes, it also has a `"box"`, box vectors
        [B, T, D, D] that turn with the particles.

    Raises:
        FileNotFoundError: the folder, its `dataset.json` or a file listed there is missing.
        ValueError: `batch_size` is not positive, or anything is wrong with the files, of which the
            message names the first (see `load_trajectories`).

    Example:
        >>> config = load_config("thesis")
        >>> dataset = make_dataset("data/monopoles/train", config.data, 32, shuffle=True)
        >>> inputs, targets = next(iter(dataset))
        >>> inputs.shape, targets.shape
        (TensorShape([32, 5, 25, 4]), TensorShape([32, 30, 25, 2]))
    """
    if batch_size < 1:
        raise ValueError(f"batch_size: expected a positive integer, found {batch_size}")
    if not isinstance(split, Trajectories):
        split = load_trajectories(split, config.minimum_frames)
    trajectories, mask, layout = split.frames, split.mask, split.description.layout
    dims = layout.spatial_dims
    num_simulations, num_frames, num_particles, num_features = trajectories.shape
    rows = sample_rows(num_simulations, num_frames, config)
    with tf.device("CPU"):  # where tf.data works; an accelerator would have to send it back
        frames = tf.constant(
            trajectories.reshape(-1, num_particles, num_features).astype(np.float32)
        )  # [S * frames, N, F]
        masks = tf.constant(mask)  # [S, N]
        if split.boxes is not None:
            boxes = tf.constant(split.boxes.astype(np.float32))  # [S, frames or 1, D, D]

    def samples_of_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order_seed, rotation_seed = tf.unstack(tf.random.split([seed, epoch]))
        backwards = tf.zeros([len(rows)], tf.bool)
        if config.time_reversal and shuffle:
            draws = tf.random.stateless_uniform([len(rows)], tf.random.split(rotation_seed)[1])
            backwards = draws < 0.5
        rotations = random_rotations(len(rows), dims, rotation_seed)
        if config.reflections:
            rotations = mirror_half(rotations, rotation_seed)
        if config.num_rotations == 0:
            rotations = tf.eye(dims, batch_shape=[len(rows)])
        order = tf.range(len(rows))
        if shuffle:
            order = tf.random.experimental.stateless_shuffle(order, order_seed)
        samples = tuple(tf.gather(each, order) for each in (rows, rotations, backwards))
        return tf.data.Dataset.from_tensor_slices(samples).batch(batch_size)

    offsets = window_offsets(config)

    def make_batch(
        first_rows: tf.Tensor, rotations: tf.Tensor, backwards: tf.Tensor
    ) -> tuple[Any, tf.Tensor]:
        steps = tf.where(backwards[:, tf.newaxis], offsets[::-1], offsets)  # [B, T + T']
        windows = tf.gather(frames, first_rows[:, tf.newaxis] + steps)
        windows = rotate(windows, rotations, layout.vectors)  # [B, T + T', N, F]
        if layout.velocity and config.time_reversal:
            signs = np.ones(num_features, np.float32)
            signs[layout.velocity] = -1
            turned_back = backwards[:, tf.newaxis, tf.newaxis, tf.newaxis]
            windows = tf.where(turned_back, signs * windows, windows)
        given, first_target = (-1, 2) if teacher_forcing else (config.input_steps,) * 2
        inputs = _take_columns(windows[:, :given], layout.inputs)
        targets = _take_columns(windows[:, first_target:], layout.targets)
        simulations, first = first_rows // num_frames, first_rows % num_frames
        box = None
        if split.boxes is not None:
            steps = tf.minimum(first[:, tf.newaxis] + steps[:, :given], boxes.shape[1] - 1)
            turned = tf.linalg.matrix_transpose(rotations)[:, tf.newaxis]
            box = tf.gather(tf.gather(boxes, simulations), steps, batch_dims=1) @ turned
        return pack(inputs, None if mask.all() else tf.gather(masks, simulations), box), targets

    epochs = _count_epochs(initial_epoch) if shuffle else tf.data.Dataset.from_tensors(np.int64(0))
    num_batches = math.ceil(len(rows) / batch_size)
    return (
        epochs.flat_map(samples_of_epoch)
        .apply(tf.data.experimental.assert_cardinality(num_batches))
        .map(make_batch, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def _count_epochs(initial_epoch: int) -> tf.data.Dataset:
    """One element, the number of the pass over the data set: a new one in each pass."""
    with tf.device("CPU"):
        passes = tf.Variable(initial_epoch, dtype=tf.int64, trainable=False)
    one = tf.data.Dataset.from_tensors(np.int64(1))
    return one.map(lambda step: passes.assign_add(step) - step)


def random_rotations(count: int, spatial_dims: int, seed: tf.Tensor) -> tf.Tensor:
    """Rotation matrices of D = 2 or 3 dimensions, uniformly distributed, float32 [count, D, D].

    In two dimensions angles are uniform. In three, a unit quaternion (w, x, y, z) is uniform on the
    sphere, whose image in SO(3) is uniform as well [1].

    #### References
    [1] K. Shoemake, Uniform random rotations, Graphics Gems III, 1992, pp. 124-132.
    """
    if spatial_dims == 2:
        angles = tf.random.stateless_uniform([count], seed, maxval=2 * math.pi)
        cos, sin = tf.cos(angles), tf.sin(angles)
        rows = [[cos, -sin], [sin, cos]]
    else:
        normal = tf.random.stateless_normal([count, 4], seed)
        w, x, y, z = tf.unstack(tf.math.l2_normalize(normal, axis=1), axis=1)
        rows = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)


def mirror_half(matrices: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Half of the rotations [count, D, D], at random, after a reflection of the first axis."""
    draws = tf.random.stateless_uniform([matrices.shape[0]], tf.random.split(seed)[0])
    sign = tf.where(draws < 0.5, -1.0, 1.0)
    return tf.concat([matrices[..., :1] * sign[:, tf.newaxis, tf.newaxis], matrices[..., 1:]], -1)


def rotate(
    trajectories: tf.Tensor, matrices: tf.Tensor, vectors: Sequence[slice] | None = None
) -> tf.Tensor:
    """Turn each trajectory [B, T, N, F] about the origin, by its matrix [B, D, D].

    That is the columns of its `vectors`, in their order (see `FeatureLayout`), or the first D.
    Scalars like mass and charge pass unchanged.
    """
    parts, end = [], 0
    for columns in vectors or [slice(0, matrices.shape[-1])]:
        turned = tf.einsum("bij,btnj->btni", matrices, trajectories[..., columns])
        parts += [trajectories[..., end : columns.start], turned]
        end = columns.stop
    return tf.concat([*parts, trajectories[..., end:]], axis=-1)


def _take_columns(trajectories: tf.Tensor, columns: Sequence[int]) -> tf.Tensor:
    first, last = columns[0], columns[-1] + 1
    if len(columns) == last - first:
        return trajectories[..., first:last]
    return tf.gather(trajectories, columns, axis=-1)
