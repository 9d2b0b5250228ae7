"""Summaries of how a model in training forecasts a few validation windows after every epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from socialmd.data import Windows
from socialmd.evaluation import (
    Calibration,
    ForecastMetrics,
    KnownData,
    LearnedInteraction,
    PredictiveDensity,
    make_baselines,
    position_density,
)
from socialmd.models import ForecastModel
from socialmd.plots import (
    draw_learned_interaction,
    new_figure,
    plot_coverage,
    plot_errors,
    plot_forecast,
)
from socialmd.simulation import PairLaw
from socialmd.types import Array

__all__ = ["ForecastSummaries"]

NUM_DRAWN = 2  # windows
PIXELS = 48  # of a density along each side; these take most of the time


class ForecastSummaries:
    """Error by steps ahead, calibration and pictures of forecasts, for a log of the training.

    One rollout of all windows, by the function that training compiles anyway; of three coordinates,
    x and y are drawn. Arguments are those of `TensorBoardLog`. `best_baseline` is what `measure`
    gives, for the simple forecast that is the best one there.
    """

    def __init__(
        self,
        windows: Windows,
        training_split: Iterable[Any] | None = None,
        law: PairLaw | None = None,
    ) -> None:
        self.windows = windows
        self.law = law
        self.num_steps, _, self.dims = windows.truth.shape[1:]
        known = KnownData(self.num_steps, self.dims, training_split)
        baselines, _ = make_baselines(known, rivals_only=True)
        self._baselines = {
            name: self._error(baseline.rollout(windows.past, self.num_steps)[0])
            for name, baseline in baselines.items()
        }
        lowest = np.min(list(self._baselines.values()), axis=0).tolist()
        self.best_baseline = self._at_some_steps(lowest)

    def measure(self, model: ForecastModel) -> tuple[dict[str, float], dict[str, list[Figure]]]:
        """Scalars and figures by tag: forecasts of the windows, compared with the truth.

        Mean absolute error at some steps ahead, per coordinate in units of length; how often the
        truth lies within regions of 50, 80 and 95 %, a fraction, but not for
        models whose sigma is a constant until they are recalibrated. Pictures of one tag are of one
        size: forecasts, errors and coverage by steps ahead, the learned interaction.
        """
        windows = self.windows
        positions, parameters = model.rollout(
            windows.past, self.num_steps, model.point_feedback, seed=0
        )
        positions = positions[..., : self.dims]
        error = self._error(positions)
        scalars = self._at_some_steps(error)
        drawn = sorted({len(positions) * index // NUM_DRAWN for index in range(NUM_DRAWN)})
        figure, ax = new_figure(5, 4)
        plot_errors(ax, {"model": error, **self._baselines}, baselines=tuple(self._baselines))
        figures = {
            "forecast/example": [
                self._draw_window(model, positions, parameters, window) for window in drawn
            ],
            "forecast/error_by_step": [figure],
        }
        if model.predicts_sigma:
            calibration = self._calibrate(model, parameters)
            for level, coverage in zip(
                calibration.levels, calibration.overall_coverage, strict=True
            ):
                scalars[f"forecast/coverage_of_{100 * level:.0f}_percent"] = coverage
            figure, ax = new_figure(5, 4)
            plot_coverage(ax, {"model": calibration.coverage}, calibration.levels)
            figures["forecast/coverage_by_step"] = [figure]
        if hasattr(model, "pair_acceleration"):
            interaction = LearnedInteraction.from_frames(
                model.pair_acceleration, windows.inputs[:, -1], self.dims, self.law, windows.mask
            )
            if interaction is not None:
                figure = draw_learned_interaction(**interaction._asdict())
                figures["interaction/learned"] = [figure]
        return scalars, figures

    def _error(self, positions: Array) -> list[float]:
        """Mean absolute error of each step, [T']."""
        real = self.windows.real
        return ForecastMetrics.from_arrays(real(self.windows.truth), real(positions)).mae_per_step

    def _at_some_steps(self, error: list[float]) -> dict[str, float]:
        """The error at the first step and after each third."""
        steps = sorted({1, *(max(1, self.num_steps * part // 3) for part in (1, 2, 3))})
        width = len(str(self.num_steps))
        return {f"forecast/mae_{step:0{width}d}_steps_ahead": error[step - 1] for step in steps}

    def _calibrate(self, model: ForecastModel, parameters: Array) -> Calibration:
        real = self.windows.real
        density = PredictiveDensity(*model.components_in_float64(real(parameters)))
        return Calibration.from_density(density, real(self.windows.truth))

    def _draw_window(
        self, model: ForecastModel, positions: Array, parameters: Array, window: int
    ) -> Figure:
        inputs, truth, simulations, mask, *_ = self.windows
        real = slice(None) if mask is None else mask[window]
        half = 1.1 * float(np.abs(truth[window][:, real]).max())
        extent = (-half, half, -half, half)
        density = None
        if self.dims == 2:
            distribution = model.distribution(parameters[window][:, real])
            density = position_density(distribution, extent, pixels=PIXELS)
        figure, ax = new_figure(5, 5)
        plot_forecast(
            ax,
            inputs[window][:, real, :2],
            truth[window][:, real, :2],
            positions[window][:, real, :2],
            density,
            extent,
            title=f"Validation simulation {simulations[window]}",
        )
        return figure
