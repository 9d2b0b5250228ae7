"""Batches for backends of Keras other than TensorFlow, which have no `tf.data`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import keras

from socialmd.data.batches import Batches

__all__ = ["BatchSequence"]


class BatchSequence(keras.utils.PyDataset):
    """What of a `tf.data.Dataset` the package uses: each pass over it is an epoch.

    Batches are asked for in their order; whoever asks for the last one begins the next pass.

    Args:
        batches: of a split.
        initial_epoch: number of the first pass.

    Example:
        >>> model.fit(BatchSequence(batches), epochs=50, shuffle=False)
    """

    def __init__(self, batches: Batches, initial_epoch: int = 0) -> None:
        super().__init__()
        self.batches = batches
        self.epoch = initial_epoch
        self.first = 0  # batch of the next pass
        self.samples = batches.draw(initial_epoch)

    def __len__(self) -> int:
        return len(self.batches) - self.first

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        number, size = self.first + index, self.batches.batch_size
        batch = self.batches.cut(self.samples.part(size * number, size * (number + 1)))
        if number == len(self.batches) - 1:
            self._begin_next_pass()
        return batch

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return (self[index] for index in range(len(self)))

    def _begin_next_pass(self) -> None:
        self.first = 0
        if self.batches.shuffle:
            self.epoch += 1
            self.samples = self.batches.draw(self.epoch)

    @property
    def element_spec(self) -> Any:
        """What a batch is, of shape and dtype."""
        return keras.tree.map_structure(
            lambda array: keras.KerasTensor((None, *array.shape[1:]), str(array.dtype)),
            self.batches.one,
        )

    def skip(self, count: int) -> Self:
        """These, without the first batches of the next pass; those after it are whole."""
        self.first = count
        return self
