"""Numbers of several trainings of each of several networks -> a Markdown table."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["variant_table"]

METRICS = {"nll": "test NLL", "mae": "test MAE", "median_error": "median error", "fde": "FDE"}
COSTS = ("ms per step", "x reference", "peak MB")


def variant_table(
    trainings: Mapping[str, Sequence[Mapping[str, Any]]],
    settings: Mapping[str, Mapping[str, Any]],
) -> str:
    """Lines of Markdown, a row for each network; "-" for what was not measured.

    Numbers are means ± sample standard deviations over seeds, costs are medians.

    Args:
        trainings: by network, one mapping per seed with `parameters` (a number), `test` (the fields
            of `ForecastMetrics`) and `training`: `seconds_per_step` and `peak_memory_bytes`, or
            `None` where they were not measured. Times are also given relative to the first network.
        settings: by network, what distinguishes it.

    Example:
        >>> print(variant_table({"reference": [numbers]}, {"reference": {"kernel_size": 4}}))
        | variant | settings | parameters | seeds | test NLL | test MAE | median error | FDE | ...
        | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
        | reference | kernel_size = 4 | 54219 | 1 | -1.2100 | 0.1790 | 0.0921 | 0.5810 | ...
    """
    header = ["variant", "settings", "parameters", "seeds", *METRICS.values(), *COSTS]
    lines = [header, ["---"] * 2 + ["---:"] * (len(header) - 2)]
    reference_time = _median_cost(next(iter(trainings.values())), "seconds_per_step")
    for variant, seeds in trainings.items():
        time = _median_cost(seeds, "seconds_per_step")
        memory = _median_cost(seeds, "peak_memory_bytes")
        lines.append(
            [
                variant,
                ", ".join(f"{key} = {json.dumps(v)}" for key, v in settings[variant].items()),
                str(seeds[0]["parameters"]),
                str(len(seeds)),
                *(_mean([seed["test"][key] for seed in seeds]) for key in METRICS),
                _number(1000 * time, 0),
                _number(time / reference_time, 2),
                _number(memory / 1e6, 0),
            ]
        )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _mean(values: Sequence[float]) -> str:
    mean = _number(statistics.fmean(values), 4)
    return mean if len(values) == 1 else f"{mean} ± {_number(statistics.stdev(values), 4)}"


def _median_cost(seeds: Sequence[Mapping[str, Any]], key: str) -> float:
    """Median over the seeds that were measured; not a number if none was."""
    measured = [seed["training"][key] for seed in seeds if seed["training"]]
    return statistics.median(measured) if measured else math.nan


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
