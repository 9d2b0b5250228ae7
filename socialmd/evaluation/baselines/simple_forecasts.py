"""The forecasts that a trained model has to beat, all together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socialmd.evaluation.baselines.linear_autoregression import LinearAutoregression
from socialmd.evaluation.baselines.plain_baselines import constant_position, constant_velocity

__all__ = ["SIMPLE_FORECASTS", "simple_forecasts"]

SIMPLE_FORECASTS = ("constant position", "constant velocity", "linear autoregression")


def simple_forecasts(
    inputs: ArrayLike,
    num_steps: int,
    spatial_dims: int = 2,
    training_split: Iterable[Any] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Forecast by every simple means.

    Args:
        inputs: [B, T, N, F].
        num_steps: steps ahead.
        spatial_dims: D, how many of the features are coordinates.
        training_split: batches of inputs and targets of `num_steps` steps, which linear
            autoregression is fitted to; it is left out without.

    Returns:
        Positions [B, num_steps, N, D] by names of `SIMPLE_FORECASTS`.

    Raises:
        ValueError: arrays are of another shape or not finite.

    Example:
        >>> train = make_dataset("data/monopoles/train", config.data, batch_size=256)
        >>> simple_forecasts(inputs, 30, training_split=train)["linear autoregression"].shape
        (32, 30, 25, 2)
    """
    forecasts = {
        "constant position": constant_position(inputs, num_steps, spatial_dims),
        "constant velocity": constant_velocity(inputs, num_steps, spatial_dims),
    }
    if training_split is not None:
        autoregression = LinearAutoregression(num_steps, spatial_dims)
        autoregression.fit(training_split)
        forecasts["linear autoregression"] = autoregression.forecast(inputs, num_steps)
    return forecasts
