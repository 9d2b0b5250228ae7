"""The model that learns an interaction: forces between particles, integrated, and an LSTM each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from socialmd.check_choice import check_choice
from socialmd.data.feature_layout import ANCHOR, BONDS
from socialmd.layers import (
    ExternalField,
    FeedForward,
    InteractionCell,
    InteractionLaw,
    NeighbourFilter,
    PolarLaw,
    Restraints,
)
from socialmd.layers.infer_bonds import infer_bonds
from socialmd.layers.interaction_cell import NUM_MOMENTS, Motion
from socialmd.loops import run_loop
from socialmd.models.closed_loop import (
    check_inputs,
    compile_loop,
    feed_back,
    last_box,
    with_boxes,
)
from socialmd.models.conservation_filters import ConservationFilters
from socialmd.models.estimate_scales import check_turns, estimate_scales
from socialmd.models.forecast_model import ForecastModel
from socialmd.models.roll_out import check_rollout, repeat, roll_out
from socialmd.periodic_box import PeriodicBox
from socialmd.registration import arguments_of, register
from socialmd.types import Array, Inputs, Mask, Positions, Shape, States, Tensor

__all__ = ["InteractionLSTM"]


class _Given(NamedTuple):
    """What has been seen of a system.

    Positions [T, B, N, D], or poses, static features, standardized, what never changes, boxes, and
    velocities [T, B, N, D] in units of length and frames, if these are given.
    """

    frames: Tensor
    features: Tensor
    fixed: _Fixed
    boxes: Tensor
    velocities: Tensor

    def with_last_again(self) -> _Given:
        """With a frame more, in place of that of which only the density is asked for.

        So that one loop goes through all frames: each loop has a graph of the law and a gradient.
        """

        def extend(values: Tensor, axis: int) -> Tensor:
            if values is None:
                return None
            last = ops.take(values, [-1], axis=axis)
            return ops.concatenate([values, last], axis=axis)

        return self._replace(
            frames=extend(self.frames, 0),
            boxes=extend(self.boxes, 1),
            velocities=extend(self.velocities, 0),
        )


class _Fixed(NamedTuple):
    """What never changes of a system.

    Which particles are real, [B, N], anchors, [B, N, D], bonds, [B, N, N], and, where these are
    inferred, couplings to a field, [B, N, 1].
    """

    mask: Mask
    anchors: Positions
    bonds: Tensor
    couplings: Tensor = None


@register
class InteractionLSTM(ForecastModel):
    """Forecasts N interacting particles by a law of motion that it learns from trajectories.

    Each particle has a position, a velocity, and the states h and c of an LSTM; all share their
    weights. From frame to frame, positions and velocities are integrated with learned forces, and
    what comes corrects the velocity (see `InteractionCell`). The last T given frames start it.

    A force that is wrong stays wrong for a while: the next position is expected not at x, where the
    motion leads, but at

        x + e,      e = tanh(rho) (last residual)

    with rho from all that the conditional density is told from, zero at first. In closed loop, e is
    the next residual, so that it also corrects the velocity, and fades.

    It holds two densities for a particle's next position:

        conditional   given the true frame before; what `feedback="truth"` trains. Drawn from,
                      frame by frame, it gives futures: `rollout(feedback="sample")`.
        marginal      given the past alone, n steps ahead; what `feedback="mean"` trains. It is what
                      `model(inputs)` and all other rollouts tell, once it has been trained.

    Both read, beside h and static features, how violent the motion is: logarithms of speed,
    acceleration, its change and the last residual. The marginal one also reads the number of steps
    ahead, and has an LSTM of its own that runs with the forecast. No gradient flows from a density
    into the motion, nor, in the marginal one, from frame to frame through positions.

    A force that is wrong all through a frame moves the velocity by twice as much as the place, and
    in an encounter turns it more than it changes its size: futures that are pushed at random would
    be heated. So they are drawn, from the raw outputs y of the conditional density, as

        X = x + e + E,      x + e + E ~ p(y + dy)
        w' = w + g(h) (e + 2 exp(kappa) E),      w <- w' (1 - s + s |w| / |w'|)

    with s = tanh(sigma), and dy, kappa and sigma from all of the above, zero at first. They are
    learned from futures (`begin_training("sample", num_samples=M)`, `EnergyScore`). dy is zero in
    the first frame: how uncertain that is, the conditional density tells. If the law is frozen, it
    is taken as it is: gradients flow from frame to frame through places and velocities, not through
    forces.

    Where the data hold velocities, those of the last given frame start the motion, and none is
    estimated; `trajectory` forecasts them as well.

    With `orientation`, particles also have unit vectors and spins, which learned torques turn (see
    `PolarLaw`). All of the above holds of both, x + w being a turn along a great circle, and
    densities are those of `Pose`: of positions, and of directions.

    Args:
        target_steps: T', steps that `model(inputs)` forecasts.
        interaction: layer `(positions [B, N, D], values [B, N, C], mask)` that sums what neighbours
            emit, to [B, N, C] or as vectors to [B, N, C, D]; a radial `NeighbourFilter` by default.
        num_components: K, components of a mixture.
        distribution, feedback, orientation: see `ForecastModel`.
        spatial_dims: D, 2 or 3.
        multipole_order: of what particles that point somewhere feel of each other through a radial
            filter: 1 of dipoles, 2 of quadrupoles (see `PolarLaw`).
        restraints: springs that tie particles to what the layout of the data calls their
            `"anchor"`, a vector that never changes; none if not given. Other such vectors are not
            read: the law does not know directions.
        bonds: whether pairs may be tied to each other, as the layout's `"bonds"` say, which are
            features that never change, a column for each particle of the system. Such pairs have a
            second law, through a radial filter like the first one's. With `"inferred"` there is
            one law, which every pair feels as strongly as the given frames tell (see
            `infer_bonds`): not in periodic boxes. In training by `"truth"` these are all frames of
            a window, which conditional densities then know a little too well.
        field: an external one, which acts on particles as their features say, or, where bonds are
            inferred, as strongly as the given frames tell; none if not given.
        wall: distance from the origin, along every axis, of walls that reflect particles; none if
            not given.
        units, substeps, residual_correction, acceleration_limit: see `InteractionCell`.
        channels, hidden_units, gate, linear_path: see `InteractionLaw`.
        memory_in_law: whether forces, friction, the gain of corrections and a correction of the
            conditional mean read h: needed where features are hidden, or motion is damped or noisy.
            Otherwise forces depend on places and static features alone, inertia is exact, the
            conditional mean is x + e, and h is for densities: more accurate where that is true,
            since corrections that are right for a true past drift in closed loop.

    Call arguments, returns: see `ForecastModel`.

    Raises:
        ValueError: an argument is impossible, or inputs are not of the shape asked for.

    Example:
        >>> model = InteractionLSTM(interaction=NeighbourFilter("radial", cutoff=16.0))
        >>> model.adapt(train)
        >>> model.compile("nadam", loss=NegativeLogLikelihood(model.distribution_name))
        >>> model.fit(train, validation_data=validation, epochs=5)
        >>> futures, _ = model.rollout(inputs, feedback="sample", num_samples=20)
    """

    takes_velocities = True

    def __init__(
        self,
        target_steps: int = 30,
        interaction: keras.layers.Layer | None = None,
        distribution: Any = "student_t",
        num_components: int = 5,
        feedback: str = "mean",
        spatial_dims: int = 2,
        units: int = 32,
        channels: int = 8,
        hidden_units: int = 32,
        substeps: int = 8,
        gate: bool = True,
        linear_path: bool = True,
        residual_correction: bool = True,
        memory_in_law: bool = True,
        restraints: Restraints | None = None,
        orientation: bool = False,
        multipole_order: int = 1,
        bonds: bool | str = False,
        wall: float | None = None,
        field: ExternalField | None = None,
        acceleration_limit: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(target_steps, distribution, feedback, spatial_dims, orientation, **kwargs)
        if num_components < 1:
            raise ValueError(f"num_components: expected at least 1, found {num_components}")
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims: expected 2 or 3, found {spatial_dims}")
        self.num_components = num_components
        self.units = units
        self.channels = channels
        self.hidden_units = hidden_units
        self.gate = gate
        self.linear_path = linear_path
        self.residual_correction = residual_correction
        self.memory_in_law = memory_in_law
        self.restraints = restraints
        self.multipole_order = multipole_order
        self.bonds = bonds
        self.wall = wall
        self.field = field
        self.acceleration_limit = acceleration_limit
        self._check_inferred()
        interaction = NeighbourFilter() if interaction is None else interaction
        if bonds and (orientation or not getattr(interaction, "is_radial", False)):
            raise ValueError(
                "bonds: expected them with a radial filter and no orientation, found others"
            )
        law = self._make_law(interaction)
        bonded = self._make_bonded_law(interaction) if bonds is True else None
        self.cell = InteractionCell(
            law,
            units,
            substeps,
            residual_correction,
            restraints,
            bonded,
            wall,
            field,
            acceleration_limit,
            name="cell",
        )
        initial = self._distribution.initial_outputs(num_components, spatial_dims)
        self.marginal, self.conditional, self.disturbance = (
            FeedForward(len(start), hidden_units, start, None, hidden_layers=2, name=name)
            for name, start in (
                ("marginal", initial),
                ("conditional", [*initial, 0.0]),  # and rho
                ("disturbance", [0.0] * (len(initial) + 2)),  # of all, kappa, sigma
            )
        )
        self.disturbance.trainable = False  # but by futures
        self.seed_generator = keras.random.SeedGenerator()
        if units:
            self.marginal_lstm = keras.layers.LSTMCell(units, dtype="float32", name="marginal_lstm")

    def _make_law(self, interaction: keras.layers.Layer) -> InteractionLaw | PolarLaw:
        arguments: dict[str, Any] = {
            "units": self.units if self.memory_in_law else 0,
            "channels": self.channels,
            "hidden_units": self.hidden_units,
            "name": "law",
        }
        is_polar = self.orientation and getattr(interaction, "is_radial", False)
        if self.multipole_order != 1 and not is_polar:
            raise ValueError(
                "multipole_order: expected 1 without orientation and a radial filter, found "
                f"{self.multipole_order}"
            )
        if not is_polar:
            arguments |= {"gate": self.gate, "linear_path": self.linear_path}
            return InteractionLaw(interaction, orientation=self.orientation, **arguments)
        if not (self.gate and self.linear_path):
            raise ValueError(
                "gate, linear_path: expected true of particles that point somewhere, seen through "
                f"a radial filter, found {self.gate}, {self.linear_path}"
            )
        return PolarLaw(interaction, order=self.multipole_order, **arguments)

    def _check_inferred(self) -> None:
        """Refuse what bonds cannot be inferred with, or other words for them."""
        if not isinstance(self.bonds, bool):
            check_choice("bonds", self.bonds, ("inferred",))
            is_of_pairs = self.gate and self.linear_path and not self.memory_in_law
            if not is_of_pairs or self.restraints is not None:
                raise ValueError(
                    "bonds: expected memory_in_law=False, a gate, a linear path and no restraints "
                    "with inferred ones, found others"
                )

    def _make_bonded_law(self, interaction: keras.layers.Layer) -> InteractionLaw:
        same = type(interaction).from_config({**interaction.get_config(), "name": "of_bonds"})
        units = self.units if self.memory_in_law else 0
        return InteractionLaw(same, units, self.channels, self.hidden_units, name="bonded")

    @property
    def substeps(self) -> int:
        """Of the integration, as they are now: a phase of a training may have others."""
        return self.cell.substeps

    @property
    def interaction(self) -> keras.layers.Layer:
        """What sums over neighbours."""
        return self.cell.law.interaction

    @property
    def reach(self) -> float:
        return float(getattr(self.interaction, "reach", 0.0))

    @property
    def reads_places(self) -> bool:
        return self.field is not None

    def build(self, input_shape: Shape) -> None:
        check_inputs(input_shape, spatial_dims=self.spatial_dims)
        self.num_features = input_shape[-1]
        self._check_anchors()
        self._check_bonds()
        static, units = len(self._scalars), self.cell.units
        self.cell.build((None, None, self.poses.width), static)
        static = static or 1  # as it is read
        known = NUM_MOMENTS * (1 + self.orientation) + static + units
        self.conditional.build((None, None, known))
        if units:
            self.marginal_lstm.build((None, known + 1))
        self.marginal.build((None, None, known + 1 + units))
        self.disturbance.build((None, None, known + 1))
        self.is_adapted = self._add_constant("is_adapted", "zeros")
        # What a marginal density's scale is measured by, from the first step ahead to the last.
        self.error_by_step = self._add_constant("error_by_step", "ones", (self.target_steps,))
        if self.orientation:
            self._add_turns_by_step()
        self.sigma_factors = self._add_constant("sigma_factors", "ones", (self.target_steps,))
        self.built = True

    @property
    def _scalars(self) -> list[int]:
        """Columns of the static features that the network reads."""
        if self.layout is None:
            return self.static_columns
        return [c for c in self.layout.columns(kind="scalar") if c not in self._bonds]

    @property
    def _learns_springs(self) -> bool:
        return self.restraints is not None and bool(self.restraints.trainable_weights)

    @property
    def _anchors(self) -> list[int]:
        """Columns of the anchors, if there are any."""
        return [] if self.layout is None else self.layout.columns(name=ANCHOR, kind="vector")

    @property
    def _bonds(self) -> list[int]:
        """Columns of the bonds, if there are any."""
        return [] if self.layout is None else self.layout.columns(name=BONDS, kind="scalar")

    def _check_bonds(self) -> None:
        """Refuse features without the bonds that the model is to read."""
        if self.bonds is True and not self._bonds:
            raise ValueError(
                f"bonds: expected {BONDS!r} among the features, found "
                f"{self.layout.in_words() if self.layout else 'none that have names'}"
            )

    def _check_anchors(self) -> None:
        """Refuse features without the anchors that restraints need."""
        if self.restraints is not None and not self._anchors:
            raise ValueError(
                f"restraints: expected a vector {ANCHOR!r} among the features, found "
                f"{self.layout.in_words() if self.layout else 'none that have names'}"
            )

    # === Forecast ===

    def one_step(self, inputs: Inputs) -> Tensor:
        _, parameters = self._warm_up(self._unpack(inputs).with_last_again())
        # Without the first, for which the velocity is taken from what was to be expected.
        return ops.swapaxes(parameters[1:], 0, 1)

    def closed_loop(
        self,
        inputs: Inputs,
        steps: Tensor,
        feedback: str | None = None,
        seed: Tensor = 0,
        filters: ConservationFilters | None = None,
    ) -> tuple[Tensor, Tensor]:
        positions, _, parameters = self._run(
            inputs, steps, feedback or self.feedback, seed, filters
        )
        return ops.swapaxes(positions, 0, 1), ops.swapaxes(parameters, 0, 1)

    def trajectory(self, inputs: Inputs, num_steps: int) -> tuple[Array, Array]:
        """The forecast of the mean, and its velocities, which `rollout` does not tell.

        Args:
            inputs: as for `rollout`, with velocities among the features.
            num_steps: steps ahead.

        Returns:
            Positions and velocities [B, num_steps, N, D], in units of length and of time.

        Raises:
            ValueError: as of `rollout`, or the model was not trained on velocities.
            FloatingPointError: the forecast has become infinite.

        Example:
            >>> positions, velocities = model.trajectory(inputs, 20)
        """
        if self.spacing is None:
            raise ValueError("spacing: expected a model that is given velocities, found another")
        num_steps = check_rollout(num_steps, "mean", None, None, recalibrated=False)
        loop = self._compiled_states
        positions, velocities = roll_out(self, inputs, num_steps, "mean", 0, None, None, loop)
        return positions, velocities / self.spacing

    @cached_property
    def _compiled_states(self) -> Any:
        return compile_loop(self, self._states)

    def _states(
        self, inputs: Inputs, steps: Tensor, feedback: str, seed: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Positions and velocities of each step, [B, T', N, D], in lengths per frame."""
        positions, velocities, _ = self._run(inputs, steps, feedback, seed)
        return ops.swapaxes(positions, 0, 1), ops.swapaxes(velocities, 0, 1)

    def _run(
        self,
        inputs: Inputs,
        steps: Tensor,
        feedback: str,
        seed: Tensor,
        filters: ConservationFilters | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Closed loop: positions, velocities and parameters of each step, [T', B, ...]."""
        given = self._unpack(inputs)
        features, fixed, box = given.features, given.fixed, last_box(given.boxes)
        start, _ = self._warm_up(given)
        is_marginal = feedback != "sample" and "marginal" in self.densities
        correct = None
        if filters is not None:
            frames, mask, _ = self._read(inputs)
            correct = filters.begin(frames, mask, self.spatial_dims)

        def advance(carry: States, step: Tensor) -> States:
            state, marginal_states, _ = carry
            motion, known = self._advance(state, features, fixed, box)
            kick: Tensor = None
            kept: Tensor = None
            shift: Tensor = None
            if feedback == "sample":
                parameters, expected, push, kept = self._disturb(motion, state, known, step)
                following = feed_back(self._distribution, parameters, feedback, seed, step)
                kick = self._kick(motion, expected, following, push)
            else:
                parameters = self._expect(motion, state, known)
                following = feed_back(self._distribution, parameters, feedback, seed, step)
            if is_marginal:  # told beside the trajectory, not fed back
                parameters, marginal_states = self._widen(following, known, marginal_states, step)
            if correct is not None:
                shift, parameters = self._correct(correct, state[0], following, parameters)
            state = self._observe(state, motion, following, features, kick, kept, shift=shift)
            return state, marginal_states, parameters

        shape = ops.shape(given.frames)[1:3]
        carry = (start, self._no_states(shape), self._no_parameters(shape))
        _, kept = run_loop(
            advance, carry, steps, keep=lambda carry: (carry[0][0], carry[0][1], carry[-1])
        )
        return kept

    def _kick(self, motion: Motion, expected: Tensor, following: Tensor, push: Tensor) -> Tensor:
        """By what a draw corrects the velocity, instead of the residual."""
        space, drawn = self.poses, self.poses.difference(following, expected)
        drawn = space.carry(drawn, expected, motion.position)
        return space.difference(expected, motion.position) + push * drawn

    def pair_acceleration(
        self,
        offsets: Positions,
        own_features: Tensor,
        neighbour_features: Tensor,
        frames_at_rest: int = 8,
    ) -> Tensor:
        """The learned law: how a particle is accelerated by one neighbour, and by nobody else.

        Args:
            offsets: from the particle to its neighbour, [M, D], in units of length.
            own_features: features of the particle after its place, [M, F - D]: static ones, and
                where it points, if that is forecast.
            neighbour_features: likewise.
            frames_at_rest: that both remember, no force acting. An LSTM has to have seen some: what
                it remembers at the very first may be far from anything later.

        Returns:
            [M, D], in lengths per frame squared.

        Example:
            >>> model.pair_acceleration([[2.0, 0.0]], [[1.0, 0.5]], [[1.0, -0.5]])  # mass, charge
        """
        offsets = ops.convert_to_tensor(offsets, "float32")
        positions = ops.stack([ops.zeros_like(offsets), offsets], axis=1)  # [M, 2, D]
        features = [ops.convert_to_tensor(f, "float32") for f in (own_features, neighbour_features)]
        features = ops.stack(features, axis=1)
        if self.orientation:
            turning = self._take(features, self.orientation_columns)
            positions = ops.concatenate([positions, turning], axis=-1)
        features = self.cell.standardize(self._read_scalars(features))
        states, rest = self._no_states(ops.shape(positions)[:2]), ops.zeros_like(positions)
        for _ in range(frames_at_rest if self.cell.law.units else 0):  # else, it reads none of that
            states = self.cell.remember(positions, rest, features, rest, rest, states)
        law, scale = self.cell.law, self.cell.acceleration_scale
        pushed = law(positions, *law.read(features, states[0]))
        return scale * pushed[:, 0, : self.spatial_dims]

    def _unpack(self, inputs: Inputs) -> _Given:
        frames, mask, boxes = self._read(inputs)
        positions, features = ops.split(frames, [self.spatial_dims], axis=-1)
        if self.orientation:
            turning = self._take(features, self.orientation_columns)
            positions = ops.concatenate([positions, turning], axis=-1)
        velocities: Tensor = None
        if columns := self.velocity_columns:
            velocities = ops.swapaxes(self._take(features, columns), 0, 1) * self.spacing
        features, anchors, bonds, couplings = features[:, -1], None, None, None
        if self.restraints is not None:
            anchors = self._take(features, self._anchors)
        if self.bonds is True:
            bonds = self._take(features, self._bonds)
        features = self.cell.standardize(self._read_scalars(features))
        positions = ops.swapaxes(positions, 0, 1)
        if self.bonds == "inferred":
            bonds = self._infer_bonds(positions, velocities, features, mask, boxes)
            if self.field is not None:
                couplings = ops.diagonal(bonds, axis1=1, axis2=2)[..., None]
        fixed = _Fixed(mask, anchors, bonds, couplings)
        return _Given(positions, features, fixed, boxes, velocities)

    def infer_bonds(self, inputs: Inputs) -> Array:
        """How strongly pairs are tied to each other, as the given frames tell: [B, N, N].

        On the diagonal, how strongly particles feel an external field, if there is one. Units are
        those that training has chosen, and so are signs.

        Raises:
            ValueError: the model has no bonds that are inferred, or as of `rollout`.

        Example:
            >>> model.infer_bonds(windows.past)[0, 0]  # of the first particle
        """
        if self.bonds != "inferred":
            raise ValueError(f"bonds: expected inferred ones, found {self.bonds}")
        return roll_out(self, inputs, 1, "mean", 0, None, None, self._compiled_bonds)[0]

    @cached_property
    def _compiled_bonds(self) -> Any:
        def infer(inputs: Inputs, *others: Any) -> tuple[Tensor, Tensor]:
            bonds = self._unpack(inputs).fixed.bonds
            return bonds, bonds

        return compile_loop(self, infer)

    def _infer_bonds(
        self, positions: Positions, velocities: Tensor, features: Tensor, mask: Mask, boxes: Tensor
    ) -> Tensor:
        if boxes is not None:
            raise ValueError("box: expected none with bonds that are inferred, found one")
        least = 3 if velocities is None else 2
        if positions.shape[0] is not None and positions.shape[0] < least:
            raise ValueError(
                f"inputs: expected {least} frames or more to infer bonds from, found "
                f"{positions.shape[0]}"
            )
        cell, law = self.cell, self.cell.law

        def times(places: Positions) -> Tensor:
            """How often every system is there."""
            count = ops.shape(features)[0]
            at_least_one = max(count, 1) if isinstance(count, int) else ops.maximum(count, 1)
            return ops.shape(places)[0] // at_least_one

        tables = law.tabulate(*law.read(features, None))

        def pull(places: Positions) -> Tensor:
            masks = None if mask is None else repeat(mask, times(places))
            pulled = ops.stack(law.interaction.of_pairs(places, tables, masks), axis=-1)
            if cell.field is not None:
                field = cell.field(places, table, repeat(response, times(places)))[:, :, None]
                pulled = pulled + ops.eye(ops.shape(field)[1])[..., None] * field
            return cell.acceleration_scale * pulled

        if cell.field is not None:
            table, response = cell.field.read(features)
        bonds = infer_bonds(positions, velocities, pull)
        if mask is None:
            return bonds
        real = ops.cast(mask, "float32")
        return bonds * real[:, :, None] * real[:, None, :]

    def _read_scalars(self, features: Tensor) -> Tensor:
        """What the network reads of all features after the place."""
        is_all = len(self._scalars) == features.shape[-1]
        return features if is_all else self._take(features, self._scalars)

    def _take(self, features: Tensor, columns: list[int]) -> Tensor:
        """Some of the features after the place, by their numbers among all."""
        numbers = [column - self.spatial_dims for column in columns]
        return ops.take(features, np.array(numbers, "int32"), axis=-1)

    def _warm_up(self, given: _Given) -> tuple[States, Tensor]:
        """State after the last frame, and parameters of all frames but the first."""
        frames, features, fixed, boxes, velocities = given
        shape = ops.shape(frames)[1:3]
        is_given = velocities is not None
        motions = self._move_all(given) if is_given and not self.cell.law.units else ()
        velocity = velocities[0] if is_given else self.poses.difference(frames[1], frames[0])
        state = (frames[0], velocity, self._no_states(shape), frames[0] * 0.0)

        def advance(carry: States, step: tuple[Tensor, ...]) -> States:
            (state, _, is_known), (frame, *others) = carry, step
            moving, others = others[:is_given], others[is_given:]
            if motions:
                motion = Motion(*others[: len(motions)])
                known = self._judge(motion, state, features)
            else:
                motion, known = self._advance(state, features, fixed, others[0] if others else None)
            parameters = self._expect(motion, state, known)
            *state, residual = self._observe(state, motion, frame, features, given=moving)
            # The first one is that of a velocity of which nothing was known, not of the law.
            return (*state, residual * is_known), parameters, ops.ones_like(is_known)

        start = (state, self._no_parameters(shape), ops.full((), float(is_given), "float32"))
        seen, *box_by_frame = with_boxes(frames[1:], None if boxes is None else boxes[:, :-1])
        (state, *_), parameters = run_loop(
            advance,
            start,  # a step is made in the box that it starts in
            (seen, *([velocities[1:]] if is_given else []), *motions, *box_by_frame),
            keep=lambda carry: carry[1],
        )
        return state, parameters

    def _move_all(self, given: _Given) -> Motion:
        """The motions from all given frames but the last, [T - 1, B, ...], side by side.

        That is what it comes to where velocities are given and forces depend on no memory.
        """
        frames, features, fixed, boxes, velocities = given
        shape = ops.shape(frames[1:])  # [T - 1, B, N, D]

        def at_every_frame(values: Tensor) -> Tensor:
            """Of every system, [B, ...], as often as there are frames: [(T - 1) B, ...]."""
            return None if values is None else repeat(values, shape[0])

        def flat(values: Tensor) -> Tensor:
            return ops.reshape(values, (-1, *ops.shape(values)[2:]))

        box = None if boxes is None else flat(ops.swapaxes(boxes[:, :-1], 0, 1))
        motion = self._move(
            flat(frames[:-1]),
            flat(velocities[:-1]),
            at_every_frame(features),
            None,
            _Fixed(*map(at_every_frame, fixed)),
            box,
        )
        return Motion(*(ops.reshape(each, (*shape[:2], *ops.shape(each)[1:])) for each in motion))

    def _no_states(self, shape: Shape) -> tuple[Tensor, ...]:
        """h and c before anything was seen; one number each where there is no LSTM."""
        state = ops.zeros((*shape, max(self.cell.units, 1)), "float32")
        return (state, state)

    def _advance(
        self, state: States, features: Tensor, fixed: _Fixed, box: Tensor
    ) -> tuple[Motion, Tensor]:
        """Where the motion leads, and what is known of how far that can be trusted."""
        position, velocity, states, _ = state
        motion = self._move(position, velocity, features, states[0], fixed, box)
        return motion, self._judge(motion, state, features)

    def _move(
        self,
        position: Positions,
        velocity: Tensor,
        features: Tensor,
        hidden: Tensor,
        fixed: _Fixed,
        box: Tensor,
    ) -> Motion:
        """Where the motion leads, from places and velocities [B, N, D]."""
        box = PeriodicBox.for_layers(box)
        surroundings = (fixed.mask, box, fixed.anchors, fixed.bonds, fixed.couplings)
        motion = self.cell.advance(position, velocity, features, hidden, *surroundings)
        laws = (self.cell.law, self.cell.bonded, self.cell.field)
        if not (any(law is not None and law.trainable for law in laws) or self._learns_springs):
            # No gradient is needed, and its way is a long one.
            motion = Motion(*map(ops.stop_gradient, motion))
            if self.training_samples is not None:  # but that of draws
                motion = self._as_given(motion, position, velocity)
        return motion

    def _judge(self, motion: Motion, state: States, features: Tensor) -> Tensor:
        """What is known of how far a motion can be trusted."""
        _, _, states, residual = state
        moments = self.cell.moments(motion, residual)
        hidden = [states[0]] if self.cell.units else []
        return ops.concatenate([moments, features, *hidden], axis=-1)

    def _expect(self, motion: Motion, state: States, known: Tensor) -> Tensor:
        """Parameters of the conditional density."""
        outputs = self.conditional(known)
        return self._around(self._corrected(motion, state, outputs), outputs[..., :-1])

    def _corrected(self, motion: Motion, state: States, outputs: Tensor) -> Tensor:
        """Where the next frame is expected if what was wrong before persists, x + e."""
        position, _, _, residual = state
        residual = self.poses.carry(residual, position, motion.position)
        return self.poses.move(motion.position, ops.tanh(outputs[..., -1:]) * residual)

    def _as_given(self, motion: Motion, position: Positions, velocity: Tensor) -> Motion:
        """A motion without gradient, with that which it has without any force or friction."""
        space = self.poses
        position, velocity = space.drift(position, velocity, 1.0)
        return motion._replace(
            position=motion.position + _zero_with_gradient(position),
            velocity=motion.velocity + _zero_with_gradient(velocity),
        )

    def _disturb(
        self, motion: Motion, state: States, known: Tensor, step: Tensor
    ) -> tuple[Tensor, ...]:
        """Parameters of the density to draw from, where it is, how it moves velocities, and s."""
        known = ops.stop_gradient(known)
        outputs = self.conditional(known)
        expected = self._corrected(motion, state, outputs)
        change = self.disturbance(ops.concatenate([known, _log_ahead(step, known)], axis=-1))
        dy, kappa, sigma = change[..., :-2], change[..., -2:-1], change[..., -1:]
        raw = outputs[..., :-1] + ops.cast(step > 0, "float32") * dy
        return self._around(expected, raw), expected, 2.0 * ops.exp(kappa), ops.tanh(sigma)

    def _around(self, position: Positions, outputs: Tensor) -> Tensor:
        """Parameters of the density around a position, from raw outputs."""
        a: Any = self.cell.acceleration_scales
        nothing: Any = 0.0
        if self.orientation:  # a pair of each
            a, nothing = (a[0], a[1]), (0.0, 0.0)
        correction = a if self.memory_in_law else nothing
        return self._distribution.to_parameters(outputs, position, correction, a)

    def _observe(
        self,
        state: States,
        motion: Motion,
        following: Positions,
        features: Tensor,
        kick: Tensor = None,
        kept: Tensor = None,
        given: Sequence[Tensor] = (),
        shift: Tensor = None,
    ) -> Tensor:
        """The state once the next frame is there, or what stands for it.

        Velocities are corrected by a kick, if there is one, instead of the residual, and the speed
        stays what it was as far as it is kept, s; by default not at all. Or velocities are given.
        A shift, if there is one, moves the frame itself, and the velocity by as much per frame; it
        says nothing of how wrong the motion was.
        """
        before, _, states, _ = state
        space = self.poses
        residual = space.difference(following, motion.position)
        kick = residual if kick is None else kick
        velocity = self.cell.correct(motion.velocity, kick, states[0])
        if kept is not None:
            velocity = self.cell.keep_speed(velocity, motion.velocity, kept)
        velocity, acceleration, residual = (
            space.carry(each, motion.position, following)
            for each in (velocity, motion.acceleration, residual)
        )
        if not self.cell.residual_correction:
            velocity = space.arrival(following, before) + acceleration / 2
        if given:
            (velocity,) = given
        if shift is not None:
            following, velocity = following + shift, velocity + shift
        states = self.cell.remember(following, velocity, features, acceleration, residual, states)
        return following, velocity, states, residual

    def _widen(
        self, following: Positions, known: Tensor, states: States, step: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Marginal parameters around a point of the trajectory, and the states of their LSTM."""
        inputs = ops.concatenate([known, _log_ahead(step, known)], axis=-1)
        inputs = ops.stop_gradient(inputs)
        if self.cell.units:
            flat = [ops.reshape(each, (-1, each.shape[-1])) for each in (inputs, *states)]
            _, flat_states = self.marginal_lstm(flat[0], flat[1:])
            states = tuple(ops.reshape(each, ops.shape(states[0])) for each in flat_states)
            inputs = ops.concatenate([inputs, states[0]], axis=-1)
        scale = self._at_step(self.error_by_step, step)
        if self.orientation:
            scale = (scale, self._at_step(self.turn_by_step, step))
        outputs = self.marginal(inputs)
        return self._distribution.to_parameters(outputs, following, scale, scale), states

    # === Training ===

    def begin_training(
        self, feedback: str, steps: int | None = None, num_samples: int | None = None
    ) -> None:
        super().begin_training(feedback, steps, num_samples)
        for layer in self._marginal_layers:
            layer.trainable = feedback not in ("truth", "sample")
        self.disturbance.trainable = feedback == "sample"

    def end_training(self) -> None:
        super().end_training()
        for layer in self._marginal_layers:
            layer.trainable = True
        self.disturbance.trainable = False

    @property
    def _marginal_layers(self) -> list[keras.layers.Layer]:
        return [self.marginal, *([self.marginal_lstm] if self.cell.units else [])]

    def _densities_after(self, feedback: str, num_samples: int | None) -> tuple[str, ...]:
        if feedback == "sample" and num_samples is None:
            raise ValueError(
                'num_samples: expected begin_training("sample", num_samples=M), since this model '
                "learns from draws by what becomes of them, found none"
            )
        trained = "conditional" if feedback in ("truth", "sample") else "marginal"
        return tuple(sorted({*self.densities, trained}))

    # === Scales ===

    def adapt(self, dataset: Iterable[Any], steps: int | None = None) -> None:
        """Estimate d and a, mean and standard deviation of each static feature, and first errors.

        Those are constant velocity's, by steps ahead, with which marginal densities start. See
        `ForecastModel.adapt`.
        """
        scales = estimate_scales(dataset, self.spatial_dims, steps, self.orientation_columns)
        if not self.built:
            self.build(scales.input_shape)
        found = [scales.displacement, scales.acceleration]
        if scales.turns is not None:
            check_turns(scales.turns)
            found += [scales.turns.displacement, scales.turns.acceleration]
            self.cell.spin_scale.assign(found[2])
            self.cell.spin_change_scale.assign(found[3])
            self.turn_by_step.assign(scales.turns.errors(self.target_steps))
        if 0.0 in found:
            raise ValueError(
                f"adapt: expected particles that move, and not all uniformly, found scales {found}"
            )
        self.cell.displacement_scale.assign(scales.displacement)
        self.cell.acceleration_scale.assign(scales.acceleration)
        read = np.array(self._scalars, int) - self.spatial_dims
        self.cell.feature_mean.assign(scales.feature_mean[read])
        self.cell.feature_scale.assign(scales.feature_scale[read])
        self.error_by_step.assign(scales.errors(self.target_steps))
        self.is_adapted.assign(1.0)

    @property
    def reader_of_scales(self) -> str:
        return "InteractionLSTM"

    def typical_change(self) -> float:
        self.check_adapted()
        return float(self.cell.acceleration_scale)

    def typical_turn(self) -> float:
        self.check_adapted()
        return float(self.cell.spin_change_scale)

    def get_config(self) -> dict[str, Any]:
        return {**arguments_of(InteractionLSTM, self), **super().get_config()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InteractionLSTM:
        layers = ("interaction", "restraints", "field")
        parts = {name: keras.saving.deserialize_keras_object(config.get(name)) for name in layers}
        return super().from_config({**config, **parts})


def _zero_with_gradient(tensor: Tensor) -> Tensor:
    return tensor - ops.stop_gradient(tensor)


def _log_ahead(step: Tensor, like: Tensor) -> Tensor:
    """log(1 + steps ahead) for every particle, [B, N, 1]."""
    return ops.full_like(like[..., :1], ops.log1p(ops.cast(step, "float32")))
