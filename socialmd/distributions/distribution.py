"""The base of all distributions: what models, losses and metrics ask of one."""

from __future__ import annotations

import abc
from typing import Any, Self

from keras import ops

from socialmd.distributions.backend import gaussians
from socialmd.types import Positions, Tensor

__all__ = ["Distribution", "turn"]


class Distribution(abc.ABC):
    """Between a network's outputs and densities of positions.

    Parameters are numbers along the last axis, so that a density is a tensor like any other. An
    object of your own class goes wherever a name does. To be saved with a model, the class has to
    be registered with `keras.saving.register_keras_serializable`, and to override `get_config` if
    its constructor takes arguments.

    Example:
        >>> @keras.saving.register_keras_serializable("mine")
        ... class UnitGaussian(Distribution):
        ...     def parameter_size(self, num_components=5, spatial_dims=2):
        ...         return spatial_dims
        ...     def to_parameters(self, outputs, origin, mean_scale, sigma_scale):
        ...         return origin + mean_scale * outputs
        ...     def mean(self, parameters):
        ...         return parameters
        ...     def scale_sigma(self, parameters, factor):
        ...         return parameters
        ...     def components(self, parameters):
        ...         factor = ops.broadcast_to(ops.eye(2), (*ops.shape(parameters)[:-1], 1, 2, 2))
        ...         return ops.zeros_like(parameters[..., :1]), parameters[..., None, :], factor
        >>> model = InteractionLSTM(distribution=UnitGaussian())
    """

    @abc.abstractmethod
    def parameter_size(self, num_components: int = 5, spatial_dims: int = 2) -> int:
        """P, parameters per particle and step; K plays a part for mixtures alone, D not for all."""

    def initial_outputs(self, num_components: int = 5, spatial_dims: int = 2) -> list[float]:
        """Raw outputs that a network should begin with, as many as it has: P zeros."""
        return [0.0] * self.parameter_size(num_components, spatial_dims)

    @abc.abstractmethod
    def to_parameters(
        self, outputs: Tensor, origin: Positions, mean_scale: Tensor, sigma_scale: Tensor
    ) -> Tensor:
        """Apply the output activations, in units of the data.

        Args:
            outputs: raw outputs of a network, [..., P].
            origin: position that means are relative to, [..., D] or a number.
            mean_scale: length that one unit of raw mean stands for.
            sigma_scale: length that one unit of raw width, made positive, stands for.

        Returns:
            Parameters, [..., P].
        """

    @abc.abstractmethod
    def mean(self, parameters: Tensor) -> Positions:
        """Mean position, [..., P] -> [..., D]."""

    def most_likely_mean(self, parameters: Tensor) -> Positions:
        """Mean of the component of largest weight, [..., P] -> [..., D]; there may be only one."""
        return self.mean(parameters)

    @abc.abstractmethod
    def scale_sigma(self, parameters: Tensor, factor: Tensor) -> Tensor:
        """Parameters [..., P] with all widths multiplied by `factor`, [..., 1] or a number."""

    def move(self, parameters: Tensor, shift: Positions, rotation: Tensor = None) -> Tensor:
        """Parameters [..., P] of the density of Q x + shift, if x has the density of these.

        Conservation filters ask for it, and nothing else.

        Args:
            parameters: [..., P].
            shift: [..., D], or a number.
            rotation: Q, orthogonal matrices [..., D, D]; nothing is turned if none are given.

        Raises:
            ValueError: the density of what is moved is none of this kind, or how to move it is not
                known.
        """
        raise ValueError(
            "distribution: expected one that knows how it moves, by a method `move`, found "
            f"{type(self).__name__}"
        )

    @abc.abstractmethod
    def components(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The density as a mixture of C Gaussians, in float32.

        Args:
            parameters: [..., P].

        Returns:
            Logarithms of the weights [..., C], means [..., C, D] and Cholesky factors of the
            covariances [..., C, D, D].
        """

    def from_parameters(self, parameters: Tensor) -> Any:
        """The density, that of its components unless a class knows better.

        Args:
            parameters: [..., P], cast to float32: bfloat16 would round positions to a hundredth.

        Returns:
            A `tfp.distributions.Distribution`, or a `MixtureDensity` on JAX: batch shape [...],
            event shape [D].
        """
        return gaussians(*self.components(parameters))

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


def turn(vectors: Positions, rotation: Tensor = None) -> Positions:
    """Vectors [..., D] turned by matrices [..., D, D]; left as they are by none."""
    if rotation is None:
        return vectors
    return ops.sum(rotation * vectors[..., None, :], axis=-1)
