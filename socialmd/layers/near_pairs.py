"""Pairs of particles that are looked for once and stay what they are while nobody moves far."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from socialmd.layers.pairs import find_pairs, offsets_of
from socialmd.periodic_box import PeriodicBox
from socialmd.types import Mask, Positions, Tensor

__all__ = ["NearPairs", "keep_near_pairs"]

SKIN = 0.05  # part of the reach by which who is kept may be farther away


class NearPairs(NamedTuple):
    """M ordered pairs, all those within reach among them; see `find_pairs`.

    Args:
        owner, neighbour: int32 [M].
        weights: what was asked for of each, [M, C].
        offsets: from owner to neighbour, [M, D].
        counts: whether they are within reach of each other, bool [M].
    """

    owner: Tensor
    neighbour: Tensor
    weights: Tensor
    offsets: Positions
    counts: Tensor


def keep_near_pairs(
    positions: Positions,
    reach: float,
    weigh: Callable[[Tensor, Tensor], Tensor],
    mask: Mask = None,
    search: str = "auto",
    box: PeriodicBox | None = None,
) -> Callable[[Positions], NearPairs]:
    """Who is near whom, as a function of places that differ little from `positions`.

    Pairs a bit beyond the reach are kept as well. As long as nobody has moved by half of that bit,
    all pairs within reach are among them; otherwise, and in a box that is too small for it, pairs
    are looked for again. The result is always the same, but for the pairs that do not count. On
    TensorFlow.

    Args:
        positions: [B, N, D], in units of length.
        reach: in units of length.
        weigh: weights [M, C] of owners and neighbours; computed once for what is kept.
        mask, search, box: see `find_pairs`.

    Reference:
        L. Verlet, Phys. Rev. 159, 98 (1967), section II.
    """
    import tensorflow as tf

    def find(where: Positions, reach: float) -> tuple[Tensor, Tensor, Tensor]:
        owner, neighbour, _ = find_pairs(where, reach, mask, search, box)
        return owner, neighbour, weigh(owner, neighbour)

    skin = SKIN * reach
    kept = find(positions, reach + skin)
    is_wide = True if box is None else ops.all(box.widths >= 2 * (reach + skin))

    def near_pairs(where: Positions) -> NearPairs:
        moved = ops.sum(ops.square(where - positions), axis=-1)
        is_still = tf.reduce_all(moved <= (skin / 2) ** 2)  # false of what is not a number
        owner, neighbour, weights = tf.cond(
            tf.logical_and(is_still, is_wide), lambda: kept, lambda: find(where, reach)
        )
        offsets = offsets_of(where, owner, neighbour, box)
        counts = ops.all(ops.abs(offsets) <= reach, axis=-1)
        return NearPairs(owner, neighbour, weights, offsets, counts)

    return near_pairs
