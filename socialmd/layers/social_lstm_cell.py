"""One time step of every particle's LSTM."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from socialmd.check_choice import check_choice
from socialmd.layers.grid import default_cells
from socialmd.layers.stacked_pooling_conv import StackedPoolingConv
from socialmd.registration import arguments_of, register
from socialmd.static_shapes import by_rows
from socialmd.types import Mask, Positions, Shape, Tensor

__all__ = ["SocialLSTMCell"]

DOWNSAMPLING = ("stride", "max", "average")
# Keras' layers for images, by their rank.
CONVOLUTIONS = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}
POOLS = {
    ("max", 2): keras.layers.MaxPooling2D,
    ("max", 3): keras.layers.MaxPooling3D,
    ("average", 2): keras.layers.AveragePooling2D,
    ("average", 3): keras.layers.AveragePooling3D,
}


@register
class SocialLSTMCell(keras.layers.Layer):
    """LSTM step of N particles that see each other through stacked state pooling.

    All particles share the weights. In the symbols of the thesis (section 4.4; FC is linear):

        alpha = x W_a                                   input embedding                (47)
        beta  = h W_b                                   state embedding                (48)
        g     = CNN(pool(positions, beta))              equations (7)-(9), figure 8
        gamma = relu(g W_g)                             pooling embedding              (49)
        h, c  = LSTM([alpha, gamma], h, c)              equations (1)-(6)
        y     = [h, alpha] W_o                          output layer

    The thesis prints the total of 140 768 weights but neither the number of LSTM units, the biases,
    the way from G to 4 cells nor what the output layer reads. Those above are a reconstruction that
    gives exactly this number.

    Without any grid there is no beta, g or gamma: the LSTM reads alpha alone, and particles do not
    see each other.

    Args:
        units: H, LSTM units.
        output_dim: P, width of the output layer.
        embedding_dim: E, width of the three embeddings.
        grid_sizes: side lengths w_1..w_S, in units of length; empty for no pooling.
        grid_cells: G, cells along a side; 32 in the plane and 16 in space if none are given.
        distance_filter: whether to cut each grid to its inscribed circle.
        filters: kernels of each convolution; each layer halves the grid.
        kernel_size: cells along a side of each filter.
        downsampling: how: `"stride"` (strided convolutions), `"max"` or `"average"` (pooling).
        spatial_dims: D, 2 or 3.

    Call arguments:
        inputs: [B, N, F], what each particle's own input is.
        positions: [B, N, D], in units of length.
        states: h and c, each [B, N, H].
        mask: optional bool [B, N], false for padded particles.
        box: optional box vectors [B, D, D]; a neighbour is then its nearest image.

    Returns:
        Output y [B, N, P] and the new h and c.

    Raises:
        ValueError: a size is not positive, or `downsampling` is none of the above.

    Example:
        >>> cell = SocialLSTMCell(units=8, output_dim=5, grid_sizes=(11.0,))
        >>> state = keras.ops.zeros((1, 3, 8))
        >>> outputs, states = cell(np.ones((1, 3, 4)), np.ones((1, 3, 2)), (state, state))
        >>> outputs.shape
        TensorShape([1, 3, 5])
    """

    def __init__(
        self,
        units: int,
        output_dim: int,
        grid_sizes: Sequence[float],
        embedding_dim: int = 32,
        grid_cells: int | None = None,
        distance_filter: bool = True,
        filters: Sequence[int] = (16, 16, 32),
        kernel_size: int = 4,
        downsampling: str = "stride",
        spatial_dims: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        check_choice("downsampling", downsampling, DOWNSAMPLING)
        widths = {"units": units, "output_dim": output_dim, "embedding_dim": embedding_dim}
        for name, value in widths.items():
            if value < 1:
                raise ValueError(f"{name}: expected a positive integer, found {value}")
        if not filters or min(filters) < 1:
            raise ValueError(f"filters: expected positive integers, found {filters}")
        self.units = units
        self.output_dim = output_dim
        self.grid_sizes = tuple(grid_sizes)
        self.embedding_dim = embedding_dim
        self.grid_cells = default_cells(spatial_dims) if grid_cells is None else grid_cells
        self.distance_filter = distance_filter
        self.filters = tuple(filters)
        self.kernel_size = kernel_size
        self.downsampling = downsampling
        self.spatial_dims = spatial_dims

        # === Layers ===
        self.input_embedding = self._dense(embedding_dim, "input_embedding")
        if self.grid_sizes:
            self._add_pooling()
        self.lstm = keras.layers.LSTMCell(units, dtype=self.dtype_policy, name="lstm")
        self.output_layer = self._dense(output_dim, "output_layer")

    def _dense(self, width: int, name: str, activation: str | None = None) -> keras.layers.Dense:
        return keras.layers.Dense(
            width, activation=activation, use_bias=False, dtype=self.dtype_policy, name=name
        )

    def _add_pooling(self) -> None:
        strides = 2 if self.downsampling == "stride" else 1
        image = {"data_format": "channels_last", "padding": "same", "dtype": self.dtype_policy}
        self.state_embedding = self._dense(self.embedding_dim, "state_embedding")
        self.pooling = StackedPoolingConv(
            self.spatial_dims,
            self.filters[0],
            self.kernel_size,
            self.grid_sizes,
            strides,
            self.grid_cells,
            self.distance_filter,
            activation="relu",
            dtype=self.dtype_policy,
            name="stacked_pooling_conv",
        )
        self.convolutions = [
            CONVOLUTIONS[self.spatial_dims](
                width,
                self.kernel_size,
                strides,
                activation="relu",
                name=f"convolution_{number}",
                **image,
            )
            for number, width in enumerate(self.filters[1:], start=2)
        ]
        self.downsample = (
            keras.layers.Identity(dtype=self.dtype_policy, name="downsample")
            if self.downsampling == "stride"
            else POOLS[self.downsampling, self.spatial_dims](2, name="downsample", **image)
        )
        self.pooling_embedding = self._dense(self.embedding_dim, "pooling_embedding", "relu")

    def build(self, inputs_shape: Shape, positions_shape: Shape, states_shape: Shape) -> None:
        particles = inputs_shape[:-1]
        self.input_embedding.build(inputs_shape)
        if self.grid_sizes:
            self._build_pooling(particles, positions_shape)
        self.lstm.build((None, self.embedding_dim * (2 if self.grid_sizes else 1)))
        self.output_layer.build((*particles, self.units + self.embedding_dim))
        self.built = True

    def _build_pooling(self, particles: Shape, positions_shape: Shape) -> None:
        self.state_embedding.build((*particles, self.units))
        self.pooling.build(positions_shape, (*particles, self.embedding_dim))
        image = (None, *self.pooling.compute_output_shape(positions_shape, (1, 1, 1))[2:])
        image = self.downsample.compute_output_shape(image)
        for convolution in self.convolutions:
            convolution.build(image)
            image = self.downsample.compute_output_shape(convolution.compute_output_shape(image))
        self.pooling_embedding.build((None, math.prod(image[1:])))

    def call(
        self,
        inputs: Tensor,
        positions: Positions,
        states: Tensor,
        mask: Mask = None,
        box: Any = None,
    ) -> Tensor:
        shape = ops.shape(inputs)[:2]
        alpha = by_rows(self.input_embedding, ops.cast(inputs, self.compute_dtype))  # [B, N, E]
        joined = self._flatten(alpha)
        if self.grid_sizes:
            gamma = self._pool(positions, states[0], mask, box)  # [B * N, E]
            joined = ops.concatenate([joined, gamma], axis=-1)
        _, states = self.lstm(joined, [self._flatten(state) for state in states])
        states = tuple(ops.reshape(state, (*shape, self.units)) for state in states)
        return by_rows(self.output_layer, ops.concatenate([states[0], alpha], axis=-1)), states

    def _pool(self, positions: Positions, hidden: Tensor, mask: Mask, box: Any) -> Tensor:
        image = self.pooling(positions, by_rows(self.state_embedding, hidden), mask, box)
        image = ops.reshape(image, (-1, *image.shape[2:]))  # [B * N, G', G', C]
        image = self.downsample(image)
        for convolution in self.convolutions:
            image = self.downsample(convolution(image))
        return self.pooling_embedding(ops.reshape(image, (-1, math.prod(image.shape[1:]))))

    @staticmethod
    def _flatten(tensor: Tensor) -> Tensor:
        return ops.reshape(tensor, (-1, tensor.shape[-1]))  # [B, N, H] -> [B * N, H]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(SocialLSTMCell, self)}
