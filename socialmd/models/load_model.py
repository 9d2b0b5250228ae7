"""A trained model, as training leaves it behind -> model and configuration."""

from __future__ import annotations

import os
from pathlib import Path

import keras

from socialmd.config import ExperimentConfig, load_config
from socialmd.models.social_lstm import SocialLSTM

__all__ = ["load_model"]

MODEL_FILE = "model.keras"
CONFIG_FILE = "config.toml"


def load_model(path: str | Path) -> tuple[SocialLSTM, ExperimentConfig]:
    """Load a trained model and the configuration of its experiment.

    Args:
        path: folder with `model.keras` and `config.toml`, as training writes it; or a `.keras`
            file of any name with `config.toml` beside it.

    Returns:
        The model, not compiled, and the configuration.

    Raises:
        FileNotFoundError: the folder or one of the two files is missing.
        ValueError: a file is not what its name says, or holds a model that is no `SocialLSTM`.

    Example:
        >>> model, config = load_model("saved_models/thesis")
        >>> positions, parameters = model.rollout(inputs, num_steps=200)
    """
    path = Path(os.path.abspath(path))
    file = path if path.suffix == ".keras" else path / MODEL_FILE
    for needed in (file.parent, file, file.parent / CONFIG_FILE):
        if not needed.exists():
            raise FileNotFoundError(
                f"{needed}: not found; expected a folder with {MODEL_FILE} and {CONFIG_FILE}, or a "
                f".keras file with {CONFIG_FILE} beside it"
            )
    config = load_config(file.parent / CONFIG_FILE)
    try:
        model = keras.saving.load_model(file, compile=False)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise ValueError(f"{file}: not a model that Keras can load: {error}") from error
    if not isinstance(model, SocialLSTM):
        raise ValueError(f"{file}: expected a SocialLSTM, found a {type(model).__name__}")
    return model, config
