"""What moves in an evaluation: the truth, forecasts, and one sampled future of each model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from socialmd.data import Windows
from socialmd.reporting.forecast_evaluation import ForecastEvaluation
from socialmd.types import Array, IntArray

__all__ = ["Tracks", "species_of", "tracks"]


class Tracks(NamedTuple):
    """Positions [W, T', N, D] and the windows that they are of."""

    positions: Array
    windows: Windows


def tracks(evaluation: ForecastEvaluation) -> dict[str, Tracks]:
    """The truth, every forecast, and sampled futures as `"<model>, sampled"`, by name.

    A mean goes less far than anything that may happen; a future goes as far.
    """
    forecasts = evaluation.forecasts
    found = {"truth": Tracks(forecasts.windows.truth, forecasts.windows)}
    for name, positions in forecasts.positions.items():
        found[name] = Tracks(positions, forecasts.windows)
        future = evaluation.numbers.get("one_future", {}).get(name)
        if future is not None:
            found[f"{name}, sampled"] = Tracks(*future)
    return found


def species_of(windows: Windows, columns: list[int]) -> IntArray:
    """Number of each particle's kind, by its one-hot columns among the inputs, [W, N]; or zeros."""
    last = windows.inputs[:, -1]
    if not columns:
        return np.zeros(last.shape[:2], int)
    return np.asarray(last[..., columns].argmax(axis=-1))
