"""Neighbour search whose cost grows as N, not as N^2: strips of sorted particles.

All particles of a system are sorted once, by strips as wide as the reach and along y within a
strip. Strips lie side by side in x and, in three dimensions, in z as well. Whoever is within reach
of a particle then lies in one of three (nine) runs of that order: in its own strip and those beside
it, from y - reach to y + reach. Binary search finds where the runs begin and end, so empty space
costs nothing, and what the runs hold is compared exactly. At constant density their length does not
depend on N, which makes O(N log N) for sorting and O(N) for the rest.

Cell lists are textbook: M. P. Allen and D. J. Tildesley, Computer Simulation of Liquids, section
5.3. In a periodic box, images of what lies near its walls stand beyond the opposite ones. Written
in TensorFlow's operations: how many pairs there are is known only when it runs.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import tensorflow as tf

from socialmd.periodic_box import PeriodicBox
from socialmd.types import Mask, Positions, Tensor

__all__ = ["neighbour_pairs"]

# Strips and runs are wider than the reach by this factor. The exact comparison rounds x_j - x_i to
# float32, so it accepts pairs that are too far apart by up to one part in 2**24.
MARGIN = 1 + 2.0**-20


def neighbour_pairs(
    positions: Positions, reach: float, mask: Mask = None, box: PeriodicBox | None = None
) -> tuple[Tensor, Tensor]:
    """All pairs of particles within reach of each other along both axes.

    These are the neighbours that `grid.find_neighbours` finds on one square (cubic) grid of side
    2 * reach, in the same order. Circles and smaller grids lie within it.

    Args:
        positions: [B, N, D], D = 2 or 3. B and N may be unknown until it runs.
        reach: inclusive, and compared with the float32 difference x_j - x_i.
        mask: padded particles are nobody's neighbours. They do have neighbours themselves, which
            changes nothing for the others.
        box: of each system, [B, D, D], at least twice as wide as the reach: nearest images count.

    Returns:
        owner and neighbour, int32 [M]: every ordered pair of two particles of one system, each
        numbered b * N + n, sorted by owner, then by neighbour. A particle whose position is not
        finite is in no pair.
    """
    if not 0 < reach < math.inf:
        raise ValueError(f"reach: expected a positive finite distance, found {reach}")
    positions = tf.cast(positions, tf.float32)  # [B, N, D]
    owner, neighbour = _candidates(positions, reach, mask, box)
    points = tf.reshape(positions, [-1, positions.shape[-1]])  # [B * N, D]
    offsets = tf.gather(points, neighbour) - tf.gather(points, owner)
    if box is not None:
        system = owner // tf.shape(positions, tf.int64)[1]
        offsets = PeriodicBox(*(tf.gather(each, system) for each in box)).displacement(offsets)
    within = tf.reduce_all(tf.abs(offsets) <= np.float32(reach), axis=-1)
    # Sorted by both at once: the place of the pair in a matrix of all with all.
    count = tf.shape(points, tf.int64)[0]
    pair = tf.boolean_mask(owner * count + neighbour, within & tf.not_equal(owner, neighbour))
    pair = tf.sort(pair)
    if box is not None:  # several images of a neighbour may have been candidates
        pair = tf.boolean_mask(
            pair, pair > tf.concat([tf.constant([-1], tf.int64), pair[:-1]], 0)[: tf.size(pair)]
        )
    return tf.cast(pair // count, tf.int32), tf.cast(pair % count, tf.int32)


def _candidates(
    positions: Positions, reach: float, mask: Mask, box: PeriodicBox | None
) -> tuple[Tensor, Tensor]:
    """Pairs left to be compared exactly: owner and neighbour, int64 [M], sorted by owner."""
    finite = tf.reduce_all(tf.math.is_finite(positions), axis=-1)  # [B, N]
    # Whose position is not finite looks around the origin; the exact comparison drops those pairs.
    positions = tf.where(finite[..., None], positions, 0.0)
    listed = finite if mask is None else finite & tf.cast(mask, tf.bool)
    batch, particles = tf.unstack(tf.shape(finite, tf.int64))
    if box is not None:
        positions, listed = _with_images(positions, listed, reach, box)
    # Images come after the particles: [B, M], M being N or 3^D N.
    x, y, *z = tf.unstack(positions, axis=-1)
    strip, beside = _number_strips([x, *z], reach)  # [B, M], [B, M, R]; R runs: three or nine
    keys = tf.where(listed, _sort_key(strip, y), tf.int64.max)
    order = tf.argsort(keys, axis=-1)
    first, last = _find_runs(
        tf.gather(keys, order, batch_dims=1), beside[:, :particles], y[:, :particles], reach
    )  # [B, N, R]

    places = tf.shape(strip, tf.int64)[1]
    count = batch * places
    owner = tf.reshape(tf.range(batch * particles), (batch, particles, 1))
    system = owner // particles
    # Owner and place in the order are one number here, so that one operation writes all runs out.
    start, stop = (
        tf.reshape(owner * count + system * places + place, [-1]) for place in (first, last)
    )
    pair = tf.ragged.range(start, stop).flat_values  # [pairs]
    sorted_particles = system[:, :1, 0] * particles + tf.cast(order, tf.int64) % particles
    return pair // count, tf.gather(tf.reshape(sorted_particles, [-1]), pair % count)


def _with_images(
    positions: Positions, listed: Tensor, reach: float, box: PeriodicBox
) -> tuple[Positions, Tensor]:
    """Particles in the box, then their images around it [B, 3^D N, D], and whether they count.

    Those images do that are within reach of the box. Someone else's nearest image is never farther
    away than in a box next to it.
    """
    dims = positions.shape[-1]
    fractions = box.fractions(positions)
    fractions = fractions - tf.floor(fractions)
    # How far a vector of this reach along each axis can go in units of the box vectors, [B, 1, D].
    margin = (reach * MARGIN * tf.reduce_sum(tf.abs(box.inverse), axis=1))[:, None] + 1e-5
    places, counts = [], []
    for image in sorted(itertools.product((-1.0, 0.0, 1.0), repeat=dims), key=np.any):
        moved = fractions + tf.constant(image, tf.float32)
        is_near = tf.reduce_all((moved >= -margin) & (moved <= 1 + margin), axis=-1)
        places.append(box.places(moved))
        counts.append(listed & is_near)
    return tf.concat(places, axis=1), tf.concat(counts, axis=1)


def _number_strips(coordinates: list[Tensor], reach: float) -> tuple[Tensor, Tensor]:
    """Number of each particle's strip, int64 [B, N], and of those around it, [B, N, 3 or 9].

    Numbers are below N: that of a strip is how many particles are in strips before it. Strips
    without particles are -1.
    """
    x, *z = (_number_along(each, reach) for each in coordinates)
    around = tf.constant([-1, 0, 1], tf.int64)
    beside = x[..., None] + around  # [B, N, 3]
    if z:
        width = 2 * tf.shape(x, tf.int64)[1] + 3  # more than there are along z
        x = x * width + z[0]
        beside = beside[..., None] * width + (z[0][..., None] + around)[..., None, :]
        beside = tf.reshape(beside, (*tf.unstack(tf.shape(x)), 9))
    occupied = tf.sort(x, axis=-1)  # [B, N]
    number = _lower_bound(occupied, beside)
    last = tf.shape(x, tf.int64)[1] - 1
    is_there = tf.gather(occupied, tf.minimum(number, last), batch_dims=1) == beside
    return _lower_bound(occupied, x[..., None])[..., 0], tf.where(is_there, number, -1)


def _number_along(x: Tensor, reach: float) -> Tensor:
    """Number of each particle's strip along one axis: int64 [B, N], within 0..2 N.

    Strips side by side have consecutive numbers, and at least one is free between any others. So
    no number overflows, however far a particle is flung, and particles that diverge do not all
    meet in one last strip.
    """
    # In float64, which rounds by less than the margin up to 2**24 strips from the origin. Farther
    # out float32 coordinates are equal or out of reach.
    strip = tf.floor(tf.cast(x, tf.float64) / (float(np.float32(reach)) * MARGIN))  # [B, N]
    occupied = tf.sort(strip, axis=-1)
    steps = tf.minimum(occupied[:, 1:] - occupied[:, :-1], 2.0)
    numbers = tf.pad(tf.cumsum(steps, axis=-1), [[0, 0], [1, 0]])
    place = _lower_bound(occupied, strip[..., None])[..., 0]
    return tf.cast(tf.gather(numbers, place, batch_dims=1), tf.int64)


def _find_runs(keys: Tensor, strips: Tensor, y: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Where in the sorted order the runs of each particle begin and end (exclusive): [B, N, R]."""
    extent = np.float32(reach * MARGIN)
    low, high = (_sort_key(strips, edge[..., None]) for edge in (y - extent, y + extent))
    return _lower_bound(keys, low), _lower_bound(keys, high, upper=True)


def _lower_bound(ascending: Tensor, values: Tensor, upper: bool = False) -> Tensor:
    """First place in [B, N] of what is not below (`upper`: is above) each of [B, N, R]; int64."""
    # `tf.searchsorted`, but for a reshape in it that fails where there is no particle.
    bound = tf.raw_ops.UpperBound if upper else tf.raw_ops.LowerBound
    shape = tf.shape(values)
    flat = tf.reshape(values, (shape[0], shape[1] * shape[2]))
    places = bound(sorted_inputs=ascending, values=flat, out_type=tf.int64)
    return tf.reshape(places, shape)


def _sort_key(strip: Tensor, y: Tensor) -> Tensor:
    """int64 that sorts by strip, then by y: the bits of floats sort as these, but for the sign."""
    bits = tf.bitcast(y, tf.int32)
    bits = tf.where(bits < 0, tf.bitwise.bitwise_xor(bits, 2**31 - 1), bits)
    return strip * 2**32 + tf.cast(bits, tf.int64)
