"""Strands: damped springs that tie particles to anchors (thesis, future work 5 and figure 35)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from socialmd.registration import arguments_of, register
from socialmd.types import Positions, Shape, Tensor

__all__ = ["Restraints"]

TINY = 1e-12  # square of a length: the root of none has a slope then


@register
class Restraints(keras.layers.Layer):
    """Damped springs between particles and their anchors, known or learned.

        a = -k (|d| - l) d / |d|,    d = x - anchor,    and velocities decay as exp(-gamma t)

    If they are learned, k, l and gamma are what is given times the exponential of a linear function
    of static features, zero before training: each kind of particle may have its own. None becomes
    negative, and what is zero stays so.

    Args:
        stiffness: k, acceleration by stretch, in 1/frame**2; per unit of mass.
        rest_length: l, distance from the anchor at which there is no force, in units of length.
        damping: gamma, in 1/frame.
        learned: whether training changes them.

    Call arguments:
        features: standardized static ones, [B, N, F].

    Returns:
        k, l and gamma of all particles, [B, N, 3].

    Raises:
        ValueError: a number is negative or not finite.

    Example:
        >>> strands = Restraints(stiffness=0.5, rest_length=2.0)
        >>> strands.pull(np.array([[[3.0, 0.0]]], "float32"), strands(np.ones((1, 1, 2))))
        array([[[-0.5, 0. ]]], dtype=float32)
    """

    def __init__(
        self,
        stiffness: float,
        rest_length: float = 0.0,
        damping: float = 0.0,
        learned: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        given = {"stiffness": stiffness, "rest_length": rest_length, "damping": damping}
        for name, value in given.items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name}: expected a finite number of 0 or more, found {value}")
        self.stiffness = stiffness
        self.rest_length = rest_length
        self.damping = damping
        self.learned = learned
        if learned:
            self.logarithms = keras.layers.Dense(
                3, kernel_initializer="zeros", dtype="float32", name="logarithms"
            )

    def build(self, features_shape: Shape) -> None:
        if self.learned:
            self.logarithms.build(features_shape)
        self.built = True

    def call(self, features: Tensor) -> Tensor:
        given = ops.convert_to_tensor([self.stiffness, self.rest_length, self.damping], "float32")
        springs = ops.broadcast_to(given, (*ops.shape(features)[:-1], 3))
        return springs * ops.exp(self.logarithms(features)) if self.learned else springs

    @staticmethod
    def pull(offsets: Positions, springs: Tensor) -> Tensor:
        """Accelerations of particles at offsets x - anchor, [B, N, D]."""
        stiffness, rest_length = springs[..., :1], springs[..., 1:2]
        lengths = ops.sqrt(ops.sum(ops.square(offsets), axis=-1, keepdims=True) + TINY)
        return -stiffness * (1.0 - rest_length / lengths) * offsets

    @staticmethod
    def decay(time: float, springs: Tensor) -> Tensor:
        """What becomes of velocities within a time, in frames: factors [B, N, 1]."""
        return ops.exp(-time * springs[..., 2:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(Restraints, self)}
