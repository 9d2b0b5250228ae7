"""The learned forces and torques between particles that point somewhere."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from socialmd.layers.feed_forward import FeedForward
from socialmd.layers.neighbour_filter import NeighbourFilter
from socialmd.layers.pairs import pair_view
from socialmd.periodic_box import PeriodicBox
from socialmd.registration import arguments_of, register
from socialmd.types import Mask, Shape, Tensor

__all__ = ["PolarLaw"]

STEEPEST = 2
OFFSET, OTHER, OWN = range(3)  # vectors of a pair: to the neighbour, its direction, one's own


class _Term(NamedTuple):
    """A vector of a pair, and how often cosines multiply it."""

    vector: int
    own: int = 0  # of the offset and one's own direction
    other: int = 0  # of the offset and the neighbour's
    both: int = 0  # of the two directions

    @property
    def own_directions(self) -> int:
        return self.own + self.both + (self.vector == OWN)

    @property
    def other_directions(self) -> int:
        return self.other + self.both + (self.vector == OTHER)

    @property
    def power(self) -> int:
        """Of the inverse distance by which a table is multiplied: it falls as multipoles do.

        But for the steepest, which would throw near pairs apart before anything is learned.
        """
        return 1 + min(STEEPEST, self.own_directions + self.other_directions)


def _terms(order: int, is_torque: bool) -> list[_Term]:
    """All in which each direction occurs up to `order` times; in torques, one's own less often."""
    vectors = (OFFSET, OTHER) if is_torque else (OFFSET, OTHER, OWN)
    powers = range(order + 1)
    every = (_Term(*numbers) for numbers in product(vectors, powers, powers, powers))
    most_of_own = order - is_torque
    return [
        term
        for term in every
        if term.own_directions <= most_of_own and term.other_directions <= order
    ]


@register
class PolarLaw(keras.layers.Layer):
    """Accelerations and angular accelerations of N particles by each other, learned.

    Of a particle and its neighbour, with unit vectors u_i and u_j, r from the one to the other and
    e = r / |r|, vectors can be made that turn with the system: e, u_i and u_j, times powers of the
    cosines e.u_i, e.u_j and u_i.u_j. Of these, there are those that a charge and the multipoles up
    to an order feel of each other; for dipoles, order 1, nine and three:

        force    e,  (e.u_j) e,  u_j,  (e.u_i) e,  u_i,  (u_i.u_j) e,  (e.u_i) (e.u_j) e,
                 (e.u_i) u_j,  (e.u_j) u_i
        torque   e,  (e.u_j) e,  u_j                             at right angles to u_i

    Each comes with a learned function of the distance, and with a product of what the neighbour
    emits and of how the particle responds, in one or more channels, as in `InteractionLaw`:

        v = F_v(f, h),   z = F_z(f, h)
        A_i, G_i = sum over terms k, channels c and j != i of z_ikc v_jkc R_kc(|r|) t_k

    R is that of a radial `NeighbourFilter`, and falls the faster, before training, the more unit
    vectors a term has, up to two. A system that is turned feels turned forces.

    Args:
        interaction: a radial `NeighbourFilter`, whose tables and search for neighbours these are.
        units: H, numbers that a particle remembers and the law may read; 0 for none.
        channels: C, of the first term of forces and that of torques; others have a quarter of it,
            and at least one.
        hidden_units: of the MLPs in F.
        order: of multipoles: 1, dipoles, or 2, quadrupoles, which need 43 terms instead of 12.

    Call arguments:
        pose: positions and unit vectors, [B, N, 2 D].
        emitted, response: from `read`.
        mask: optional bool [B, N], false for padded particles.
        box: optional `PeriodicBox` or box vectors [B, D, D].

    Returns:
        A and G, [B, N, 2 D], in units of the scales of accelerations; G = du'/dt of u' = du/dt, but
        for what keeps u a unit vector.

    Raises:
        ValueError: a size is not positive, the order is another, or the filter is no radial one.

    Example:
        >>> law = PolarLaw(NeighbourFilter("radial"))
        >>> law.build((None, None, 4), num_features=2)
        >>> pose = np.tile([[[0.0, 0.0, 1.0, 0.0], [2.0, 0.0, 0.0, 1.0]]], (1, 1, 1))
        >>> law(pose, *law.read(np.ones((1, 2, 2)), None)).shape
        TensorShape([1, 2, 4])

    Reference:
        The terms of order 1 are those of charges and point dipoles: A. J. Stone, The Theory of
        Intermolecular Forces, 2nd ed., Oxford 2013, chapter 3.
    """

    is_polar = True

    def __init__(
        self,
        interaction: NeighbourFilter,
        units: int = 0,
        channels: int = 8,
        hidden_units: int = 32,
        order: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        for name, value in (("channels", channels), ("hidden_units", hidden_units)):
            if value < 1:
                raise ValueError(f"{name}: expected a positive integer, found {value}")
        if order not in (1, 2):
            raise ValueError(f"order: expected 1, of dipoles, or 2, found {order}")
        if not getattr(interaction, "is_radial", False):
            raise ValueError(f"interaction: expected a radial NeighbourFilter, found {interaction}")
        if interaction.power != -1:
            raise ValueError(
                "interaction: expected power = -1, since terms have powers of their own, found "
                f"{interaction.power}"
            )
        self.interaction = interaction
        self.units = units
        self.channels = channels
        self.hidden_units = hidden_units
        self.order = order
        forces, torques = _terms(order, is_torque=False), _terms(order, is_torque=True)
        self._terms = [*forces, *torques]
        # Columns of the sums: forces along e, u_j and u_i, torques along e and u_j.
        self._columns = [*(t.vector for t in forces), *(3 + t.vector for t in torques)]
        sizes = [channels if term == forces[0] else max(1, channels // 4) for term in self._terms]
        self._of_channel = np.repeat(np.arange(len(sizes)), sizes)  # number of each one's term
        self.emit, self.respond = (
            FeedForward(sum(sizes), hidden_units, num_ignored=units, dtype="float32", name=name)
            for name in ("emit", "respond")
        )

    def build(self, pose_shape: Shape, num_features: int) -> None:
        """Make the weights, for `num_features` static features."""
        width, known = len(self._of_channel), (None, None, num_features + self.units)
        positions_shape = (*pose_shape[:-1], pose_shape[-1] // 2)
        if not self.interaction.built:  # as it is when it was saved
            self.interaction.build(positions_shape, (None, None, width))
        self.emit.build(known)
        self.respond.build(known)
        self.mixing = self.add_weight(
            name="mixing",
            shape=(width,),
            initializer=keras.initializers.RandomNormal(0.3 / self.channels**0.5),
            dtype="float32",
        )
        self.built = True

    def read(self, features: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """What particles emit, v, and how they respond, z, in all channels: [B, N, channels] each.

        Arguments are as for `InteractionLaw.read`.
        """
        known = ops.concatenate([features, hidden], axis=-1) if self.units else features
        return self.emit(known), self.respond(known) * self.mixing

    def call(
        self,
        pose: Tensor,
        emitted: Tensor,
        response: Tensor,
        mask: Mask = None,
        box: Any = None,
    ) -> Tensor:
        positions, directions = ops.split(pose, 2, axis=-1)
        interaction, box = self.interaction, PeriodicBox.for_layers(box)
        pairs = pair_view(positions, interaction.reach, mask, interaction.neighbour_search, box)
        table, distance, switch = map(pairs.reshape, interaction.profile(*pairs.flat))
        products = table * pairs.of_neighbour(emitted) * pairs.of_owner(response)
        of_term = np.eye(len(self._terms), dtype="float32")[self._of_channel]
        strengths = ops.unstack(ops.matmul(products, of_term), axis=-1)  # K times [...]

        # Coordinate by coordinate: numbers of a pair are many, and those of a vector few.
        distance, switch = distance[..., 0], switch[..., 0]
        offset = [x / distance for x in ops.unstack(pairs.offsets, axis=-1)]
        own, other = (
            ops.unstack(each(directions), axis=-1) for each in (pairs.of_owner, pairs.of_neighbour)
        )
        powers = _Powers(
            self._length / distance, _dot(offset, own), _dot(offset, other), _dot(own, other)
        )
        along = [0.0] * 5
        for column, term, strength in zip(self._columns, self._terms, strengths, strict=True):
            along[column] = along[column] + strength * powers.of(term)
        force, force_other, force_own, torque, torque_other = (each * switch for each in along)
        vectors = [
            pairs.total(e * first + u * second)
            for first, second in ((force, force_other), (torque, torque_other))
            for e, u in zip(offset, other, strict=True)
        ]
        along_own = pairs.total(force_own)[..., None] * directions
        return ops.stack(vectors, axis=-1) + ops.pad(
            along_own, [[0, 0], [0, 0], [0, directions.shape[-1]]]
        )

    @property
    def _length(self) -> float:
        """Where all terms are as strong before training."""
        return float((self.interaction.cutoff * self.interaction.shortest) ** 0.5)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(PolarLaw, self)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PolarLaw:
        interaction = keras.saving.deserialize_keras_object(config["interaction"])
        return cls(**{**config, "interaction": interaction})


class _Powers:
    """Products of numbers of a pair: inverse distance, and the cosines of a `_Term`."""

    def __init__(self, *numbers: Tensor) -> None:
        exponents = np.eye(len(numbers), dtype=int).tolist()
        self._numbers = numbers
        self._found = dict(zip(map(tuple, exponents), numbers, strict=True))

    def of(self, term: _Term) -> Tensor:
        """By which a term's vector is multiplied."""
        return self._product((term.power, term.own, term.other, term.both))

    def _product(self, exponents: tuple[int, ...]) -> Tensor:
        """Each from one of fewer factors: terms have most of them in common."""
        if exponents not in self._found:
            last = max(index for index, exponent in enumerate(exponents) if exponent)
            fewer = tuple(exponent - (index == last) for index, exponent in enumerate(exponents))
            self._found[exponents] = self._product(fewer) * self._numbers[last]
        return self._found[exponents]


def _dot(first: list[Tensor], second: list[Tensor]) -> Tensor:
    return sum(x * y for x, y in zip(first, second, strict=True))
