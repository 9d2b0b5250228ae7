"""Where particles are and which way they point: how poses move, differ and are carried along."""

from __future__ import annotations

from typing import NamedTuple

from keras import ops

from socialmd.types import Tensor

__all__ = ["PoseSpace"]

TINY = 1e-24  # square of an angle: the root of none has a slope then


class PoseSpace(NamedTuple):
    """Positions [..., D] alone, or poses [..., 2 D]: a position and a unit vector u each.

    Velocities are as wide: displacements, and rates of u at right angles to it (spins, as of
    `Rotors`). Positions make a flat space. Of unit vectors, on the circle or sphere, everything
    goes along great circles, of angle t = |s|:

        move          u cos t + s sin t / t                                 the exponential map
        difference    the s, at u, that leads to another vector             its inverse
        carry         a spin at u as one at another vector                  parallel transport
        arrival       a difference, carried along its own way

    Args:
        spatial_dims: D, 2 or 3.
        has_orientation: whether there are unit vectors.

    Example:
        >>> space = PoseSpace(2, has_orientation=True)
        >>> quarter = np.array([0.0, 0.0, 0.0, np.pi / 2])  # of a turn
        >>> space.move(np.array([5.0, 5.0, 1.0, 0.0]), quarter).numpy().round(6)
        array([5., 5., 0., 1.])
    """

    spatial_dims: int
    has_orientation: bool = False

    @property
    def width(self) -> int:
        """Numbers of a pose, D or 2 D."""
        return self.spatial_dims * (1 + self.has_orientation)

    def move(self, pose: Tensor, velocity: Tensor) -> Tensor:
        """Where a velocity leads in one unit of time."""
        if not self.has_orientation:
            return pose + velocity
        (x, u), (v, s) = self._split(pose), self._split(velocity)
        cosine, sine_over_angle = _turn(s)
        turned = u * cosine + s * sine_over_angle
        # Lengths would drift by rounding; those of padded particles are zero.
        return ops.concatenate([x + v, turned / ops.sqrt(_dot(turned, turned) + TINY)], axis=-1)

    def drift(self, pose: Tensor, velocity: Tensor, time: float) -> tuple[Tensor, Tensor]:
        """Pose and velocity after free motion for a time."""
        if not self.has_orientation:
            return pose + velocity * time, velocity
        moved = self.move(pose, velocity * time)
        (_, u), (v, s) = self._split(pose), self._split(velocity)
        cosine, sine_over_angle = _turn(s * time)
        return moved, ops.concatenate([v, s * cosine - u * _dot(s, s) * time * sine_over_angle], -1)

    def difference(self, pose: Tensor, origin: Tensor) -> Tensor:
        """The velocity, at `origin`, that leads to a pose in one unit of time."""
        if not self.has_orientation:
            return pose - origin
        (x, u), (start, before) = self._split(pose), self._split(origin)
        across = u - before * _dot(u, before)
        sine = ops.sqrt(_dot(across, across) + TINY)
        angle = ops.arctan2(sine, _dot(u, before))
        return ops.concatenate([x - start, across * (angle / sine)], axis=-1)

    def arrival(self, pose: Tensor, origin: Tensor) -> Tensor:
        """The same as it is at the pose: with which what came from `origin` goes on."""
        return self.carry(self.difference(pose, origin), origin, pose)

    def carry(self, velocity: Tensor, origin: Tensor, pose: Tensor) -> Tensor:
        """What a velocity at `origin` is at a pose; opposite vectors have no way between them."""
        if not self.has_orientation:
            return velocity
        (v, s), (_, before), (_, u) = map(self._split, (velocity, origin, pose))
        share = _dot(s, u) / ops.maximum(1 + _dot(before, u), 1e-6)
        return ops.concatenate([v, s - share * (before + u)], axis=-1)

    def project(self, vectors: Tensor, pose: Tensor) -> Tensor:
        """The part of forces and torques that can move a pose: at right angles to u."""
        if not self.has_orientation:
            return vectors
        (force, torque), (_, u) = self._split(vectors), self._split(pose)
        return ops.concatenate([force, torque - u * _dot(torque, u)], axis=-1)

    def squares(self, vectors: Tensor) -> Tensor:
        """Squared lengths: of displacements, and of spins, [..., 1] or [..., 2]."""
        parts = self._split(vectors) if self.has_orientation else [vectors]
        squares = [_dot(part, part) for part in parts]
        return ops.concatenate(squares, axis=-1) if self.has_orientation else squares[0]

    def spread(self, numbers: Tensor) -> Tensor:
        """One number for each part, [..., 1] or [..., 2], as factors of velocities."""
        return ops.repeat(numbers, self.spatial_dims, axis=-1) if self.has_orientation else numbers

    def _split(self, pose: Tensor) -> list[Tensor]:
        return ops.split(pose, 2, axis=-1)


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return ops.sum(first * second, axis=-1, keepdims=True)


def _turn(spin: Tensor) -> tuple[Tensor, Tensor]:
    """cos t and sin t / t of the angle t = |s|."""
    angle = ops.sqrt(_dot(spin, spin) + TINY)
    return ops.cos(angle), ops.sin(angle) / angle
