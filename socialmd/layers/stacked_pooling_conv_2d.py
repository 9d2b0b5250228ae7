"""Stacked state pooling and convolution in the plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from socialmd.layers.stacked_pooling_conv import StackedPoolingConv
from socialmd.registration import register

__all__ = ["StackedPoolingConv2D"]


@register
class StackedPoolingConv2D(StackedPoolingConv):
    """`StackedPoolingConv` of rank 2, as `Conv2D` is a convolution of rank 2.

    Example:
        >>> layer = StackedPoolingConv2D(16, kernel_size=4, strides=2, grid_sizes=(11.0, 5.5))
        >>> layer(np.random.rand(1, 3, 2), np.random.rand(1, 3, 4)).shape
        TensorShape([1, 3, 16, 16, 16])
    """

    def __init__(
        self, filters: int, kernel_size: int, grid_sizes: Sequence[float], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(2, filters, kernel_size, grid_sizes, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["rank"]
        return config
