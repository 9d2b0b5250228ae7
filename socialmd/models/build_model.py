"""Configuration -> model."""

from __future__ import annotations

import inspect
from typing import Any

from socialmd.config import ExperimentConfig
from socialmd.layers import ExternalField, NeighbourFilter, Restraints
from socialmd.models.forecast_model import ForecastModel
from socialmd.models.interaction_lstm import InteractionLSTM
from socialmd.models.sequence_lstm import SequenceLSTM
from socialmd.models.social_lstm import SocialLSTM

__all__ = ["build_model"]

MODELS: dict[str, type[ForecastModel]] = {
    "social_lstm": SocialLSTM,
    "sequence_lstm": SequenceLSTM,
    "interaction_lstm": InteractionLSTM,
}


def build_model(config: ExperimentConfig, spatial_dims: int = 2) -> ForecastModel:
    """The model that `[model]` describes.

    It forecasts as many steps as `[data]` asks for, in the precision that `[training]` does.

    Args:
        config: the experiment.
        spatial_dims: D of the data.

    Returns:
        A `SocialLSTM`, `SequenceLSTM` or `InteractionLSTM`, by `kind`; not compiled.

    Raises:
        ValueError: there are neither two nor three dimensions.

    Example:
        >>> model = build_model(socialmd.load_config("thesis"))
        >>> model(np.zeros((1, 5, 25, 4))).shape
        TensorShape([1, 30, 25, 5])
        >>> sum(math.prod(weight.shape) for weight in model.trainable_weights)
        140768
    """
    kind, arguments = config.model.kind, config.model.model_dump(exclude={"kind"})
    if kind == "interaction_lstm":
        arguments["interaction"] = _neighbour_filter(arguments)
        if (given := arguments["restraints"]) is not None:
            arguments["restraints"] = Restraints(**given, name="restraints")
        if (given := arguments["field"]) is not None:
            arguments["field"] = ExternalField(**given, name="field")
    model = MODELS[kind](
        target_steps=config.data.target_steps,
        spatial_dims=spatial_dims,
        dtype=config.training.precision,
        **arguments,
    )
    model.experiment = config
    return model


def _neighbour_filter(arguments: dict[str, Any]) -> NeighbourFilter:
    """The filter that `[model]` describes, whose keys are taken out of it."""
    names = inspect.signature(NeighbourFilter.__init__).parameters.keys() & arguments.keys()
    return NeighbourFilter(**{name: arguments.pop(name) for name in names}, name="interaction")
