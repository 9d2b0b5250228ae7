"""Several trained models, by name, and what sets them apart."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from socialmd.models import ForecastModel, load
from socialmd.presets import find_model

__all__ = ["compare_windows", "load_models"]


def load_models(paths: Sequence[Path]) -> dict[str, ForecastModel]:
    """Models by the names of their folders, in the order given.

    Where two folders have the same name, all are called by the folder above as well.

    Args:
        paths: folders that training wrote, or `.keras` files.

    Raises:
        FileNotFoundError, ValueError: as `load`; or two models cannot be told apart.
    """
    places = [Path(os.path.abspath(find_model(path))) for path in paths]
    folders = [path.parent if path.suffix == ".keras" else path for path in places]
    # Matplotlib's legends leave out what begins with an underscore.
    names = [folder.name.lstrip("_") or folder.name for folder in folders]
    if len(set(names)) < len(names):
        names = [f"{folder.parent.name}/{folder.name}" for folder in folders]
    models: dict[str, ForecastModel] = {}
    for path, name in zip(paths, names, strict=True):
        if name in models:
            raise ValueError(f"{path}: expected models of different names, found {name!r} twice")
        models[name] = load(path)
    return models


def compare_windows(models: Mapping[str, ForecastModel]) -> list[str]:
    """A sentence for each model that was trained on windows of another kind than the first one."""
    windows = {name: model.experiment.data for name, model in models.items()}
    first = next(iter(windows.values()))
    remarks = []
    for name, own in windows.items():
        differences = [
            f"{key} = {getattr(own, key)}, not {getattr(first, key)}"
            for key in ("subsample", "input_steps", "target_steps")
            if getattr(own, key) != getattr(first, key)
        ]
        if differences:
            remarks.append(f"{name} was trained with {'; '.join(differences)}.")
    return remarks
