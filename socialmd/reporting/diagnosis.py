"""Whether trained models learned anything: forecasts of many pasts, compared with each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from socialmd.config import DataConfig
from socialmd.data import DatasetDescription, Windows, read_windows
from socialmd.data.dataset_description import read_description
from socialmd.evaluation import ForecastMetrics, InputDependence, Verdict
from socialmd.evaluation.baselines.simple_forecasts import SIMPLE_FORECASTS, simple_forecasts
from socialmd.models import ForecastModel
from socialmd.plots import new_figure, plot_configuration, plot_errors
from socialmd.plots.style import curve_styles, finish_curves
from socialmd.reporting.forecasts import BASELINES, check_features, training_split

__all__ = ["Diagnosis", "diagnose", "draw_configurations", "draw_dependence"]

PANELS = 4  # windows drawn, evenly spread
SIDE = 3.6  # inches


class Diagnosis(NamedTuple):
    """Forecasts and what was found.

    Args:
        windows: what was forecast.
        description: of the data set.
        positions: by name, [W, T', N, D]; trained models first.
        errors: of all forecasts.
        verdict: of trained models, whether they beat the best of the simple forecasts.
        dependence: on the input, likewise.
    """

    windows: Windows
    description: DatasetDescription
    positions: dict[str, NDArray[Any]]
    errors: dict[str, ForecastMetrics]
    verdict: dict[str, Verdict]
    dependence: dict[str, InputDependence]

    @property
    def unit(self) -> str:
        """Name of the unit of length."""
        return self.description.length_unit or "length units"


def diagnose(
    models: Mapping[str, ForecastModel], config: DataConfig, data: str | Path, split: str = "test"
) -> Diagnosis:
    """Forecast all windows of a split, in two or three dimensions.

    Args:
        models: by name.
        config: how trajectories become windows.
        data: folder of the data set.
        split: `"validation"`, say.

    Returns:
        The diagnosis, simple forecasts included.

    Raises:
        FileNotFoundError: the data set or the split is missing.
        ValueError: the data are not such as a model was made for, or hold one window only.
        FloatingPointError: a model's forecast has become infinite.

    Example:
        >>> model = load("runs/sequence_2d")
        >>> windows = model.experiment.data
        >>> diagnosis = diagnose({"sequence_2d": model}, windows, "data/carriers", "validation")
        >>> diagnosis.dependence["sequence_2d"].variance_ratio_per_step[-1]
    """
    description = read_description(data)
    check_features(models, description, data)
    windows = read_windows(data, split, config)
    steps, dims = config.target_steps, description.spatial_dims
    positions: dict[str, NDArray[Any]] = {
        **{
            name: model.rollout(windows.past, steps, model.point_feedback, progress=name)[0]
            for name, model in models.items()
        },
        **simple_forecasts(
            windows.inputs, steps, dims, training_split(Path(data), description, config)
        ),
    }
    real = windows.of_particles()
    errors = {
        name: ForecastMetrics.from_arrays(
            real.truth, windows.real(each), simulations=real.simulations
        )
        for name, each in positions.items()
    }
    return Diagnosis(
        windows,
        description,
        positions,
        errors,
        {name: Verdict.from_metrics(errors, name, SIMPLE_FORECASTS) for name in models},
        {
            name: InputDependence.from_arrays(windows.truth, each, windows.mask)
            for name, each in positions.items()
        },
    )


def draw_configurations(diagnosis: Diagnosis) -> Figure:
    """The last forecast configuration of a few windows, as in figure 21: a row for each model."""
    names = [name for name in diagnosis.positions if name not in BASELINES]
    windows = diagnosis.windows
    chosen = np.unique(np.linspace(0, len(windows.truth) - 1, PANELS).round().astype(int))
    half = 1.1 * float(np.abs(windows.truth[chosen, -1, :, :2]).max())
    figure, _ = new_figure(SIDE * len(chosen), SIDE * len(names) + 0.4)
    figure.clear()
    axes = figure.subplots(len(names), len(chosen), squeeze=False)
    for row, name in zip(axes, names, strict=True):
        for ax, window in zip(row, chosen, strict=True):
            real = slice(None) if windows.mask is None else windows.mask[window]
            last, truth, forecast = (
                array[window, -1, real, :2]
                for array in (windows.inputs, windows.truth, diagnosis.positions[name])
            )
            title = f"{name}, simulation {windows.simulations[window]}"
            plot_configuration(ax, last, truth, forecast, half, title, diagnosis.unit)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def draw_dependence(diagnosis: Diagnosis) -> Figure:
    """Variance over inputs, distance to the mean configuration and errors, by steps ahead."""
    figure, axes = new_figure(16, 4.6, columns=3)
    styles = curve_styles(diagnosis.dependence, BASELINES)
    for name, each in diagnosis.dependence.items():
        steps = np.arange(1, len(each.variance_ratio_per_step) + 1)
        axes[0].plot(steps, each.variance_ratio_per_step, **styles[name])
        axes[1].plot(steps, each.distance_to_mean_per_step, **styles[name])
    axes[1].plot(steps, each.true_distance_to_mean_per_step, **curve_styles(["truth"])["truth"])
    axes[0].axhline(1.0, **{**curve_styles(["truth"])["truth"], "label": "as the truth"})
    axes[0].set_yscale("log")
    label = "variance over inputs / that of the truth"
    finish_curves(axes[0], "steps ahead", label, "Does the forecast depend on its input?")
    label = f"rms distance ({diagnosis.unit})"
    finish_curves(axes[1], "steps ahead", label, "Distance to the mean configuration")
    errors = {name: each.mae_per_step for name, each in diagnosis.errors.items()}
    label = f"mean absolute error ({diagnosis.unit})"
    plot_errors(axes[2], errors, label, baselines=BASELINES)
    return figure
