"""What moves in an evaluation: the truth, forecasts, and one sampled future of each model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from socialmd.data import Windows
from socialmd.data.windows import evenly_spread
from socialmd.reporting.forecast_evaluation import ForecastEvaluation
from socialmd.types import Array, IntArray

__all__ = ["SAMPLED", "Tracks", "late_frames", "tracks", "wide_if_true"]

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
    found = {"truth": Tracks(windows.truth, windows, windows.true_boxes)}
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


def late_frames(each: Tracks, most_windows: int, most_frames: int) -> tuple[IntArray, IntArray]:
    """Numbers of at most so many windows, and of so many frames of the last half of their steps."""
    windows, steps = each.positions.shape[:2]
    late = steps // 2 + evenly_spread(steps - steps // 2, most_frames)
    return evenly_spread(windows, most_windows), late


def wide_if_true(name: str) -> dict[str, float]:
    """How to draw the truth so that it is seen under forecasts that lie on it."""
    return {"linewidth": 6.0, "alpha": 0.4} if name == "truth" else {}
