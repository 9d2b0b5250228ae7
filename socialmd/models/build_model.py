"""Configuration -> model."""

from __future__ import annotations

from socialmd.config import ExperimentConfig
from socialmd.models.social_lstm import SocialLSTM

__all__ = ["build_model"]


def build_model(config: ExperimentConfig) -> SocialLSTM:
    """The model that `[model]` describes.

    It forecasts as many steps as `[data]` asks for, in the precision that `[training]` does.

    Args:
        config: the experiment.

    Returns:
        A `SocialLSTM`, not compiled.

    Example:
        >>> model = build_model(socialmd.load_config("models/thesis.toml"))
        >>> model(np.zeros((1, 5, 25, 4))).shape
        TensorShape([1, 30, 25, 5])
        >>> sum(math.prod(weight.shape) for weight in model.trainable_weights)
        140768
    """
    return SocialLSTM(
        target_steps=config.data.target_steps,
        dtype=config.training.precision,
        **config.model.model_dump(),
    )
