"""Numbers that say how far a forecast is from the truth."""

from __future__ import annotations

import dataclasses
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from socialmd.evaluation.checks import finite_array, finite_positions

__all__ = ["ForecastMetrics"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForecastMetrics:
    """Errors of one forecast on one set of windows; `dataclasses.asdict` makes JSON of it.

    With e = x_forecast - x_true, every mean and median is taken over all windows and particles,
    and over all steps unless it is "per step":

        mae         mean of |e_x|, |e_y| (and |e_z|)                  in units of length
        ade, fde    mean of |e|, the same at the last step            in units of length
        nll         mean of -log p(x_true)                            in nats per particle and step

    In chaotic motion a few close encounters dominate the means; the medians hardly see them.

    Args:
        mae, median_error: mean and median absolute error per coordinate.
        ade, fde: average and final displacement error, distances.
        nll, median_nll: negative log-likelihood; `None` for a forecast that is no density, like all
            of the following that speak of it.
        mae_per_step, median_error_per_step, nll_per_step, median_nll_per_step: [T'].
        mae_per_simulation, median_error_per_simulation, mae_per_simulation_and_step: one for each
            simulation, in the order of their numbers, [S] and [S][T']. Windows of one simulation
            overlap; the simulations are independent.
    """

    mae: float
    median_error: float
    ade: float
    fde: float
    nll: float | None
    median_nll: float | None
    mae_per_step: list[float]
    median_error_per_step: list[float]
    nll_per_step: list[float] | None
    median_nll_per_step: list[float] | None
    mae_per_simulation: list[float]
    median_error_per_simulation: list[float]
    mae_per_simulation_and_step: list[list[float]]

    @classmethod
    def from_arrays(
        cls,
        truth: ArrayLike,
        forecast: ArrayLike,
        log_probabilities: ArrayLike | None = None,
        simulations: ArrayLike | None = None,
    ) -> Self:
        """Measure a forecast of W windows.

        Args:
            truth, forecast: positions, [W, T', N, D], D being 2 or 3.
            log_probabilities: log p(x_true), [W, T', N], if the forecast is a density.
            simulations: integers [W], which simulation a window is taken from; every window is
                one of its own if not given.

        Raises:
            ValueError: an array is of another shape, or holds numbers that are not finite.

        Example:
            >>> truth = np.zeros((1, 2, 1, 2))
            >>> forecast = np.array([3.0, 4.0]) * np.array([0.0, 1.0])[:, None, None]
            >>> metrics = ForecastMetrics.from_arrays(truth, forecast[None])
            >>> metrics.mae, metrics.ade, metrics.fde, metrics.mae_per_step
            (1.75, 2.5, 5.0, [0.0, 3.5])
        """
        true_positions = finite_positions("truth", truth)
        shape = true_positions.shape
        errors = finite_array("forecast", forecast, shape) - true_positions
        absolute = np.abs(errors)  # [W, T', N, D]
        distances = np.linalg.norm(errors, axis=-1)  # [W, T', N]
        groups = np.arange(shape[0]) if simulations is None else simulations
        groups = finite_array("simulations", groups, shape[:1])
        by_simulation = [absolute[groups == group] for group in np.unique(groups)]
        nll = None
        if log_probabilities is not None:
            nll = -finite_array("log_probabilities", log_probabilities, shape[:3])  # [W, T', N]
        return cls(
            mae=float(absolute.mean()),
            median_error=float(np.median(absolute)),
            ade=float(distances.mean()),
            fde=float(distances[:, -1].mean()),
            nll=None if nll is None else float(nll.mean()),
            median_nll=None if nll is None else float(np.median(nll)),
            mae_per_step=absolute.mean(axis=(0, 2, 3)).tolist(),
            median_error_per_step=np.median(absolute, axis=(0, 2, 3)).tolist(),
            nll_per_step=None if nll is None else nll.mean(axis=(0, 2)).tolist(),
            median_nll_per_step=None if nll is None else np.median(nll, axis=(0, 2)).tolist(),
            mae_per_simulation=[float(each.mean()) for each in by_simulation],
            median_error_per_simulation=[float(np.median(each)) for each in by_simulation],
            mae_per_simulation_and_step=[
                each.mean(axis=(0, 2, 3)).tolist() for each in by_simulation
            ],
        )
