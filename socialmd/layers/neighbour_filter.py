"""Filters of neighbours: what a particle feels of their values, weighed by where they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from socialmd.check_choice import check_choice
from socialmd.layers.grid import check_grids, interpolation_taps, lies_on_grids
from socialmd.layers.near_pairs import keep_near_pairs
from socialmd.layers.pairs import (
    SEARCHES,
    compare_all,
    find_offsets,
    select,
    take_rows,
)
from socialmd.periodic_box import PeriodicBox
from socialmd.registration import arguments_of, register
from socialmd.types import Mask, Positions, Shape, Tensor

__all__ = ["NeighbourFilter"]

FILTERS = ("grid", "radial")

# Part of the cutoff over which a radial filter goes to zero.
SWITCH = 0.1
# Intervals of the coarsest of a radial filter's tables.
COARSEST = 4


@register
class NeighbourFilter(keras.layers.Layer):
    """Sums what neighbours emit, channel by channel, through a learned filter of their offset.

        y_i = sum over j != i of K(x_j - x_i) * values_j

    `filter="grid"` has a table for each of S stacked, distance-filtered grids, linear between the
    centres of its cells (bilinear in the plane, trilinear in space):

        K(r) = sum over grids s with |r| <= w_s / 2 of T_s(r / w_s)                       [C]

    This is stacked state pooling, read by a filter that weighs each cell of each grid, channel by
    channel. A grid of half the size is not the same image again: it has a table of its own, so
    coarse grids learn quickly and fine ones refine.

    `filter="radial"` is a function of the distance alone times the unit vector towards the
    neighbour, so the result turns with the system:

        K(r) = R(|r|) r / |r|,     R_c(d) = (d / l)^p T_c(log d) s(d)                     [C, D]

    T is piecewise linear in the logarithm of the distance. It is itself a stack: the sum of tables
    of `num_intervals`, half as many, a quarter, ... intervals, of which the coarse ones learn
    quickly and the fine ones refine. s goes smoothly from one to zero over the last tenth before
    the cutoff; l is the geometric mean of cutoff and minimum distance. p is the law to begin with,
    which is left where training data tell little, of pairs that are very near or very far: 1 of
    springs, -2 of charges in space, -1 of whatever falls. Below the minimum distance K falls
    linearly to zero, so that it is finite and continuous where particles coincide.

    Args:
        filter: `"grid"` or `"radial"`.
        grid_sizes: side lengths w_1..w_S, in units of length; of grids.
        grid_cells: G, cells along a side of each grid; G**D rows of C numbers.
        shared_table: whether all grids have one table, as in the sum of grids of the thesis.
        interpolation: between cells, `"linear"` or `"nearest"`, which has no gradient in positions.
        cutoff: distance from which on neighbours are not seen, in units of length; radial.
        minimum_distance: below which a radial filter resolves nothing; a thousandth of the cutoff
            if none is given.
        num_intervals: of a radial filter's finest table.
        power: p, of a radial filter.
        neighbour_search: how pairs are found, see `find_pairs`: `"all_pairs"`, `"cell_list"` or
            `"auto"`. All give the same result; memory grows with the number of pairs.

    Call arguments:
        positions: [B, N, D], D = 2 or 3, in units of length. Differentiable in them.
        values: [B, N, C].
        mask: optional bool [B, N], false for padded particles, which are nobody's neighbours.
        box: optional box vectors [B, D, D]; a neighbour is then its nearest image. It has to be
            twice as wide as the filter reaches.

    Returns:
        [B, N, C] of a grid filter, [B, N, C, D] of a radial one.

    Raises:
        ValueError: an argument is none of the above, or positions have neither two nor three
            coordinates.

    Example:
        >>> layer = NeighbourFilter("radial", cutoff=16.0, minimum_distance=0.01)
        >>> layer(np.random.rand(1, 3, 2), np.random.rand(1, 3, 4)).shape
        TensorShape([1, 3, 4, 2])

    Reference:
        Continuous-filter convolution: K. Schuett et al., SchNet, NeurIPS 2017. Interpolated tables:
        B. Ummenhofer et al., ICLR 2020. The grids: thesis sections 2.4 and 4.4.
    """

    def __init__(
        self,
        filter: str = "radial",
        grid_sizes: Sequence[float] = (11.0, 5.5, 2.75, 1.375),
        grid_cells: int = 16,
        shared_table: bool = False,
        interpolation: str = "linear",
        cutoff: float = 16.0,
        minimum_distance: float | None = None,
        num_intervals: int = 64,
        power: int = -1,
        neighbour_search: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        self.supports_masking = True
        check_choice("filter", filter, FILTERS)
        check_choice("interpolation", interpolation, ("linear", "nearest"))
        check_choice("neighbour_search", neighbour_search, SEARCHES)
        if not 0 < cutoff < math.inf:
            raise ValueError(f"cutoff: expected a positive finite distance, found {cutoff}")
        if not 0 < (cutoff / 1000 if minimum_distance is None else minimum_distance) < cutoff:
            raise ValueError(
                f"minimum_distance: expected a positive distance below the cutoff, {cutoff}, "
                f"found {minimum_distance}"
            )
        if num_intervals < 1:
            raise ValueError(f"num_intervals: expected at least 1, found {num_intervals}")
        if not math.isfinite(power):
            raise ValueError(f"power: expected a finite number, found {power}")
        check_grids(grid_sizes, grid_cells)
        self.filter = filter
        self.grid_sizes = tuple(grid_sizes)
        self.grid_cells = grid_cells
        self.shared_table = shared_table
        self.interpolation = interpolation
        self.cutoff = cutoff
        self.minimum_distance = minimum_distance
        self.num_intervals = num_intervals
        self.power = power
        self.neighbour_search = neighbour_search
        # XLA has neither sparse products nor a neighbour search.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    @property
    def is_radial(self) -> bool:
        """Whether the result has vectors, [B, N, C, D]."""
        return self.filter == "radial"

    @property
    def shortest(self) -> float:
        """Distance below which a radial filter resolves nothing, in units of length."""
        return self.minimum_distance or self.cutoff / 1000

    def build(self, positions_shape: Shape, values_shape: Shape) -> None:
        dims, channels = positions_shape[-1], values_shape[-1]
        if dims not in (2, 3):
            raise ValueError(
                f"positions: expected two or three coordinates, found shape {positions_shape}"
            )
        if self.is_radial:
            self._hats, coarsest = _stacked_hats(self.num_intervals)  # [nodes, nodes of all tables]
            rows = len(coarsest)
            initializer = lambda shape, dtype=None: ops.tile(  # noqa: E731
                ops.convert_to_tensor(coarsest, dtype)[:, None], (1, shape[1])
            )
        else:
            rows = (1 if self.shared_table else len(self.grid_sizes)) * self.grid_cells**dims
            initializer = keras.initializers.RandomNormal(stddev=0.1)
        # Float32 whatever the compute dtype, as are positions; not cast to it when it is read.
        self.table = self.add_weight(
            name="table",
            shape=(rows, channels),
            initializer=initializer,
            dtype="float32",
            autocast=False,
        )

    def call(
        self,
        positions: Positions,
        values: Tensor,
        mask: Mask = None,
        box: Any = None,
    ) -> Tensor:
        positions, values = ops.cast(positions, "float32"), ops.cast(values, "float32")
        box = PeriodicBox.for_layers(box)
        sum_up = self._sum_radial if self.is_radial else self._sum_grids
        flat = ops.reshape(values, (-1, values.shape[-1]))  # [B * N, C]
        summed = sum_up(*self._pairs(positions, mask, box), flat)
        summed = ops.reshape(summed, (*ops.shape(positions)[:2], *summed.shape[1:]))
        return ops.cast(summed, self.compute_dtype)

    @property
    def reach(self) -> float:
        """Distance beyond which nobody is seen, in units of length."""
        return self.cutoff if self.is_radial else max(self.grid_sizes) / 2

    def _pairs(
        self, positions: Positions, mask: Mask, box: PeriodicBox | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Owner and neighbour, as b * N + n, offset and whether it counts, of each of M pairs."""
        # A hair beyond the largest circle: squares round, and whoever lies on it is a candidate.
        reach = self.reach if self.is_radial else self.reach * (1 + 1e-6)
        owner, neighbour, offsets, counts = find_offsets(
            positions, reach, mask, self.neighbour_search, box
        )
        # What does not count may be anywhere; it must not become infinite times zero.
        return owner, neighbour, ops.where(counts[:, None], offsets, 0.0), counts

    # === Radial ===

    def _sum_radial(
        self, owner: Tensor, neighbour: Tensor, offsets: Positions, counts: Tensor, values: Tensor
    ) -> Tensor:
        strength, direction = self._radial(offsets, counts)
        emitted = strength * take_rows(values, neighbour)  # [M, C]
        forces = emitted[:, :, None] * direction[:, None, :]  # [M, C, D]
        flat = ops.reshape(forces, (-1, forces.shape[1] * forces.shape[2]))
        summed = ops.segment_sum(flat, owner, num_segments=ops.shape(values)[0])
        return ops.reshape(summed, (-1, *forces.shape[1:]))

    def tabulate(self, weights: Tensor) -> Tensor:
        """Of a radial filter and weights of its channels: one table for each pair of particles.

        Where weights stay the same for a while, that is faster than to look up all channels again
        and again: what they add up to, w_ij . T, is one number for each interval.

        Args:
            weights: w, [B, N, N, C], of particle i (second axis) and j (third).

        Returns:
            [B * N * N * I, 2]: what is there at the beginning of each interval, and by how much it
            changes in it. Of no more axes, since the gradient of a few rows would lose by a change
            of shape that it is one of a few rows.
        """
        starts, changes = self._intervals()  # [I, C] each
        both = ops.transpose(ops.stack([starts, changes], axis=1), (2, 0, 1))  # [C, I, 2]
        rows = ops.reshape(weights, (-1, both.shape[0]))  # see `by_rows`
        return ops.reshape(ops.matmul(rows, ops.reshape(both, (both.shape[0], -1))), (-1, 2))

    def of_pairs(
        self,
        positions: Positions,
        tables: Tensor,
        mask: Mask = None,
        box: Any = None,
    ) -> list[Tensor]:
        """What particle i (second axis) feels of j (third), seen through tables of pairs.

        Args:
            positions: [M, N, D], M a multiple of B, along which systems come in the same order
                again and again.
            tables: of pairs, see `tabulate`.
            mask: optional bool [M, N].
            box: optional, of as many systems.

        Returns:
            D times [M, N, N], coordinate by coordinate: numbers of pairs are many, and those of a
            vector few.
        """
        box = PeriodicBox.for_layers(box)
        first = ops.arange(0, ops.shape(tables)[0], self.num_intervals, dtype="int32")
        pairs = ops.shape(first)[0]
        # JAX has to know how often; on TensorFlow that may be a tensor.
        pairs = max(pairs, 1) if isinstance(pairs, int) else ops.maximum(pairs, 1)

        def look_up(node: Tensor) -> tuple[Tensor, Tensor]:
            times = ops.size(node) // pairs
            index = ops.reshape(ops.cast(node, "int32"), (-1,)) + ops.tile(first, (times,))
            rows = ops.take(tables, index, axis=0)
            return tuple(ops.reshape(each, ops.shape(node)) for each in ops.unstack(rows, axis=-1))

        return self._pushes(*compare_all(positions, self.cutoff, mask, box), look_up)

    def _pushes(
        self,
        offsets: list[Positions],
        counts: Tensor,
        look_up: Callable[[Tensor], tuple[Tensor, Tensor]],
    ) -> list[Tensor]:
        """What each pair adds, coordinate by coordinate, as offsets come.

        From what is there at the beginning of an interval, and by how much it changes in it.
        """
        # What does not count is nowhere, and so adds nothing.
        offsets = [ops.where(counts, each, 0.0) for each in offsets]
        squares: Tensor = sum(each * each for each in offsets)
        distances = self._resolved(squares)
        node, part = self._find(distances)
        start, change = look_up(node)
        strength = (start + part * change) * self._scale(distances) * self._switch(distances)
        return [each * strength for each in offsets]

    def near_sums(
        self,
        positions: Positions,
        weights: tuple[Tensor, Tensor],
        mask: Mask = None,
        box: Any = None,
    ) -> Callable[[Positions], Tensor]:
        """Of a radial filter, sums over neighbours and channels near some places, see below.

            f(x)_i = sum over j != i of sum over channels of a_i b_j K(x_j - x_i)

        Neighbours are looked for once, as long as x is near `positions` (see `keep_near_pairs`).

        Args:
            positions: [B, N, D].
            weights: a and b, [B, N, C] each.
            mask: optional bool [B, N].
            box: optional, see above.

        Returns:
            f, of x [B, N, D]: [B, N, D].
        """
        of_owner, of_neighbour = (ops.reshape(each, (-1, each.shape[-1])) for each in weights)
        intervals = ops.concatenate(self._intervals(), axis=-1)  # [I, 2 C]

        def read(owner: Tensor, neighbour: Tensor, node: Tensor) -> tuple[Tensor, Tensor]:
            """What is at the beginning of an interval, and by how much it changes in it, [M]."""
            weight = take_rows(of_owner, owner) * take_rows(of_neighbour, neighbour)
            start, change = ops.split(take_rows(intervals, node), 2, axis=-1)
            return ops.sum(start * weight, axis=-1), ops.sum(change * weight, axis=-1)

        def learn(owner: Tensor, neighbour: Tensor, offsets: Positions) -> tuple[Tensor, ...]:
            squares = ops.sum(ops.square(offsets), axis=-1)
            node = ops.cast(self._find(self._resolved(squares))[0], "int32")
            return node, *read(owner, neighbour, node)

        search, box = self.neighbour_search, PeriodicBox.for_layers(box)
        near_pairs = keep_near_pairs(positions, self.cutoff, learn, mask, search, box)

        def sum_up(where: Positions) -> Tensor:
            pairs, offsets, counts = near_pairs(where)

            def look_up(node: Tensor) -> tuple[Tensor, Tensor]:
                """As it is known, but of those few who have come to another interval."""
                before, *known = pairs.known
                node = ops.cast(node, "int32")
                others = select(ops.not_equal(node, before))[0]
                anew = read(*(ops.take(each, others) for each in (*pairs[:2], node)))
                return tuple(
                    ops.scatter_update(old, others[:, None], new)
                    for old, new in zip(known, anew, strict=True)
                )

            pushes = self._pushes(ops.unstack(offsets, axis=-1), counts, look_up)
            summed = pairs.sums(ops.stack(pushes, axis=-1), ops.shape(of_owner)[0])
            return ops.reshape(summed, ops.shape(where))

        return sum_up

    def _radial(self, offsets: Positions, counts: Tensor) -> tuple[Tensor, Tensor]:
        """T [M, C], and [M, D] by which to multiply it: direction, power and switch."""
        strength, distances, switch = self.profile(offsets, counts)
        return strength, offsets * (self._scale(distances) * switch)

    def profile(self, offsets: Positions, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of pairs, seen through a radial filter: T [M, C], and distance and s, [M, 1] each.

        Distances are not below the minimum distance; s is zero where a pair does not count.
        """
        distances = self._resolved(ops.sum(ops.square(offsets), axis=-1, keepdims=True))  # [M, 1]
        node, part = self._find(distances)
        # Both ends of an interval in one row: one gather instead of two.
        intervals = ops.concatenate(self._intervals(), axis=-1)
        rows = take_rows(intervals, ops.cast(node[..., 0], "int32"))  # [M, 2 C]
        start, change = ops.split(rows, 2, axis=-1)
        switch = self._switch(distances) * ops.cast(counts, "float32")[:, None]
        return start + part * change, distances, switch

    def _intervals(self) -> tuple[Tensor, Tensor]:
        """T at the beginning of each interval, and by how much it changes in it, [I, C] each."""
        table = ops.matmul(self._hats, self.table)  # [nodes, C]
        return table[:-1], table[1:] - table[:-1]

    def _resolved(self, squares: Tensor) -> Tensor:
        """Distances from their squares, not below the minimum distance."""
        return ops.sqrt(ops.maximum(squares, self.shortest**2))

    def _find(self, distances: Tensor) -> tuple[Tensor, Tensor]:
        """Number of the interval in which a distance lies, and which part of it is behind."""
        span = math.log(self.cutoff / self.shortest)
        place = (ops.log(distances) - math.log(self.shortest)) * (self.num_intervals / span)
        node = ops.clip(ops.floor(ops.stop_gradient(place)), 0, self.num_intervals - 1)
        return node, place - node

    def _scale(self, distances: Tensor) -> Tensor:
        """(d / l)^p / d: an offset times that is a direction times the law to begin with."""
        length = math.sqrt(self.cutoff * self.shortest)
        scale = length / ops.square(distances)
        if self.power == -1:
            return scale
        return scale * (distances / length) ** (self.power + 1)

    def _switch(self, distances: Tensor) -> Tensor:
        """One up to nine tenths of the cutoff, zero from the cutoff on; differentiable twice."""
        x = ops.clip((distances / self.cutoff - (1 - SWITCH)) / SWITCH, 0.0, 1.0)
        return 1 - x**3 * (10 - 15 * x + 6 * x**2)

    # === Grids ===

    def _sum_grids(
        self, owner: Tensor, neighbour: Tensor, offsets: Positions, counts: Tensor, values: Tensor
    ) -> Tensor:
        on_grids = ops.logical_and(lies_on_grids(offsets, self.grid_sizes), counts[:, None])
        index, weights = select(on_grids)  # entries: a pair on one of the grids
        pair, grid = index // len(self.grid_sizes), index % len(self.grid_sizes)
        kernel = self._grid_kernel(ops.take(offsets, pair, axis=0), grid) * weights[:, None]
        emitted = kernel * take_rows(values, ops.take(neighbour, pair))
        return ops.segment_sum(emitted, ops.take(owner, pair), num_segments=ops.shape(values)[0])

    def _grid_kernel(self, offsets: Positions, grid: Tensor) -> Tensor:
        """What grid number [M] has at an offset [M, D]: [M, C]."""
        sides = ops.take(np.asarray(self.grid_sizes, "float32"), grid)
        cells, shares = interpolation_taps(
            offsets, sides, self.grid_cells, self.interpolation == "linear"
        )  # [M, taps] each
        first_row = 0 if self.shared_table else grid * self.grid_cells ** offsets.shape[-1]
        index = ops.reshape(cells + ops.reshape(first_row, (-1, 1)), (-1,))
        rows = take_rows(ops.convert_to_tensor(self.table), index)
        rows = ops.reshape(rows, (-1, shares.shape[1], rows.shape[1]))  # [M, taps, C]
        return ops.sum(rows * shares[..., None], axis=1)

    def kernel(self, offsets: Positions) -> Tensor:
        """K at given offsets, for looking at it.

        Args:
            offsets: x_j - x_i, [M, D], in units of length.

        Returns:
            [M, C] of a grid filter, [M, C, D] of a radial one; zero beyond its reach.
        """
        offsets = ops.convert_to_tensor(offsets, "float32")
        if self.is_radial:
            # As of pairs: far beyond the cutoff squares overflow.
            counts = ops.all(ops.abs(offsets) <= self.cutoff, axis=-1)
            strength, direction = self._radial(ops.where(counts[:, None], offsets, 0.0), counts)
            return strength[..., None] * direction[:, None, :]
        count, channels = offsets.shape[0], self.table.shape[-1]
        each, ones = ops.arange(count), ops.ones((count, channels), "float32")
        return self._sum_grids(each, each, offsets, ops.ones((count,), "bool"), ones)

    def compute_output_shape(self, positions_shape: Shape, values_shape: Shape) -> Shape:
        return (*values_shape, positions_shape[-1]) if self.is_radial else tuple(values_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(NeighbourFilter, self)}


def _stacked_hats(num_intervals: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Values at the nodes of the finest table of the hat functions of all tables, side by side.

    And which of those functions are the coarsest table's, whose sum is one everywhere.
    """
    numbers = [num_intervals]
    while numbers[0] % 2 == 0 and numbers[0] > COARSEST:
        numbers.insert(0, numbers[0] // 2)
    places = np.linspace(0.0, 1.0, num_intervals + 1)[:, np.newaxis]
    hats = [np.maximum(0, 1 - np.abs(places * n - np.arange(n + 1))) for n in numbers]
    is_coarsest = np.arange(sum(n + 1 for n in numbers)) <= numbers[0]
    return np.concatenate(hats, axis=1).astype("float32"), is_coarsest.astype("float32")
