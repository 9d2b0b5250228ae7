"""Metrics -> plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from socialmd.evaluation.forecast_metrics import ForecastMetrics

__all__ = ["overall_table", "step_table"]


def overall_table(metrics: Mapping[str, ForecastMetrics]) -> str:
    """Table with one row for each forecast.

    Args:
        metrics: by name of the forecast.

    Returns:
        Lines of aligned columns; "-" where a forecast is no density.

    Example:
        >>> print(overall_table({"constant velocity": metrics}))
        forecast              MAE  median     ADE     FDE  NLL
        constant velocity  0.2940  0.1300  0.4602  0.9320    -
    """
    rows = [
        [name, *map(_number, (row.mae, row.median_error, row.ade, row.fde, row.nll))]
        for name, row in metrics.items()
    ]
    return _align([["forecast", "MAE", "median", "ADE", "FDE", "NLL"], *rows])


def step_table(metrics: Mapping[str, ForecastMetrics], num_columns: int = 7) -> str:
    """Table with one column for each of a few steps ahead.

    Args:
        metrics: by name of the forecast; all with the same T'.
        num_columns: steps shown, evenly spread from the first to the last.

    Returns:
        Lines of aligned columns in three blocks: mean absolute error, median absolute error, and
        the NLL of those forecasts that are densities.

    Example:
        >>> print(step_table({"model": metrics}, num_columns=3))
        MAE at step          1      15      30
        model           0.0052  0.1510  0.4470
        median at step       1      15      30
        model           0.0010  0.0420  0.1730
        NLL at step          1      15      30
        model          -5.2010 -1.5040  0.6120
    """
    blocks: dict[str, dict[str, list[float] | None]] = {
        "MAE": {name: row.mae_per_step for name, row in metrics.items()},
        "median": {name: row.median_error_per_step for name, row in metrics.items()},
        "NLL": {name: row.nll_per_step for name, row in metrics.items()},
    }
    num_steps = len(next(iter(metrics.values())).mae_per_step)
    spread = np.linspace(0, num_steps, num_columns).round().astype(int)
    steps = np.unique(spread.clip(min=1)).tolist()  # counted from one
    rows = []
    for title, series in blocks.items():
        densities = {name: values for name, values in series.items() if values is not None}
        if densities:
            rows.append([f"{title} at step", *map(str, steps)])
        for name, values in densities.items():
            rows.append([name, *(_number(values[step - 1]) for step in steps)])
    return _align(rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _align(rows: Sequence[Sequence[str]]) -> str:
    """First column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
