"""The input pipeline: trajectories on disk -> batches of (inputs, targets) for `model.fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from socialmd.config import DataConfig
from socialmd.data.batch_sequence import BatchSequence
from socialmd.data.batches import Batches, Samples
from socialmd.data.load_trajectories import Trajectories, load_trajectories

__all__ = ["make_dataset"]


def make_dataset(
    split: str | Path | Trajectories,
    config: DataConfig,
    batch_size: int,
    shuffle: bool = False,
    seed: int = 0,
    initial_epoch: int = 0,
    teacher_forcing: bool = False,
) -> Any:
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
        A `tf.data.Dataset` or, where Keras runs on JAX, a `BatchSequence` of the same batches: of
        known length, of float32 pairs: inputs [B, T, N, F], targets [B, T', N, D].
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
    if not isinstance(split, Trajectories):
        split = load_trajectories(split, config.minimum_frames)
    batches = Batches(split, config, batch_size, shuffle, seed, teacher_forcing)
    if keras.backend.backend() != "tensorflow":
        return BatchSequence(batches, initial_epoch)
    return _as_tf_data(batches, initial_epoch)


def _as_tf_data(batches: Batches, initial_epoch: int) -> Any:
    """A `tf.data.Dataset`, each pass over which is an epoch."""
    import tensorflow as tf

    spec = keras.tree.map_structure(
        lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), batches.one
    )

    def samples_of_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        drawn = tf.numpy_function(batches.draw, [epoch], [tf.int64, tf.float32, tf.bool])
        for tensor, array in zip(drawn, batches.draw(0), strict=True):
            tensor.set_shape(array.shape)
        return tf.data.Dataset.from_tensor_slices(tuple(drawn)).batch(batches.batch_size)

    def make_batch(*samples: tf.Tensor) -> Any:
        def cut(*arrays: Any) -> list[Any]:
            return keras.tree.flatten(batches.cut(Samples(*arrays)))

        arrays = tf.numpy_function(cut, samples, [each.dtype for each in keras.tree.flatten(spec)])
        made = keras.tree.pack_sequence_as(spec, arrays)
        keras.tree.map_structure(lambda tensor, each: tensor.set_shape(each.shape), made, spec)
        return made

    epochs = tf.data.Dataset.from_tensors(np.int64(0))
    if batches.shuffle:
        with tf.device("CPU"):
            passes = tf.Variable(initial_epoch, dtype=tf.int64, trainable=False)
        one = tf.data.Dataset.from_tensors(np.int64(1))
        epochs = one.map(lambda step: passes.assign_add(step) - step)  # a new number in each pass
    return (
        epochs.flat_map(samples_of_epoch)
        .apply(tf.data.experimental.assert_cardinality(len(batches)))
        .map(make_batch, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )
