"""Facts of the data that a baseline forecasts, as far as it may know them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from socialmd.data import DatasetDescription

__all__ = ["KnownData"]


class KnownData(NamedTuple):
    """Facts of a data set, as far as there are any.

    Args:
        num_steps: T', steps ahead that will be asked for.
        spatial_dims: D, how many of the features are coordinates.
        training_split: batches of inputs [B, T, N, F] and targets [B, T', N, D], to fit to.
        description: of the data set; names the law of motion, say.
        spacing: time from one step to the next.
    """

    num_steps: int
    spatial_dims: int = 2
    training_split: Iterable[Any] | None = None
    description: DatasetDescription | None = None
    spacing: float = 1.0
