"""Several trained models, by name, and what sets them apart."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from socialmd.config import ExperimentConfig
from socialmd.models import ForecastModel, load_model

__all__ = ["compare_windows", "load_models"]


def load_models(
    paths: Sequence[Path],
) -> tuple[dict[str, ForecastModel], dict[str, ExperimentConfig]]:
    """Models and configurations by the names of their folders.

    Where two folders have the same name, all are called by the folder above as well.

    Args:
        paths: folders that training wrote, or `.keras` files.

    Returns:
        Both, in the order given.

    Raises:
        FileNotFoundError, ValueError: as `load_model`; or two models cannot be told apart.
    """
    folders = [
        Path(os.path.abspath(path.parent if path.suffix == ".keras" else path)) for path in paths
    ]
    # Matplotlib's legends leave out what begins with an underscore.
    names = [folder.name.lstrip("_") or folder.name for folder in folders]
    if len(set(names)) < len(names):
        names = [f"{folder.parent.name}/{folder.name}" for folder in folders]
    models, configs = {}, {}
    for path, name in zip(paths, names, strict=True):
        if name in models:
            raise ValueError(f"{path}: expected models of different names, found {name!r} twice")
        models[name], configs[name] = load_model(path)
    return models, configs


def compare_windows(configs: Mapping[str, ExperimentConfig]) -> list[str]:
    """Remarks on models that were trained on windows of another kind than the first one's.

    Args:
        configs: by name; the first one says how trajectories become windows.

    Returns:
        A sentence for each such model.
    """
    first, *others = configs
    remarks = []
    for name in others:
        of_first, own = configs[first].data, configs[name].data
        differences = [
            f"{key} = {getattr(own, key)}, not {getattr(of_first, key)}"
            for key in ("subsample", "input_steps", "target_steps")
            if getattr(own, key) != getattr(of_first, key)
        ]
        if differences:
            remarks.append(f"{name} was trained with {'; '.join(differences)}.")
    return remarks
