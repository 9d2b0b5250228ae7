"""Sum rows of one matrix into rows of another, along pairs that change from step to step.

    y[row] += weight * values[column]       for every entry (row, column) and its weight

This is the product of a sparse matrix with a dense one. Pooling is such a product: its matrix holds
a one where a neighbour lies in a cell, and depends on positions only. Each function exists in a
portable form in `keras.ops` and, where it is measured to be much faster, in TensorFlow's own
operations; a test holds the two together.
"""

from __future__ import annotations

import keras
from keras import ops

from socialmd.types import Tensor

__all__ = ["pair_sum", "portable_pair_sum", "portable_select", "select"]


def portable_select(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Where a condition holds, as entries of a sum.

    Args:
        counts: bool, any shape.

    Returns:
        index int32 [M] into the flattened condition, and weights float32 [M]: one where it holds,
        zero elsewhere.
    """
    weights = ops.cast(ops.reshape(counts, (-1,)), "float32")
    return ops.arange(ops.shape(weights)[0], dtype="int32"), weights


def _tensorflow_select(counts: Tensor) -> tuple[Tensor, Tensor]:
    """The same without the entries of weight zero: most pairs are out of range of most grids."""
    import tensorflow as tf

    index = tf.cast(tf.where(tf.reshape(counts, [-1]))[:, 0], tf.int32)
    return index, tf.ones_like(index, tf.float32)


def portable_pair_sum(entries: Tensor, weights: Tensor, values: Tensor, num_rows: Tensor) -> Tensor:
    """The sum on any Keras backend: gather, weigh, add by segment.

    Args:
        entries: int32 [M, 2], row of the result that entry n adds to, 0..num_rows-1, and row of
            `values` that it adds.
        weights: [M]; entries of weight zero do not count.
        values: [R, C].
        num_rows: rows of the result.

    Returns:
        [num_rows, C], in the dtype of `values`. Differentiable in `values`.
    """
    gathered = ops.take(values, entries[:, 1], axis=0) * ops.cast(weights, values.dtype)[:, None]
    return ops.segment_sum(gathered, entries[:, 0], num_segments=num_rows)


def _tensorflow_pair_sum(
    entries: Tensor, weights: Tensor, values: Tensor, num_rows: Tensor
) -> Tensor:
    """The same as a product with a `tf.SparseTensor`.

    On a CPU, forward and backward together take less than half the time of gather and segment sum,
    and no row is ever copied out.
    """
    import tensorflow as tf

    shape = tf.cast(tf.stack([num_rows, tf.shape(values)[0]]), tf.int64)
    # Half precisions would lose digits in the sum, and have no such product on a GPU.
    precision = tf.float64 if values.dtype == tf.float64 else tf.float32
    matrix = tf.SparseTensor(tf.cast(entries, tf.int64), tf.cast(weights, precision), shape)
    summed = tf.sparse.sparse_dense_matmul(matrix, tf.cast(values, precision))
    return tf.cast(summed, values.dtype)


_IN_TENSORFLOW = keras.backend.backend() == "tensorflow"
select = _tensorflow_select if _IN_TENSORFLOW else portable_select
pair_sum = _tensorflow_pair_sum if _IN_TENSORFLOW else portable_pair_sum
