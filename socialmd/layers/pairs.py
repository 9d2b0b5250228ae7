"""Pairs of particles that may see each other, and sums over them.

    y[row] += weight * values[column]       for every entry (row, column) and its weight

This is the product of a sparse matrix with a dense one. Pooling is such a product: its matrix holds
a one where a neighbour lies in a cell, and depends on positions only. `select` and `pair_sum` exist
in a portable form in `keras.ops`, whose shapes are static, and, as it is measured to be much
faster, in TensorFlow's own operations; a test holds the two together.
"""

from __future__ import annotations

from typing import NamedTuple

from keras import ops

from socialmd.periodic_box import PeriodicBox
from socialmd.static_shapes import has_static_shapes
from socialmd.types import Mask, Positions, Shape, Tensor

__all__ = [
    "SEARCHES",
    "PairView",
    "compare_all",
    "compares_all",
    "find_offsets",
    "find_pairs",
    "offsets_of",
    "pair_sum",
    "pair_view",
    "portable_pair_sum",
    "portable_select",
    "select",
    "take_rows",
]

SEARCHES = ("auto", "all_pairs", "cell_list")

# From so many particles on the neighbour search takes less time than comparing all with all.
CROSSOVER = 200


def find_pairs(
    positions: Positions,
    reach: float,
    mask: Mask = None,
    search: str = "auto",
    box: PeriodicBox | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Ordered pairs of particles of one system within reach of each other along both axes.

    Of positions float32 [B, N, D], or of nearest images in a box, of box vectors [B, D, D].
    `search="all_pairs"` compares all with all; `"cell_list"` looks at what is near only, on
    TensorFlow; `"auto"` takes whichever is faster for N particles.
    Where shapes are static, all are always compared with all.

    Returns:
        owner and neighbour int32 [M], each numbered b * N + n, sorted by owner, then by neighbour,
        and weights float32 [M]: zero for entries that do not count.
    """
    if has_static_shapes() or search == "all_pairs":
        return _all_pairs(positions, reach, mask, box)
    if search == "cell_list":
        return _cell_list(positions, reach, mask, box)
    particles = positions.shape[1]
    if particles is not None:
        return (_all_pairs if particles < CROSSOVER else _cell_list)(positions, reach, mask, box)
    import tensorflow as tf

    return tf.cond(
        tf.shape(positions)[1] < CROSSOVER,
        lambda: _all_pairs(positions, reach, mask, box),
        lambda: _cell_list(positions, reach, mask, box),
    )


def find_offsets(
    positions: Positions, reach: float, mask: Mask, search: str, box: PeriodicBox | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Owner and neighbour as of `find_pairs`, offset [M, D] and whether it counts, bool [M]."""
    owner, neighbour, weights = find_pairs(positions, reach, mask, search, box)
    return owner, neighbour, offsets_of(positions, owner, neighbour, box), ops.cast(weights, "bool")


def offsets_of(
    positions: Positions, owner: Tensor, neighbour: Tensor, box: PeriodicBox | None = None
) -> Positions:
    """From the owner of each pair, as of `find_pairs`, to its neighbour, [M, D]."""
    points = ops.reshape(positions, (-1, positions.shape[-1]))
    offsets = ops.take(points, neighbour, axis=0) - ops.take(points, owner, axis=0)
    if box is not None:
        system = owner // ops.shape(positions)[1]
        box = PeriodicBox(*(ops.take(each, system, axis=0) for each in box))
        offsets = box.displacement(offsets)
    return offsets


def compares_all(positions: Positions, search: str) -> bool:
    """Whether `find_pairs` surely compares all with all, as far as is known before it runs."""
    if has_static_shapes() or search == "all_pairs":
        return True
    particles = positions.shape[1]
    return search == "auto" and particles is not None and particles < CROSSOVER


def compare_all(
    positions: Positions, reach: float, mask: Mask = None, box: PeriodicBox | None = None
) -> tuple[list[Tensor], Tensor]:
    """Offsets of all from all, and which of them count.

    x_j - x_i of particle i (second axis) and j (third), or its nearest image, D times [B, N, N],
    coordinate by coordinate, and whether j is another particle within reach of i, bool [B, N, N].
    """
    offsets = [x[:, None, :] - x[:, :, None] for x in ops.unstack(positions, axis=-1)]
    if box is not None:
        offsets = ops.unstack(box.displacement(ops.stack(offsets, axis=-1)), axis=-1)
    within = ops.logical_not(ops.eye(ops.shape(positions)[1], dtype="bool"))[None]
    for offset in offsets:
        within = ops.logical_and(within, ops.abs(offset) <= reach)
    if mask is not None:
        within = ops.logical_and(within, ops.cast(mask, "bool")[:, None, :])
    return offsets, within


class PairView(NamedTuple):
    """Pairs of particles, either all [B, N, N] or M of them: [...] in what follows.

    Args:
        offsets: from owner to neighbour, zero where a pair does not count, [..., D].
        counts: whether it does, bool [...].
        owner, neighbour: of M pairs, as of `find_pairs`; none of all.
        shape: B and N.
    """

    offsets: Positions
    counts: Tensor
    owner: Tensor
    neighbour: Tensor
    shape: Shape

    def of_owner(self, values: Tensor) -> Tensor:
        """Values [B, N, C] of each pair's owner, [..., C], or so that they are broadcast to it."""
        return values[:, :, None] if self.owner is None else self._take(values, self.owner)

    def of_neighbour(self, values: Tensor) -> Tensor:
        """Likewise of its neighbour."""
        return values[:, None] if self.owner is None else self._take(values, self.neighbour)

    def _take(self, values: Tensor, index: Tensor) -> Tensor:
        return ops.take(ops.reshape(values, (-1, values.shape[-1])), index, axis=0)

    def total(self, values: Tensor) -> Tensor:
        """Sums over each owner's pairs, [...] -> [B, N]."""
        if self.owner is None:
            return ops.sum(values, axis=2)
        batch, particles = self.shape
        summed = ops.segment_sum(values, self.owner, num_segments=batch * particles)
        return ops.reshape(summed, (batch, particles))

    @property
    def flat(self) -> tuple[Positions, Tensor]:
        """Offsets [M, D] and counts [M], of however many pairs."""
        return ops.reshape(self.offsets, (-1, self.offsets.shape[-1])), ops.reshape(
            self.counts, (-1,)
        )

    def reshape(self, values: Tensor) -> Tensor:
        """What was made of these, [M, C], as [..., C]."""
        return ops.reshape(values, (*ops.shape(self.offsets)[:-1], values.shape[-1]))


def pair_view(
    positions: Positions,
    reach: float,
    mask: Mask = None,
    search: str = "auto",
    box: PeriodicBox | None = None,
) -> PairView:
    """Pairs of particles within reach of each other, however they are found (see `find_pairs`)."""
    owner = neighbour = None
    if compares_all(positions, search):
        offsets, counts = compare_all(positions, reach, mask, box)
        offsets = ops.stack(offsets, axis=-1)
    else:
        owner, neighbour, offsets, counts = find_offsets(positions, reach, mask, search, box)
    offsets = ops.where(counts[..., None], offsets, 0.0)
    return PairView(offsets, counts, owner, neighbour, ops.shape(positions)[:2])


def _all_pairs(
    positions: Positions, reach: float, mask: Mask, box: PeriodicBox | None
) -> tuple[Tensor, Tensor, Tensor]:
    particles = ops.shape(positions)[1]
    index, weights = select(compare_all(positions, reach, mask, box)[1])
    owner = index // particles
    return owner, owner - owner % particles + index % particles, weights


def _cell_list(
    positions: Positions, reach: float, mask: Mask, box: PeriodicBox | None
) -> tuple[Tensor, Tensor, Tensor]:
    # Imported here because it is written in TensorFlow's operations.
    from socialmd.layers.cell_list import neighbour_pairs

    owner, neighbour = neighbour_pairs(positions, reach, mask, box)
    return owner, neighbour, ops.ones_like(owner, dtype="float32")


# === Sums ===


def select(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Where a condition of any shape holds, as entries of a sum.

    Index int32 [M] into the flattened condition, and weights float32 [M]: one where it holds, zero
    elsewhere.
    """
    return (portable_select if has_static_shapes() else _tensorflow_select)(counts)


def pair_sum(entries: Tensor, weights: Tensor, values: Tensor, num_rows: Tensor) -> Tensor:
    """The sum of entries int32 [M, 2], rows of the result that they add to and rows of `values`
    [R, C] that they add, and weights [M]: [num_rows, C], in the dtype of `values`.
    """
    form = portable_pair_sum if has_static_shapes() else _tensorflow_pair_sum
    return form(entries, weights, values, num_rows)


def portable_select(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Every entry there is, and weights of zero."""
    weights = ops.cast(ops.reshape(counts, (-1,)), "float32")
    return ops.arange(ops.shape(weights)[0], dtype="int32"), weights


def _tensorflow_select(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Without the entries of weight zero: most pairs are out of range of most grids."""
    import tensorflow as tf

    index = tf.cast(tf.where(tf.reshape(counts, [-1]))[:, 0], tf.int32)
    return index, tf.ones_like(index, tf.float32)


def portable_pair_sum(entries: Tensor, weights: Tensor, values: Tensor, num_rows: Tensor) -> Tensor:
    """On any backend of Keras: gather, weigh, add by segment; differentiable in `values`."""
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


def take_rows(values: Tensor, index: Tensor) -> Tensor:
    """Rows of [R, C], float32, by their numbers [M]: [M, C].

    That is `ops.take`, but TensorFlow's gradient of it, a sum of many rows into few, takes longer
    on a CPU than that of a sparse product.
    """
    if has_static_shapes():
        return ops.take(values, index, axis=0)
    count = ops.shape(index)[0]
    entries = ops.stack([ops.arange(count, dtype="int32"), index], axis=-1)
    return pair_sum(entries, ops.ones_like(index, dtype="float32"), values, count)
