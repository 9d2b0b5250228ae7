"""What moves in an evaluation: the truth, forecasts, and one sampled future of each model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from socialmd.data import Windows
from socialmd.reporting.forecast_evaluation import ForecastEvaluation
from socialmd.types import Array

__all__ = ["SAMPLED", "Tracks", "tracks", "wide_if_true"]

SAMPLED = ", sampled"  # ends names of sampled futures


class Tracks(NamedTuple):
    """Positions [W, T', N, D], the windows that they are of, and periodic boxes [W, T', D, D].

    A forecast goes on in the box of the last given frame.
    """

    positions: Array
    windows: Windows
    boxes: Array | None


def tracks(evaluation: ForecastEvaluation) -> dict[str, Tracks]:
    """The truth, every forecast, and sampled futures as `"<model>, sampled"`, by name.

    A mean goes less far than anything that may happen; a future goes as far.
    """
    forecasts, windows = evaluation.forecasts, evaluation.forecasts.windows
    true_boxes = None if windows.boxes is None else windows.boxes[:, windows.inputs.shape[1] :]
    found = {"truth": Tracks(windows.truth, windows, true_boxes)}
    for name, positions in forecasts.positions.items():
        found[name] = Tracks(positions, windows, _last_boxes(windows))
        future = evaluation.numbers.get("one_future", {}).get(name)
        if future is not None:
            drawn, of = future
            found[name + SAMPLED] = Tracks(drawn, of, _last_boxes(of))
    return found


def _last_boxes(windows: Windows) -> Array | None:
    if windows.boxes is None:
        return None
    last = windows.inputs.shape[1] - 1
    return np.repeat(windows.boxes[:, last : last + 1], windows.truth.shape[1], axis=1)


def wide_if_true(name: str) -> dict[str, float]:
    """How to draw the truth so that it is seen under forecasts that lie on it."""
    return {"linewidth": 6.0, "alpha": 0.4} if name == "truth" else {}
