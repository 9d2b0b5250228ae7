"""One frame of interacting particles: forces between them, integrated, and what each remembers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

from socialmd.layers.external_field import ExternalField
from socialmd.layers.interaction_law import InteractionLaw
from socialmd.layers.polar_law import PolarLaw
from socialmd.layers.restraints import Restraints
from socialmd.loops import repeat_body
from socialmd.periodic_box import PeriodicBox
from socialmd.pose_space import PoseSpace
from socialmd.registration import arguments_of, register
from socialmd.static_shapes import by_rows
from socialmd.types import Mask, Positions, Shape, Tensor

__all__ = ["InteractionCell", "Motion"]

# Below this part of their scale, speeds, accelerations and residuals look alike to the network.
SMALLEST = 1e-3
TINY = 1e-30  # square of an acceleration: the root of none has a slope then
REST = 1e-12  # square of a speed in units of d: a particle at rest can be divided by its own
NUM_MOMENTS = 7


class Motion(NamedTuple):
    """Where one frame of the integration leads, [B, N, D] each, in units of length and frames.

    Of particles that point somewhere, [B, N, 2 D], the second half of each for how they turn (see
    `PoseSpace`).

    Args:
        position: at its end.
        velocity: likewise.
        acceleration: likewise.
        start: acceleration at its beginning.
        peak: largest square of the acceleration in it, [B, N, 1], or [B, N, 2].
        variation: how much acceleration changed, substep by substep, in all, likewise.
    """

    position: Positions
    velocity: Tensor
    acceleration: Tensor
    start: Tensor
    peak: Tensor
    variation: Tensor


@register
class InteractionCell(keras.layers.Layer):
    """One frame of N particles whose interaction is learned.

    Velocities decay, are integrated with the forces of `law` (see `InteractionLaw`) by velocity
    Verlet in n substeps of dt = 1 / n of a frame, and are corrected by what comes then, x', from
    where it was expected; in closed loop x' is the forecast itself. With a, the scale of
    accelerations:

        w *= r(h)                                                                  `advance`
        n times:  w += a A(x) dt / 2;   x += w dt;   w += a A(x) dt / 2
        w += g(h) (x' - x)                                                         `correct`
        h, c = LSTM([w, f, A, x' - x], h, c)                                       `remember`

    With a `bonded` law, pairs that are tied to each other feel that as well, K of each multiplied
    by how much they are; given bonds without such a law, they weigh A. With a `field`, what is not
    among the particles acts on them as well, on each as far as it is coupled to it, if that is
    given. With `restraints` and anchors, known springs add to a A(x), and w decays within each
    substep (see `Restraints`).

    With a law of forces and torques, x stands for positions and unit vectors, w for velocities and
    spins, and a for the scales of both: + moves a unit vector along a great circle, and a
    difference is the arc from one to the other (see `PoseSpace`).

    Before training, r and g, between 0 and 2, are one: exact inertia, and a velocity that passes
    through both frames. Learned, they let the model describe friction, overdamped motion and noisy
    positions.

    Args:
        law: forces, and torques, from places and from what particles are and remember.
        units: H, LSTM units; 0 leaves the LSTM out, and everything that is read from h.
        substeps: n.
        restraints: springs that tie particles to anchors; none if not given.
        wall: distance from the origin, along every axis, of walls that reflect particles; none if
            not given.
        bonded: law of pairs that are tied to each other; none if not given.
        field: external one; none if not given.
        acceleration_limit: largest component of a particle's acceleration, in lengths per frame
            squared, where a simulator cuts forces off; none if not given.
        residual_correction: whether what comes corrects the velocity; otherwise the velocity is
            the last displacement and half of the acceleration.

    Raises:
        ValueError: a size is impossible, springs would damp velocities that are taken from
            displacements, or there are springs for particles that point somewhere.

    References:
        Velocity Verlet: W. C. Swope et al., J. Chem. Phys. 76, 637 (1982). Of unit vectors: A.
        Dullweber, B. Leimkuhler and R. McLachlan, J. Chem. Phys. 107, 5840 (1997).
    """

    def __init__(
        self,
        law: InteractionLaw | PolarLaw,
        units: int = 32,
        substeps: int = 4,
        residual_correction: bool = True,
        restraints: Restraints | None = None,
        bonded: InteractionLaw | None = None,
        wall: float | None = None,
        field: ExternalField | None = None,
        acceleration_limit: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        if substeps < 1:
            raise ValueError(f"substeps: expected a positive integer, found {substeps}")
        if units < 0:
            raise ValueError(f"units: expected a positive integer or 0, found {units}")
        if restraints is not None and restraints.damping and not residual_correction:
            raise ValueError(
                "residual_correction: expected it with springs that damp, found false, which takes "
                "velocities from displacements, half as much damped"
            )
        if restraints is not None and law.is_polar:
            raise ValueError("restraints: expected none of particles that turn, found some")
        others = {"wall": wall, "acceleration_limit": acceleration_limit}
        for name, given in {"bonded": bonded, "field": field, **others}.items():
            if given is not None and law.is_polar:
                raise ValueError(f"{name}: expected none of particles that turn, found one")
        for name, number in others.items():
            if number is not None and not number > 0:
                raise ValueError(f"{name}: expected a positive number, found {number}")
        if law.units not in (0, units):
            raise ValueError(f"units: expected the {law.units} that the law reads, found {units}")
        self.law = law
        self.units = units
        self.substeps = substeps
        self.residual_correction = residual_correction
        self.restraints = restraints
        self.bonded = bonded
        self.wall = wall
        self.field = field
        self.acceleration_limit = acceleration_limit
        if units:
            self.lstm = keras.layers.LSTMCell(units, dtype="float32", name="lstm")
        if law.units:
            self.inertia = keras.layers.Dense(
                2, kernel_initializer="zeros", dtype="float32", name="inertia"
            )

    def build(self, positions_shape: Shape, num_features: int) -> None:
        """Make the weights, for positions or poses, and `num_features` static features."""
        is_polar, width = self.law.is_polar, positions_shape[-1]
        self.space = PoseSpace(width // 2 if is_polar else width, is_polar)
        num_read = num_features or 1  # see `standardize`
        self.law.build(positions_shape, num_read)
        if self.bonded is not None:
            self.bonded.build(positions_shape, num_read)
        if self.field is not None and not self.field.built:
            self.field.build(positions_shape, num_read)
        if self.restraints is not None and not self.restraints.built:  # as it is when it was saved
            self.restraints.build((None, None, num_read))
        if self.units:
            seen = 3 * width + is_polar * self.space.spatial_dims
            self.lstm.build((None, seen + num_read))
        if self.law.units:
            self.inertia.build((None, None, self.units))
        self.feature_mean = self._add_constant("feature_mean", "zeros", (num_features,))
        self.feature_scale = self._add_constant("feature_scale", "ones", (num_features,))
        self.displacement_scale = self._add_constant("displacement_scale", "ones")
        self.acceleration_scale = self._add_constant("acceleration_scale", "ones")
        if is_polar:
            self.spin_scale = self._add_constant("spin_scale", "ones")
            self.spin_change_scale = self._add_constant("spin_change_scale", "ones")
        self.built = True

    def _add_constant(self, name: str, initializer: str, shape: Shape = ()) -> Tensor:
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, trainable=False, dtype="float32"
        )

    @property
    def velocity_scales(self) -> Tensor:
        """d; of poses, that of displacements and that of turns, [2]."""
        return self._pair("displacement_scale", "spin_scale")

    @property
    def acceleration_scales(self) -> Tensor:
        """a; of poses, those of their changes, [2]."""
        return self._pair("acceleration_scale", "spin_change_scale")

    def _pair(self, *names: str) -> Tensor:
        if not self.law.is_polar:
            return getattr(self, names[0])
        return ops.concatenate([ops.reshape(getattr(self, name), (1,)) for name in names])

    def standardize(self, features: Tensor) -> Tensor:
        """Static features [B, N, F - D] as the network reads them: mean zero, variance one.

        Those that do not vary are ones, and where there are none at all there is one that does not:
        a product of what particles emit and how they respond could not grow from zero.
        """
        if not features.shape[-1]:
            return ops.ones((*ops.shape(features)[:-1], 1), "float32")
        return (features - self.feature_mean) / self.feature_scale

    # === A frame ===

    def advance(
        self,
        position: Positions,
        velocity: Tensor,
        features: Tensor,
        hidden: Tensor,
        mask: Mask = None,
        box: PeriodicBox | None = None,
        anchors: Positions = None,
        bonds: Tensor = None,
        couplings: Tensor = None,
    ) -> Motion:
        """Integrate one frame, from positions and velocities [B, N, D], in lengths per frame.

        Or from poses and their velocities, [B, N, 2 D].
        Features [B, N, F - D] are standardized, and hidden is h, [B, N, H]. Anchors [B, N, D] are
        those of the restraints, if there are any, bonds [B, N, N] those of the bonded law, or of
        the law, and couplings [B, N, 1] those to the field, one if not given.
        """
        bonded, field = self.bonded, self.field
        known = position, features, hidden, mask, box
        pull = _law_of_frame(self.law, *known, bonds if bonded is None else None)
        of_bonds = None if bonded is None else _law_of_frame(bonded, *known, bonds)
        of_field = () if field is None else field.read(features)
        step, ties, space = 1.0 / self.substeps, self.restraints, self.space
        scale, limit = space.spread(self.acceleration_scales), self.acceleration_limit
        springs = None if ties is None else ties(features)

        def accelerate(position: Positions) -> Tensor:
            pushed = pull(position)
            if of_bonds is not None:
                pushed = pushed + of_bonds(position)
            if field is not None:
                felt = field(position, *of_field)
                pushed = pushed + (felt if couplings is None else couplings * felt)
            pushed = scale * pushed
            if limit is not None:
                pushed = ops.clip(pushed, -limit, limit)
            if ties is None:
                return space.project(pushed, position)
            offsets = position - anchors
            if box is not None:
                offsets = box.displacement(offsets)
            return pushed + ties.pull(offsets, springs)

        def slow_down(velocity: Tensor) -> Tensor:
            return velocity if ties is None else velocity * ties.decay(step / 2, springs)

        def substep(motion: Motion) -> Motion:
            position, velocity, before, start, peak, variation = motion
            velocity = slow_down(velocity) + before * (step / 2)
            position, velocity = space.drift(position, velocity, step)
            if self.wall is not None:
                position, velocity = _reflect(position, velocity, self.wall)
            acceleration = accelerate(position)
            velocity = slow_down(velocity + acceleration * (step / 2))
            peak = ops.maximum(peak, space.squares(acceleration))
            variation = variation + ops.sqrt(TINY + space.squares(acceleration - before))
            return Motion(position, velocity, acceleration, start, peak, variation)

        if self.law.units:
            velocity = velocity * 2 * ops.sigmoid(by_rows(self.inertia, hidden)[..., :1])
        start = accelerate(position)
        peak = space.squares(start)
        motion = Motion(position, velocity, start, start, peak, ops.zeros_like(peak))
        # As a loop: a graph of all substeps in a row takes minutes to build.
        return repeat_body(self.substeps, substep, motion)

    def correct(self, velocity: Tensor, residual: Tensor, hidden: Tensor) -> Tensor:
        """The velocity that a residual x' - x makes likely, [B, N, D] each."""
        if not self.residual_correction:
            return velocity
        if not self.law.units:
            return velocity + residual
        return velocity + residual * 2 * ops.sigmoid(by_rows(self.inertia, hidden)[..., 1:])

    def keep_speed(self, velocity: Tensor, before: Tensor, kept: Tensor) -> Tensor:
        """w' (1 - s + s |w| / |w'|) of velocities w' and w, [B, N, D], and s, [B, N, 1]."""
        scale = self.space.spread(self.velocity_scales)
        speeds = [ops.sqrt(self.space.squares(each / scale) + REST) for each in (before, velocity)]
        return velocity * self.space.spread(1.0 - kept + kept * speeds[0] / speeds[1])

    def remember(
        self,
        position: Positions,
        velocity: Tensor,
        features: Tensor,
        acceleration: Tensor,
        residual: Tensor,
        states: Tensor,
    ) -> Tensor:
        """h and c, [B, N, H], after what came; all arguments as above."""
        if not self.units:
            return states
        space = self.space
        a = space.spread(self.acceleration_scales)
        seen = [
            velocity / space.spread(self.velocity_scales),
            features,
            _compress(acceleration / a),
            _compress(residual / a),
            *([position[..., space.spatial_dims :]] if space.has_orientation else []),
        ]
        shape = ops.shape(velocity)[:2]
        flat = [ops.reshape(part, (-1, part.shape[-1])) for part in (*seen, *states)]
        _, states = self.lstm(ops.concatenate(flat[:-2], axis=-1), flat[-2:])
        return tuple(ops.reshape(state, (*shape, self.units)) for state in states)

    def moments(self, motion: Motion, residual: Tensor) -> Tensor:
        """How violent a frame is, by which its uncertainty is told: [B, N, 7], of poses 14.

        Logarithms of speed, of acceleration at both ends, of its net change, peak and variation,
        and of the last residual; in units of d and a.
        """
        space, scales = self.space, self.acceleration_scales
        a = space.spread(scales)
        vectors = [
            motion.velocity / space.spread(self.velocity_scales),
            motion.start / a,
            motion.acceleration / a,
            (motion.acceleration - motion.start) / a,
            residual / a,
        ]
        squares = [
            *map(space.squares, vectors),
            motion.peak / scales**2,
            ops.square(motion.variation / scales),
        ]
        # No gradient: a density must not become likelier by making the motion calmer.
        squares = ops.stop_gradient(ops.concatenate(squares, axis=-1))
        return ops.log(SMALLEST**2 + squares) / 2

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(InteractionCell, self)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InteractionCell:
        layers = ("law", "restraints", "bonded", "field")
        parts = {name: keras.saving.deserialize_keras_object(config.get(name)) for name in layers}
        return cls(**{**config, **parts})


def _law_of_frame(
    law: InteractionLaw | PolarLaw,
    start: Positions,
    features: Tensor,
    hidden: Tensor,
    mask: Mask,
    box: PeriodicBox | None,
    bonds: Tensor,
) -> Callable[[Positions], Tensor]:
    """Forces as functions of places, all else being the same during one frame."""
    read = law.read(features, hidden)
    if law.is_polar:
        return lambda position: law(position, *read, mask, box)
    if bonds is None and not law.can_tabulate(read[0]):
        return law.near(start, *read, mask, box)
    tables = law.tabulate(*read, bonds)
    return lambda position: law(position, *read, mask, box, tables)


def _compress(vector: Tensor) -> Tensor:
    """Close encounters' accelerations, a hundred times typical, as numbers that a tanh can tell."""
    return ops.arcsinh(vector)


def _reflect(position: Positions, velocity: Tensor, wall: float) -> tuple[Positions, Tensor]:
    """Back by as much as a particle is beyond a wall, its velocity turned round."""
    beyond = ops.abs(position) > wall
    back = 2 * wall * ops.sign(position) - position
    return ops.where(beyond, back, position), ops.where(beyond, -velocity, velocity)
