"""A trained model with conservation filters, wherever a trained model goes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from socialmd.models.conservation_filters import ConservationFilters
from socialmd.models.forecast_model import ForecastModel
from socialmd.types import Inputs

__all__ = ["FilteredModel"]


class FilteredModel:
    """What a model forecasts with filters; in all else it is that model.

    Args:
        model: a trained one.
        filters: of all its rollouts.

    Raises:
        ValueError: the filters make no sense with the model.

    Example:
        >>> filtered = FilteredModel(model, ConservationFilters.of("momentum", layout))
        >>> positions, parameters = filtered.rollout(inputs, num_steps=200)
    """

    def __init__(self, model: ForecastModel, filters: ConservationFilters) -> None:
        ConservationFilters.for_model(filters, model)
        self.model = model
        self.filters = filters

    def rollout(
        self,
        inputs: Inputs,
        num_steps: int | None = None,
        feedback: str | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As `ForecastModel.rollout`, whose `filters` are these."""
        options["filters"] = self.filters
        return self.model.rollout(inputs, num_steps, feedback, seed, **options)

    def trajectory(self, inputs: Inputs, num_steps: int) -> None:
        """Refuse: velocities are told without filters only.

        Raises:
            ValueError: always.
        """
        raise ValueError("filters: expected none of a trajectory with velocities, found some")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)
