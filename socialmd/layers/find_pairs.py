"""Which particles may see each other at all: pairs within reach of the largest grid."""

from __future__ import annotations

import keras
from keras import ops

from socialmd.layers.pair_sum import select
from socialmd.types import Mask, Positions, Tensor

__all__ = ["SEARCHES", "compare_all", "compares_all", "find_pairs"]

SEARCHES = ("auto", "all_pairs", "cell_list")

# From so many particles on the neighbour search takes less time than comparing all with all.
CROSSOVER = 200


def find_pairs(
    positions: Positions, reach: float, mask: Mask = None, search: str = "auto"
) -> tuple[Tensor, Tensor, Tensor]:
    """Ordered pairs of particles of one system within reach of each other along both axes.

    Args:
        positions: float32 [B, N, D], in units of length.
        reach: largest distance along an axis that counts, in units of length; inclusive.
        mask: optional bool [B, N], false for padded particles, which are nobody's neighbours.
        search: `"all_pairs"` compares all with all; `"cell_list"` looks at what is near only, on
            TensorFlow; `"auto"` takes whichever is faster for N particles. Backends that need to
            know the number of pairs beforehand always compare all with all.

    Returns:
        owner and neighbour int32 [M], each numbered b * N + n, sorted by owner, then by neighbour,
        and weights float32 [M]: zero for entries that do not count.
    """
    if keras.backend.backend() != "tensorflow" or search == "all_pairs":
        return _all_pairs(positions, reach, mask)
    if search == "cell_list":
        return _cell_list(positions, reach, mask)
    particles = positions.shape[1]
    if particles is not None:
        return (_all_pairs if particles < CROSSOVER else _cell_list)(positions, reach, mask)
    import tensorflow as tf

    return tf.cond(
        tf.shape(positions)[1] < CROSSOVER,
        lambda: _all_pairs(positions, reach, mask),
        lambda: _cell_list(positions, reach, mask),
    )


def compares_all(positions: Positions, search: str) -> bool:
    """Whether `find_pairs` compares all with all, as far as is known before it runs.

    Args:
        positions, search: as for `find_pairs`.

    Returns:
        Whether it surely does.
    """
    if keras.backend.backend() != "tensorflow" or search == "all_pairs":
        return True
    particles = positions.shape[1]
    return search == "auto" and particles is not None and particles < CROSSOVER


def compare_all(positions: Positions, reach: float, mask: Mask = None) -> tuple[Tensor, Tensor]:
    """Offsets of all from all, and which of them count.

    Args:
        positions, reach, mask: as for `find_pairs`.

    Returns:
        x_j - x_i of particle i (second axis) and j (third), [B, N, N, D], and whether j is another
        particle within reach of i, bool [B, N, N].
    """
    offsets = positions[:, None, :, :] - positions[:, :, None, :]
    within = ops.all(ops.abs(offsets) <= reach, axis=-1)
    apart = ops.logical_not(ops.eye(ops.shape(positions)[1], dtype="bool"))[None]
    within = ops.logical_and(within, apart)
    if mask is not None:
        within = ops.logical_and(within, ops.cast(mask, "bool")[:, None, :])
    return offsets, within


def _all_pairs(positions: Positions, reach: float, mask: Mask) -> tuple[Tensor, Tensor, Tensor]:
    particles = ops.shape(positions)[1]
    index, weights = select(compare_all(positions, reach, mask)[1])
    owner = index // particles
    return owner, owner - owner % particles + index % particles, weights


def _cell_list(positions: Positions, reach: float, mask: Mask) -> tuple[Tensor, Tensor, Tensor]:
    # Imported here because it is written in TensorFlow's operations.
    from socialmd.layers.cell_list import neighbour_pairs

    owner, neighbour = neighbour_pairs(positions, reach, mask)
    return owner, neighbour, ops.ones_like(owner, dtype="float32")
