"""A linear map plus an MLP."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from socialmd.registration import arguments_of, register
from socialmd.static_shapes import by_rows
from socialmd.types import Shape, Tensor

__all__ = ["FeedForward"]


@register
class FeedForward(keras.layers.Layer):
    """y = A x + b + B tanh(C x + c): linear where that is enough, and only at the start.

    Args:
        width: of y.
        hidden_units: of the MLP.
        initial_outputs: of y before training, [width], for small x; the linear path's bias.
        num_ignored: of the last components of x, which y does not depend on before training; all of
            them if none is given.
        hidden_layers: of the MLP; with more than one, tanh(C x + c) is put through others like it.

    Call arguments:
        inputs: x, [..., X].

    Returns:
        y, [..., width].

    Example:
        >>> FeedForward(8, hidden_units=32)(np.zeros((1, 3, 2))).shape
        TensorShape([1, 3, 8])
    """

    def __init__(
        self,
        width: int,
        hidden_units: int,
        initial_outputs: Sequence[float] | None = None,
        num_ignored: int | None = 0,
        hidden_layers: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        self.width = width
        self.hidden_units = hidden_units
        self.initial_outputs = initial_outputs
        self.num_ignored = num_ignored
        self.hidden_layers = hidden_layers
        bias: Any = "zeros"
        if initial_outputs is not None:
            bias = keras.initializers.Constant(initial_outputs)
        dense = partial(keras.layers.Dense, dtype=self.dtype_policy)
        self.linear = dense(
            width, kernel_initializer=self._initial_kernel, bias_initializer=bias, name="linear"
        )
        self.hidden = [
            dense(hidden_units, activation="tanh", name=f"hidden_{number}")
            for number in range(hidden_layers)
        ]
        self.output_layer = dense(width, use_bias=False, kernel_initializer="zeros", name="output")

    def build(self, inputs_shape: Shape) -> None:
        self.linear.build(inputs_shape)
        hidden_shape = (*inputs_shape[:-1], self.hidden_units)
        for number, layer in enumerate(self.hidden):
            layer.build(hidden_shape if number else inputs_shape)
        self.output_layer.build(hidden_shape)

    def _initial_kernel(self, shape: Shape, dtype: Any = None) -> Tensor:
        ignored = shape[0] if self.num_ignored is None else self.num_ignored
        if ignored == shape[0]:
            return ops.zeros(shape, dtype)
        known = shape[0] - ignored
        kernel = keras.initializers.GlorotUniform()((known, shape[1]), dtype)
        return ops.concatenate([kernel, ops.zeros((ignored, shape[1]), dtype)], axis=0)

    def call(self, inputs: Tensor) -> Tensor:
        return by_rows(self._of_rows, inputs)

    def _of_rows(self, inputs: Tensor) -> Tensor:
        hidden = inputs
        for layer in self.hidden:
            hidden = layer(hidden)
        return self.linear(inputs) + self.output_layer(hidden)

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        return (*inputs_shape[:-1], self.width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(FeedForward, self)}
