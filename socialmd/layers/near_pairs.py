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
    """M ordered pairs, all those within reach of each other among them; on TensorFlow.

    Args:
        owner, neighbour: int32 [M], see `find_pairs`.
        known: what was found out about them where they were looked for.
    """

    owner: Tensor
    neighbour: Tensor
    known: tuple[Tensor, ...]

    def sums(self, values: Tensor, particles: Tensor) -> Tensor:
        """Over each owner's pairs, [M, C] -> [particles, C]."""
        import tensorflow as tf

        summed = tf.math.segment_sum(values, self.owner)  # up to the last who has any
        return tf.pad(summed, [[0, particles - tf.shape(summed)[0]], [0, 0]])


def keep_near_pairs(
    positions: Positions,
    reach: float,
    learn: Callable[[Tensor, Tensor, Positions], tuple[Tensor, ...]],
    mask: Mask = None,
    search: str = "auto",
    box: PeriodicBox | None = None,
) -> Callable[[Positions], tuple[NearPairs, Positions, Tensor]]:
    """Who is near whom, as a function of places that differ little from `positions`.

    Pairs a bit beyond the reach are kept as well. As long as nobody has moved by half of that bit,
    all pairs within reach are among them; otherwise, and in a box that is too small for it, pairs
    are looked for again. On TensorFlow.

    Args:
        positions: [B, N, D], in units of length.
        reach: in units of length.
        learn: what is worth to be known of owners, neighbours and offsets, once.
        mask, search, box: see `find_pairs`.

    Returns:
        Of places [B, N, D]: pairs, offsets [M, D] from owner to neighbour, and whether each counts,
        being within reach along all axes, bool [M].

    Reference:
        L. Verlet, Phys. Rev. 159, 98 (1967), section II.
    """
    import tensorflow as tf

    def find(where: Positions, reach: float) -> NearPairs:
        owner, neighbour, _ = find_pairs(where, reach, mask, search, box)
        known = learn(owner, neighbour, offsets_of(where, owner, neighbour, box))
        return NearPairs(owner, neighbour, known)

    skin = SKIN * reach
    kept = find(positions, reach + skin)
    is_wide = True if box is None else ops.all(box.widths >= 2 * (reach + skin))

    def near_pairs(where: Positions) -> tuple[NearPairs, Positions, Tensor]:
        moved = ops.sum(ops.square(where - positions), axis=-1)
        is_still = ops.all(moved <= (skin / 2) ** 2)  # false of what is not a number
        is_kept = ops.logical_and(is_still, is_wide)
        pairs = tf.cond(is_kept, lambda: kept, lambda: find(where, reach))
        offsets = offsets_of(where, pairs.owner, pairs.neighbour, box)
        return pairs, offsets, ops.all(ops.abs(offsets) <= reach, axis=-1)

    return near_pairs
