"""The learned force between particles: a product of what a particle is and the field it is in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from socialmd.layers.feed_forward import FeedForward
from socialmd.layers.pairs import compares_all
from socialmd.registration import arguments_of, register
from socialmd.static_shapes import by_rows
from socialmd.types import Mask, Positions, Shape, Tensor

__all__ = ["InteractionLaw"]


@register
class InteractionLaw(keras.layers.Layer):
    """Accelerations of N particles by each other, learned.

        v = F_v(f, h),   u = F_u(f, h)                    what particles emit, how they respond
        A_i(x) = W (u_i * sum over j != i of K(x_j - x_i) * v_j)

    F are linear maps plus an MLP of one hidden layer, f static features and h what a particle
    remembers, on which F do not depend before training. K is `interaction`: a result [B, N, C] is
    mixed by W [C, D], vectors [B, N, C, D] by W [C].

    With `orientation`, for particles that point somewhere, F also read unit vectors, as they are at
    that moment, and results are accelerations and angular accelerations, which W [C, 2 D] mixes. In
    a system that is turned they are others, as of all tables on grids; `PolarLaw` knows better.

    Args:
        interaction: layer `(positions [B, N, D], values [B, N, C], mask)` like `NeighbourFilter`;
            in a periodic box, called with it as well.
        units: H, numbers that a particle remembers and the law may read; 0 for none.
        channels: C.
        hidden_units: of the MLPs.
        gate: whether there is u; otherwise linear map and MLP read field and f side by side.
        linear_path: whether accelerations are linear in the field; otherwise they pass a tanh.
        orientation: whether positions are poses; needs a gate, and a K without vectors.

    Call arguments:
        positions: [B, N, D], or poses [B, N, 2 D].
        emitted, response: from `read`.
        mask: optional bool [B, N], false for padded particles.
        box: optional `PeriodicBox` or box vectors [B, D, D].
        tables: optional, of pairs, from `tabulate`: the same result, faster, as long as what is
            emitted and how it is responded to stay the same.

    Returns:
        A, [B, N, D], or of poses [B, N, 2 D], in units of the scale of accelerations.

    Raises:
        ValueError: a size is not positive, or there are no such poses.

    Example:
        >>> law = InteractionLaw(NeighbourFilter("radial"), units=0)
        >>> law.build((None, None, 2), num_features=2)
        >>> law(np.random.rand(1, 3, 2), *law.read(np.ones((1, 3, 2)), None)).shape
        TensorShape([1, 3, 2])
    """

    def __init__(
        self,
        interaction: keras.layers.Layer,
        units: int = 0,
        channels: int = 8,
        hidden_units: int = 32,
        gate: bool = True,
        linear_path: bool = True,
        orientation: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        for name, value in (("channels", channels), ("hidden_units", hidden_units)):
            if value < 1:
                raise ValueError(f"{name}: expected a positive integer, found {value}")
        self.interaction = interaction
        self.units = units
        self.channels = channels
        self.hidden_units = hidden_units
        self.gate = gate
        self.linear_path = linear_path
        self.orientation = orientation
        if orientation and not gate:
            raise ValueError("gate: expected true of particles that point somewhere, found false")
        self.emit = self._feed_forward(channels, "emit")
        if gate:
            self.respond = self._feed_forward(channels, "respond")

    def _feed_forward(self, width: int, name: str) -> FeedForward:
        return FeedForward(
            width, self.hidden_units, num_ignored=self.units, dtype="float32", name=name
        )

    @property
    def is_polar(self) -> bool:
        """Whether it is one of poses."""
        return self.orientation

    def build(self, positions_shape: Shape, num_features: int) -> None:
        """Make the weights, for `num_features` static features."""
        dims = positions_shape[-1]
        known = (None, None, num_features + self.units)
        if self.orientation:
            positions_shape = (*positions_shape[:-1], dims // 2)
            known = (None, None, dims // 2 + known[-1])
        values = (None, None, self.channels)
        self.emit.build(known)
        # Called on nothing but shapes, which builds whatever layer it is.
        field = self.interaction(*map(keras.KerasTensor, (positions_shape, values)))
        self.has_vectors = len(field.shape) == 4
        if self.orientation and self.has_vectors:
            raise ValueError(
                "interaction: expected one without vectors, [B, N, C], of particles that point "
                "somewhere, found [B, N, C, D]; a PolarLaw has forces and torques of vectors"
            )
        if self.gate:
            self.respond.build(known)
            self.mixing = self.add_weight(
                name="mixing",
                shape=(self.channels, 1 if self.has_vectors else dims),
                initializer=keras.initializers.RandomNormal(0.3 / self.channels**0.5),
                dtype="float32",
            )
        else:
            width = self.channels * (dims if self.has_vectors else 1)
            self.respond = self._feed_forward(dims, "respond")
            self.respond.build((None, None, width + known[-1]))
        self.built = True

    def read(self, features: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """What particles emit, v [B, N, C], and how they respond, u [B, N, C].

        Without a gate, instead of u, what it would be made from; with an orientation, of both.

        Args:
            features: standardized, [B, N, F - D].
            hidden: h, [B, N, H]; not used without `units`.
        """
        known = ops.concatenate([features, hidden], axis=-1) if self.units else features
        if self.orientation:
            return known, known
        return self.emit(known), self.respond(known) if self.gate else known

    def call(
        self,
        positions: Positions,
        emitted: Tensor,
        response: Tensor,
        mask: Mask = None,
        box: Any = None,
        tables: Tensor = None,
    ) -> Tensor:
        if tables is not None:
            pairs = self.interaction.of_pairs(positions, tables, mask, box)
            pushed = ops.stack([ops.sum(each, axis=-1) for each in pairs], axis=-1)
            return pushed if self.linear_path else ops.tanh(pushed)
        if self.orientation:
            positions, directions = ops.split(positions, 2, axis=-1)
            known = ops.concatenate([directions, emitted], axis=-1)  # what is remembered, last
            emitted, response = self.emit(known), self.respond(known)
        # Boxes are not for all that may be called here.
        surroundings = {"mask": mask} if box is None else {"mask": mask, "box": box}
        field = self.interaction(positions, emitted, **surroundings)  # [B, N, C] or [B, N, C, D]
        if not self.gate:
            flat = field
            if self.has_vectors:
                flat = ops.reshape(field, (*ops.shape(positions)[:2], -1))
            pushed = self.respond(ops.concatenate([flat, response], axis=-1))
        elif self.has_vectors:
            weights = response * self.mixing[:, 0]  # [B, N, C]
            pushed = ops.matmul(weights[..., None, :], field)[..., 0, :]
        else:
            pushed = by_rows(lambda rows: ops.matmul(rows, self.mixing), response * field)
        return pushed if self.linear_path else ops.tanh(pushed)

    def can_tabulate(self, emitted: Tensor) -> bool:
        """Whether there are tables of pairs, and all of these would be compared anyway."""
        return self._has_tables and compares_all(emitted, self.interaction.neighbour_search)

    @property
    def _has_tables(self) -> bool:
        return self.gate and getattr(self.interaction, "is_radial", False)

    def tabulate(self, emitted: Tensor, response: Tensor, bonds: Tensor = None) -> Tensor:
        """Tables of pairs, see `NeighbourFilter.tabulate`.

        Of a radial filter with a gate; all pairs are compared then.

        Args:
            emitted, response: from `read`.
            bonds: optional [B, N, N], by which the sum of particle i weighs what j emits.

        Raises:
            ValueError: there is no gate, or the filter is no radial one.
        """
        if not self._has_tables:
            raise ValueError(
                "tables, bonds: expected a radial filter and a gate, found "
                f"{self.interaction.name}, gate={self.gate}"
            )
        weights = (response * self.mixing[:, 0])[:, :, None] * emitted[:, None]
        if bonds is not None:
            weights = weights * ops.cast(bonds, "float32")[..., None]
        return self.interaction.tabulate(weights)

    def near(
        self,
        positions: Positions,
        emitted: Tensor,
        response: Tensor,
        mask: Mask = None,
        box: Any = None,
    ) -> Callable[[Positions], Tensor]:
        """The law as a function of places near `positions`, all else being the same.

        With a radial filter and a gate, neighbours are not looked for at each of them.
        """
        if not self._has_tables:
            return lambda where: self(where, emitted, response, mask, box)
        weights = response * self.mixing[:, 0], emitted
        pushed = self.interaction.near_sums(positions, weights, mask, box)
        return pushed if self.linear_path else lambda where: ops.tanh(pushed(where))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(InteractionLaw, self)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InteractionLaw:
        interaction = keras.saving.deserialize_keras_object(config["interaction"])
        return cls(**{**config, "interaction": interaction})
