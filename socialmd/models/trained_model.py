"""Trained models on disk, as training leaves them behind: found by folder, file or name."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import keras

from socialmd.config import load_config
from socialmd.models.forecast_model import ForecastModel

__all__ = ["CONFIG_FILE", "MODEL_FILE", "load"]

MODEL_FILE = "model.keras"
CONFIG_FILE = "config.toml"
SAVED_MODELS = Path(__file__).parents[2] / "saved_models"


def load(name_or_path: str | Path) -> ForecastModel:
    """Load a trained model; `model.experiment` is the configuration of its experiment.

    Args:
        name_or_path: folder with `model.keras` and `config.toml`, as training writes it; a
            `.keras` file of any name with `config.toml` beside it; or the name of a model that
            comes with the repository, in `saved_models/`.

    Returns:
        The model, not compiled.

    Raises:
        FileNotFoundError: the folder or one of the two files is missing, or nothing has this name.
        ValueError: a file is not what its name says, or holds a model of another package.

    Example:
        >>> model = socialmd.models.load("acceleration")
        >>> positions, parameters = model.rollout(inputs, num_steps=200)
    """
    path = _find(Path(name_or_path))
    file = path if path.suffix == ".keras" else path / MODEL_FILE
    for needed in (file.parent, file, file.parent / CONFIG_FILE):
        if not needed.exists():
            raise FileNotFoundError(
                f"{needed}: not found; expected a folder with {MODEL_FILE} and {CONFIG_FILE}, or a "
                f".keras file with {CONFIG_FILE} beside it"
            )
    if not zipfile.is_zipfile(file):
        raise ValueError(
            f"{file}: expected a model of Keras, found a damaged file, or none of that kind; if it "
            "was copied or downloaded, it is cut short"
        )
    config = load_config(file.parent / CONFIG_FILE)
    try:
        model = keras.saving.load_model(file, compile=False)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise ValueError(f"{file}: not a model that Keras can load: {error}") from error
    if not isinstance(model, ForecastModel):
        raise ValueError(
            f"{file}: expected a model of this package, found a {type(model).__name__}"
        )
    model.experiment = config
    return model


def _find(path: Path) -> Path:
    """A path as it is, or the folder of a model that comes with the repository."""
    names = sorted(config.parent.name for config in SAVED_MODELS.glob(f"*/{CONFIG_FILE}"))
    if path.exists() or len(path.parts) != 1 or path.suffix:
        return Path(os.path.abspath(path))
    if path.name not in names:
        raise FileNotFoundError(
            f"{path}: expected a path or the name of a model in {SAVED_MODELS.name}/ "
            f"({', '.join(names) or 'which is not here: it comes with the repository'}), "
            "found neither"
        )
    return SAVED_MODELS / path.name
