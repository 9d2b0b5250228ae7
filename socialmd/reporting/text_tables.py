"""Metrics -> plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from socialmd.evaluation import ForecastMetrics
from socialmd.reporting.measure import by_name

__all__ = ["COLUMNS", "aligned", "overall_table", "step_table"]

COLUMNS = {"MAE": "mae", "median": "median_error", "ADE": "ade", "FDE": "fde", "NLL": "nll"}
BLOCKS = {"MAE": "mae_per_step", "median": "median_error_per_step", "NLL": "nll_per_step"}


def overall_table(metrics: Mapping[str, ForecastMetrics]) -> str:
    """Table with one row for each forecast, by name; "-" where it is no density.

    Example:
        >>> print(overall_table({"constant velocity": metrics}))
        forecast              MAE  median     ADE     FDE  NLL
        constant velocity  0.2940  0.1300  0.4602  0.9320    -
    """
    rows = [
        [name, *(_number(getattr(row, key)) for key in COLUMNS.values())]
        for name, row in metrics.items()
    ]
    return aligned([["forecast", *COLUMNS], *rows])


def step_table(metrics: Mapping[str, ForecastMetrics], num_columns: int = 7) -> str:
    """Table with one column for each of a few steps ahead, evenly spread from first to last.

    There are three blocks: mean absolute error, median absolute error, and the NLL of those
    forecasts that are densities. All have the same T'.

    Example:
        >>> print(step_table({"model": metrics}, num_columns=3))
        MAE at step          1      15      30
        model           0.0052  0.1510  0.4470
        median at step       1      15      30
        model           0.0010  0.0420  0.1730
        NLL at step          1      15      30
        model          -5.2010 -1.5040  0.6120
    """
    num_steps = len(next(iter(metrics.values())).mae_per_step)
    spread = np.linspace(0, num_steps, num_columns).round().astype(int)
    steps = np.unique(spread.clip(min=1)).tolist()  # counted from one
    rows = []
    for title, key in BLOCKS.items():
        block = [
            [name, *(_number(values[step - 1]) for step in steps)]
            for name, values in by_name(metrics, key).items()
            if values is not None
        ]
        rows += [[f"{title} at step", *map(str, steps)], *block] if block else []
    return aligned(rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Cells as a table: first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
