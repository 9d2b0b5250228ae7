"""Forecasts corrected by the factors that `ForecastModel.recalibrate` has found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from keras import ops
from numpy.typing import NDArray

from socialmd.models.fit_spread_factors import spread_about_mean

if TYPE_CHECKING:
    from socialmd.models.forecast_model import ForecastModel
from socialmd.types import Tensor

__all__ = ["check_spread_factors", "scale_sigma", "scale_spread"]


def scale_sigma(model: ForecastModel, parameters: Tensor) -> NDArray[np.float32]:
    """Parameters as `rollout(..., recalibrated=True)` gives them.

    Args:
        model: whose they are.
        parameters: [B, steps, N, P], from `model(inputs)` or `rollout`.

    Returns:
        Likewise, each step's standard deviations multiplied by its factor.
    """
    parameters = ops.convert_to_tensor(parameters)
    if model.predicts_sigma:
        steps = np.minimum(np.arange(parameters.shape[1]), model.target_steps - 1)
        factors = ops.convert_to_numpy(model.sigma_factors)[steps, None, None]  # [steps, 1, 1]
        parameters = model._distribution.scale_sigma(parameters, factors)
    return ops.convert_to_numpy(parameters)


def scale_spread(model: ForecastModel, futures: Tensor) -> NDArray[np.float32]:
    """Futures as `rollout(..., num_samples=S, recalibrated=True)` gives them.

    Args:
        model: whose they are.
        futures: positions, [S, B, steps, N, D], from `rollout`.

    Returns:
        Likewise, each step's distances from the mean of the S multiplied by its factor.

    Raises:
        ValueError: there are no factors.
    """
    factors = check_spread_factors(model)
    futures = ops.convert_to_numpy(futures)
    steps = np.minimum(np.arange(futures.shape[2]), len(factors) - 1)
    return spread_about_mean(futures, factors[steps]).astype(np.float32)


def check_spread_factors(model: ForecastModel) -> NDArray[np.float32]:
    """The factors of a model's futures.

    Raises:
        ValueError: there are none.
    """
    if model.spread_factors is None:
        raise ValueError(
            "recalibrated: expected a model whose futures have been recalibrated, found none; "
            "call `model.recalibrate(validation)` on one that holds conditional densities"
        )
    return model.spread_factors
