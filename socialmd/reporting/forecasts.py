"""Trained models and simple forecasts on the same windows: everything a report is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from socialmd.config import DataConfig
from socialmd.data import DatasetDescription, Windows, make_dataset, read_windows
from socialmd.data.dataset_description import read_description
from socialmd.evaluation import known_law
from socialmd.evaluation.baselines.simple_forecasts import SIMPLE_FORECASTS, simple_forecasts
from socialmd.models import ForecastModel
from socialmd.simulation import FEATURES_OF_LAW, law_of

__all__ = [
    "BASELINES",
    "Forecasts",
    "check_features",
    "forecast_windows",
    "training_split",
]

# Those that a model has to beat, and one that knows what it has to learn.
BASELINES = (*SIMPLE_FORECASTS, "known law")


class Forecasts(NamedTuple):
    """Every forecast of W windows by its name, trained models first.

    Args:
        windows: what was forecast.
        description: of the data set.
        spacing: time from one step to the next.
        models: the trained models.
        positions: what each forecast says, [W, T', N, 2]; models feed back what they were trained
            to, except for samples, whose place the mean takes.
        parameters: of the models' distributions, [W, T', N, P].
        left_out: forecasts that were not possible, with the reason.
    """

    windows: Windows
    description: DatasetDescription
    spacing: float
    models: dict[str, ForecastModel]
    positions: dict[str, NDArray[Any]]
    parameters: dict[str, NDArray[Any]]
    left_out: dict[str, str]

    def of_particles(self) -> Forecasts:
        """The same without padded particles (see `Windows.of_particles`)."""
        windows = self.windows
        return self._replace(
            windows=windows.of_particles(),
            positions={name: windows.real(each) for name, each in self.positions.items()},
            parameters={name: windows.real(each) for name, each in self.parameters.items()},
        )

    def in_window(self, array: NDArray[Any], window: int) -> NDArray[Any]:
        """One window of an array [W, steps, N, ...], without padded particles."""
        mask = self.windows.mask
        return array[window] if mask is None else array[window][:, mask[window]]


def forecast_windows(
    models: Mapping[str, ForecastModel],
    config: DataConfig,
    data: str | Path,
    split: str = "test",
    max_windows: int | None = None,
) -> Forecasts:
    """Forecast the windows of one split with trained models and with all baselines.

    Args:
        models: by name.
        config: how trajectories become windows.
        data: folder of the data set.
        split: `"test"`, say.
        max_windows: at most so many windows, evenly spread over the split; all if none is given.

    Returns:
        The forecasts.

    Raises:
        FileNotFoundError: the data set or the split is missing.
        ValueError: the data are not such as a model was made for, or a model has the name of a
            baseline or of the truth.
        FloatingPointError: a model's forecast has become infinite.

    Example:
        >>> model = load("acceleration")
        >>> windows = model.experiment.data
        >>> forecasts = forecast_windows({"acceleration": model}, windows, "data/monopoles")
    """
    data = Path(data)
    description = read_description(data)
    if taken := {"truth", *BASELINES} & models.keys():
        raise ValueError(f"models: expected names that are not taken, found {taken.pop()!r}")
    check_features(models, description, data)
    if description.spatial_dims != 2:
        raise ValueError(
            f"{data}: expected trajectories in two dimensions, found {description.spatial_dims}"
        )
    windows = read_windows(data, split, config, max_windows)
    spacing = description.frame_spacing * config.subsample
    baselines, left_out = _baselines(windows.inputs, data, description, config, spacing)
    rollouts = {
        name: model.rollout(
            windows.past, config.target_steps, model.point_feedback, seed=0, progress=name
        )
        for name, model in models.items()
    }
    return Forecasts(
        windows=windows,
        description=description,
        spacing=spacing,
        models=dict(models),
        positions={
            **{name: positions for name, (positions, _) in rollouts.items()},
            **baselines,
        },
        parameters={name: parameters for name, (_, parameters) in rollouts.items()},
        left_out=left_out,
    )


def check_features(
    models: Mapping[str, ForecastModel], description: DatasetDescription, data: str | Path
) -> None:
    """Refuse data of other features than those that models were made for.

    Args:
        models: by name.
        description: of the data set.
        data: where it is from, for the message.

    Raises:
        ValueError: features are more or fewer, or of another number of dimensions.
    """
    for name, model in models.items():
        if len(description.features) != model.num_features:
            raise ValueError(
                f"{data}: expected the {model.num_features} features of {name}, found "
                f"{', '.join(description.features)}"
            )
        if description.spatial_dims != model.spatial_dims:
            raise ValueError(
                f"{data}: expected trajectories in {model.spatial_dims} dimensions, as {name} "
                f"forecasts, found {description.spatial_dims}"
            )


def training_split(
    data: Path, description: DatasetDescription, config: DataConfig
) -> Iterable[Any] | None:
    """What linear autoregression is fitted to.

    Args:
        data: folder of the data set.
        description: of the data set.
        config: how trajectories become windows; its rotations are left out.

    Returns:
        Batches of inputs and targets, or nothing if the data set has no training split.
    """
    if not any(Path(name).parts[0] == "train" for name in description.files):
        return None
    as_stored = config.model_copy(update={"num_rotations": 0})
    return make_dataset(data / "train", as_stored, batch_size=256)


def _baselines(
    inputs: NDArray[Any],
    data: Path,
    description: DatasetDescription,
    config: DataConfig,
    spacing: float,
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Forecasts by name, and the reasons for those that are not possible."""
    steps, left_out = config.target_steps, {}
    train = training_split(data, description, config)
    baselines = simple_forecasts(inputs, steps, training_split=train)
    if train is None:
        left_out["linear autoregression"] = "the data set has no training split to fit it to"
    law = law_of(description)
    if law is not None:
        baselines["known law"] = known_law(inputs, steps, law, spacing)
    elif description.law is None:
        left_out["known law"] = "the data set names no law of motion"
    else:
        left_out["known law"] = f"the law needs the features {', '.join(FEATURES_OF_LAW)}"
    return baselines, left_out
