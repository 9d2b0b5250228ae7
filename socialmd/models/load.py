"""Loading of trained models of any class."""

from __future__ import annotations

from pathlib import Path

from socialmd.models.forecast_model import ForecastModel

__all__ = ["load"]


def load(name_or_path: str | Path) -> ForecastModel:
    """Load a trained model; `model.experiment` is the configuration of its experiment.

    Args:
        name_or_path: name of a model that comes with the package; a folder with `model.keras` and
            `config.toml`, as training and `save_to_preset` write it; or a `.keras` file of any name
            with `config.toml` beside it.

    Returns:
        The model, not compiled.

    Raises:
        FileNotFoundError: the folder or one of the two files is missing, or nothing has this name.
        ValueError: a file is not what its name says, or holds a model of another package.

    Example:
        >>> model = socialmd.models.load("acceleration")
        >>> positions, parameters = model.rollout(inputs, num_steps=200)
    """
    return ForecastModel.from_preset(name_or_path)
