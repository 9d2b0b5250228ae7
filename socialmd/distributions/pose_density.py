"""Density of positions and directions together: the product of one of each."""

from __future__ import annotations

from typing import Any

from keras import ops

from socialmd.distributions.direction_density import DirectionDensity
from socialmd.distributions.random_numbers import fold_in
from socialmd.types import Shape, Tensor

__all__ = ["PoseDensity"]


class PoseDensity:
    """What the package uses of a distribution, of poses [..., 2 D].

    Args:
        position: density of positions, batch shape [...], event shape [D].
        direction: density of directions, likewise.

    Example:
        >>> density = Pose("student_t").from_parameters(parameters)
        >>> density.log_prob(poses), density.direction.log_prob(poses[..., 2:])  # [...] each
    """

    def __init__(self, position: Any, direction: DirectionDensity) -> None:
        self.position = position
        self.direction = direction

    @property
    def batch_shape(self) -> Shape:
        """[...], of one pose's densities."""
        return self.direction.batch_shape

    @property
    def event_shape(self) -> Shape:
        """[2 D]."""
        return (2 * self.direction.event_shape[0],)

    def log_prob(self, pose: Tensor) -> Tensor:
        """log p, [..., 2 D] -> [...]."""
        position, direction = ops.split(ops.cast(pose, "float32"), 2, axis=-1)
        return self.position.log_prob(position) + self.direction.log_prob(direction)

    def prob(self, pose: Tensor) -> Tensor:
        """p, [..., 2 D] -> [...]."""
        return ops.exp(self.log_prob(pose))

    def mean(self) -> Tensor:
        """Mean position and mean direction, [..., 2 D]."""
        return ops.concatenate([self.position.mean(), self.direction.mean()], axis=-1)

    def variance(self) -> Tensor:
        """Of each coordinate of the position, [..., D]."""
        return self.position.variance()

    def sample(self, sample_shape: int | tuple[int, ...] = (), seed: Tensor = None) -> Tensor:
        """Independent poses, [*sample_shape, ..., 2 D]; seeds are made by `stateless_seed`."""
        position = self.position.sample(sample_shape, seed=seed)
        direction = self.direction.sample(sample_shape, seed=fold_in(seed, 7))
        return ops.concatenate([position, direction], axis=-1)

    @property
    def reparameterization_type(self) -> str:
        """Whether gradients flow through draws to all parameters, in the words of TFP."""
        parts = {str(each.reparameterization_type) for each in (self.position, self.direction)}
        is_full = all("FULLY" in part for part in parts)
        return "FULLY_REPARAMETERIZED" if is_full else "NOT_REPARAMETERIZED"
