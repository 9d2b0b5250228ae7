"""Trained models and forecasts in one call: `load`, and `socialmd.forecast`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from socialmd.models.forecast_model import ForecastModel
from socialmd.models.trained_model import MODEL_FILE
from socialmd.presets import find_model
from socialmd.types import Inputs

__all__ = ["Forecast", "forecast", "load"]

MODELS_AT_ONCE = 4  # that stay loaded, and whose forecasts stay compiled


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


class Forecast(NamedTuple):
    """What `forecast` returns; of one trajectory, without B.

    Args:
        positions: [B, num_steps, N, D], in units of length.
        sigma: predicted standard deviation per coordinate, [B, num_steps, N], in units of length.
        parameters: of the predicted distributions, [B, num_steps, N, P]; `model.distribution` reads
            them.
        samples: futures that may come about, [S, B, num_steps, N, D], if they were asked for.
        orientations: unit vectors [B, num_steps, N, D], if the model says which way particles
            point; samples are then poses, [S, B, num_steps, N, 2 D].
    """

    positions: NDArray[np.float32]
    sigma: NDArray[np.float32]
    parameters: NDArray[np.float32]
    samples: NDArray[np.float32] | None
    orientations: NDArray[np.float32] | None = None


def forecast(
    past: Inputs,
    model: str | Path | ForecastModel = "interaction",
    num_steps: int | None = None,
    num_samples: int | None = None,
    seed: int | None = None,
) -> Forecast:
    """Forecast where particles will be; `model.rollout` is the same with more to choose from.

    Densities are recalibrated, and so are futures, where the model has the factors for it.

    Args:
        past: T frames of N particles, with the F features and the time between two frames that the
            model was trained on: one trajectory [T, N, F], or a batch, [B, T, N, F] or with a mask,
            as for `model(inputs)`.
        model: a trained one, or its name, folder or file, as for `load`. A process loads it once,
            and again when its file has changed.
        num_steps: steps ahead; as many as in training if none is given.
        num_samples: S, futures to draw for each past; none if it is not given.
        seed: integer that makes futures repeatable; drawn if none is given.

    Returns:
        Positions, how uncertain they are, and futures.

    Raises:
        FileNotFoundError: there is no such model.
        ValueError: the past is of another shape or not finite, or an argument is impossible.
        FloatingPointError: the forecast has become infinite.

    Warns:
        UserWarning: futures are asked for, and the model's densities are marginal.

    Example:
        >>> frames = np.load("data/monopoles/test/simulation_00120.npy")  # [1000, 25, 4]
        >>> forecast = socialmd.forecast(frames[:100:20], model="interaction", num_steps=30)
        >>> forecast.positions.shape, forecast.sigma.shape
        ((30, 25, 2), (30, 25))
    """
    if not isinstance(model, ForecastModel):
        path = find_model(model).absolute()
        model = _load_once(path, _last_change(path))
    is_single = not isinstance(past, Mapping) and np.ndim(past) == 3
    inputs = np.asarray(past)[None] if is_single else past
    positions, parameters = model.rollout(
        inputs, num_steps, model.point_feedback, recalibrated=True
    )
    samples = None
    if num_samples is not None:
        can_move = num_samples > 1 and model.spread_factors is not None
        samples, _ = model.rollout(inputs, num_steps, "sample", seed, num_samples, can_move)
    sigma = model.sigma(parameters)
    if is_single:
        positions, sigma, parameters = positions[0], sigma[0], parameters[0]
        samples = None if samples is None else samples[:, 0]
    positions, turned = np.split(positions, [model.spatial_dims], axis=-1)
    orientations = turned if model.orientation else None
    return Forecast(positions, sigma, parameters, samples, orientations)


@lru_cache(maxsize=MODELS_AT_ONCE)
def _load_once(path: Path, last_change: int) -> ForecastModel:
    return load(path)


def _last_change(path: Path) -> int:
    """Of a model's file, in nanoseconds; 0 if there is none, which `load` complains about."""
    file = path / MODEL_FILE if path.is_dir() else path
    return file.stat().st_mtime_ns if file.is_file() else 0
