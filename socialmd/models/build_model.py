"""Configuration -> model."""

from __future__ import annotations

from socialmd.config import ExperimentConfig
from socialmd.models.forecast_model import ForecastModel
from socialmd.models.sequence_lstm import SequenceLSTM
from socialmd.models.social_lstm import SocialLSTM

__all__ = ["build_model"]


MODELS: dict[str, type[ForecastModel]] = {
    "social_lstm": SocialLSTM,
    "sequence_lstm": SequenceLSTM,
}


def build_model(config: ExperimentConfig, spatial_dims: int = 2) -> ForecastModel:
    """The model that `[model]` describes.

    It forecasts as many steps as `[data]` asks for, in the precision that `[training]` does.

    Args:
        config: the experiment.
        spatial_dims: D of the data.

    Returns:
        A `SocialLSTM` or, for `kind = "sequence_lstm"`, a `SequenceLSTM`; not compiled.

    Raises:
        ValueError: the model does not exist in so many dimensions.

    Example:
        >>> model = build_model(socialmd.load_config("models/thesis.toml"))
        >>> model(np.zeros((1, 5, 25, 4))).shape
        TensorShape([1, 30, 25, 5])
        >>> sum(math.prod(weight.shape) for weight in model.trainable_weights)
        140768
    """
    kind, arguments = config.model.kind, config.model.model_dump(exclude={"kind"})
    if kind == "sequence_lstm":
        arguments["spatial_dims"] = spatial_dims
    elif spatial_dims != 2:
        raise ValueError(
            f"model.kind: expected sequence_lstm for {spatial_dims} dimensions, found {kind}"
        )
    return MODELS[kind](
        target_steps=config.data.target_steps, dtype=config.training.precision, **arguments
    )
