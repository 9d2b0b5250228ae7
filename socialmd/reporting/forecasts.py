"""Trained models and simple forecasts on the same windows: everything a report is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np

from socialmd.config import DataConfig
from socialmd.data import DatasetDescription, Windows, make_dataset, read_windows
from socialmd.data.dataset_description import read_description
from socialmd.evaluation import (
    Baseline,
    Forecaster,
    KnownData,
    baseline_names,
    make_baselines,
)
from socialmd.models import ConservationFilters, FilteredModel, ForecastModel
from socialmd.simulation import law_of
from socialmd.types import Array

__all__ = ["Forecasts", "forecast_windows"]


class Forecasts(NamedTuple):
    """Every forecast of W windows by its name, trained models first.

    Args:
        windows: what was forecast.
        description: of the data set.
        spacing: time from one step to the next.
        models: the trained models.
        baselines: what stands beside them.
        positions: what each forecast says, [W, T', N, D]; models feed back what they were trained
            to, except for samples, whose place the mean takes.
        parameters: of the models' distributions, [W, T', N, P].
        left_out: forecasts that were not possible, with the reason.
        orientations: unit vectors [W, T', N, D], of those that say which way particles point.
        filtered: of models with conservation filters, the name of the same without.
    """

    windows: Windows
    description: DatasetDescription
    spacing: float
    models: dict[str, ForecastModel]
    baselines: dict[str, Baseline]
    positions: dict[str, Array]
    parameters: dict[str, Array]
    left_out: dict[str, str]
    orientations: Mapping[str, Array] = MappingProxyType({})
    filtered: Mapping[str, str] = MappingProxyType({})

    @property
    def spatial_dims(self) -> int:
        """D, 2 or 3."""
        return int(self.windows.truth.shape[-1])

    def of_particles(self) -> Forecasts:
        """The same without padded particles (see `Windows.of_particles`)."""
        windows = self.windows
        kinds = ("positions", "orientations", "parameters")
        real: dict[str, Any] = {
            kind: {name: windows.real(each) for name, each in getattr(self, kind).items()}
            for kind in kinds
        }
        return self._replace(windows=windows.of_particles(), **real)

    def in_window(self, array: Array, window: int) -> Array:
        """One window of an array [W, steps, N, ...], without padded particles."""
        mask = self.windows.mask
        return array[window] if mask is None else array[window][:, mask[window]]


def forecast_windows(
    models: Mapping[str, ForecastModel],
    config: DataConfig,
    data: str | Path,
    split: str = "test",
    max_windows: int | None = None,
    filters: Sequence[str] = (),
) -> Forecasts:
    """Forecast the windows of one split with trained models and with all baselines.

    Args:
        models: by name.
        config: how trajectories become windows.
        data, split: folder of the data set, and a folder in it.
        max_windows: at most so many windows, evenly spread over the split; all if none is given.
        filters: conservation filters, or several as in `"momentum+energy"`, with each of which all
            models forecast once more, under the names `"<model>, <filters>"`.

    Raises:
        FileNotFoundError: the data set or the split is missing.
        ValueError: the data are not such as a model was made for, a model has the name of a
            baseline or of the truth, or filters make no sense with the data or with a model.
        FloatingPointError: a model's forecast has become infinite.

    Example:
        >>> model = load("acceleration")
        >>> windows = model.experiment.data
        >>> forecasts = forecast_windows({"acceleration": model}, windows, "data/monopoles")
    """
    data = Path(data)
    description = read_description(data)
    if taken := {"truth", *baseline_names()} & models.keys():
        raise ValueError(f"models: expected names that are not taken, found {taken.pop()!r}")
    for name, model in models.items():
        model.check_layout(description.layout, data, name)
    windows = read_windows(data, split, config, max_windows)
    known = KnownData(
        num_steps=config.target_steps,
        spatial_dims=description.spatial_dims,
        training_split=_training_split(data, description, config),
        description=description,
        spacing=description.frame_spacing * config.subsample,
    )
    baselines, left_out = make_baselines(known)
    with_filters, filtered = _filter(models, filters, description, known.spacing)
    forecasters: dict[str, Forecaster] = {**with_filters, **baselines}
    rollouts = {
        name: each.rollout(windows.past, known.num_steps, each.point_feedback, 0, progress=name)
        for name, each in forecasters.items()
    }
    predicted = {name: each for name, (_, each) in rollouts.items() if each is not None}
    # Of particles that point somewhere, poses: place and orientation side by side.
    dims = description.spatial_dims
    halves = {name: np.split(poses, [dims], axis=-1) for name, (poses, _) in rollouts.items()}
    return Forecasts(
        windows=windows,
        description=description,
        spacing=known.spacing,
        models=with_filters,
        baselines=baselines,
        positions={name: places for name, (places, _) in halves.items()},
        orientations={name: turned for name, (_, turned) in halves.items() if turned.size},
        parameters=predicted,
        left_out=left_out,
        filtered=filtered,
    )


def _filter(
    models: Mapping[str, ForecastModel],
    filters: Sequence[str],
    description: DatasetDescription,
    spacing: float,
) -> tuple[dict[str, ForecastModel], dict[str, str]]:
    """Models, each before the same with filters, and of the latter the name of the same without."""
    of_data = (description.layout, law_of(description, is_given=False), spacing)
    chosen = {names: ConservationFilters.of(names, *of_data) for names in filters}
    found: dict[str, ForecastModel] = {}
    filtered: dict[str, str] = {}
    for name, model in models.items():
        found[name] = model
        for names, each in chosen.items():
            label = f"{name}, {names}"
            found[label] = cast(ForecastModel, FilteredModel(model, each))
            filtered[label] = name
    return found, filtered


def _training_split(
    data: Path, description: DatasetDescription, config: DataConfig
) -> Iterable[Any] | None:
    """Batches of inputs and targets that are not rotated, if there is such a split."""
    if not description.files_of("train"):
        return None
    return make_dataset(data / "train", config.without_rotations, batch_size=256)
