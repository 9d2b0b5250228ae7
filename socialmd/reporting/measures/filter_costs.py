"""Conservation filters: what they conserve, beside what they cost in error and calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.measures.conserved_quantities import HEADING
from socialmd.reporting.text_tables import aligned

__all__ = ["FilterCosts"]

SMALL = 1e-4  # a drift of which four digits tell nothing

# === Words ===
CAPTION = """
Models without and with conservation filters: errors in units of length, NLL in nats per particle
and step, fraction of true positions within regions that should contain 50, 80 and 95 %, as trained,
and drifts of momentum and energy as above.
"""


@register_measure
class FilterCosts(Measure):
    """Errors, calibration and drifts of filtered models beside those of the same without filters.

    Numbers: `"filters"`, by forecast `"model"`, the name of the same without filters, and
    `"filters"`, their names.
    """

    name = "conservation filters"
    place = 62
    absent: ClassVar = {"filters": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        forecasts = evaluation.forecasts
        if not forecasts.filtered:
            return None
        found = {
            name: {"model": model, "filters": list(forecasts.models[name].filters.names)}
            for name, model in forecasts.filtered.items()
        }
        return {"filters": found}

    def text_tables(self, evaluation: ForecastEvaluation) -> Sequence[str]:
        header, rows = _compare(evaluation)
        if not rows:
            return ()
        return [aligned([header, *([name, *map(_number, row)] for name, *row in rows)])]

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        header, rows = _compare(evaluation)
        table = Table(fill(CAPTION), header, rows)
        return [Section(HEADING, tables=[table])] if rows else ()


def _number(value: float | None) -> str:
    """With as many digits as errors have, or as a power of ten: momentum may be conserved."""
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) >= SMALL else f"{value:.0e}"


def _compare(evaluation: ForecastEvaluation) -> tuple[list[str], list[list[Any]]]:
    """Header, and a row for each model of which there are filtered forecasts, and for these."""
    numbers, filtered = evaluation.numbers, evaluation.forecasts.filtered
    shown = [n for n in evaluation.forecasts.models if n in {*filtered, *filtered.values()}]
    rows: list[list[Any]] = []
    levels: Sequence[float] = ()
    for name in shown:
        errors = numbers["forecasts"][name]
        row = [name, errors.mae, errors.median_error, errors.ade, errors.fde, errors.nll]
        if calibration := numbers["calibration"].get(name):
            levels = calibration["as trained"].levels
            row += calibration["as trained"].overall_coverage
        drift = numbers["conservation"].get(name)
        row.append(drift and drift.momentum_drift[-1])
        energy = drift and drift.energy_drift
        row.append(energy and energy[-2:][0])
        rows.append(row)
    of_errors = ["MAE", "median", "ADE", "FDE", "NLL"]
    inside = [f"in {100 * level:.0f} %" for level in levels]
    return ["filters", *of_errors, *inside, "momentum", "energy"], rows
