"""The table of a benchmark: what others have published, what is trivial, and ours."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from socialmd.benchmarks.pair_accuracy import ACCURACY
from socialmd.benchmarks.public_benchmark import Benchmark

__all__ = ["benchmark_table"]


def benchmark_table(
    benchmark: Benchmark,
    computed: Mapping[str, Mapping[str, float]],
    ours: Mapping[str, Sequence[Mapping[str, float]]],
) -> str:
    """Lines of Markdown, a row for each forecast.

    Args:
        benchmark: whose; its columns, and that of pairs, if anybody has told them apart.
        computed: numbers of forecasts that learn nothing, by their names.
        ours: likewise of trained models, a mapping for each seed; means ± standard deviations.

    Example:
        >>> numbers = {"ADE": 0.012, "FDE": 0.034}
        >>> print(benchmark_table(benchmark, {}, {"interaction_lstm": [numbers]}))
        | forecast | ADE | FDE | from |
        | --- | ---: | ---: | --- |
        | SVAE | 0.378 | 0.732 | quoted [1] |
        ...
        | **interaction_lstm** | **0.012** | **0.034** | here, 1 seed |
    """
    of_rows = [row.numbers for row in benchmark.rows]
    of_seeds = [seed for seeds in ours.values() for seed in seeds]
    has_pairs = any(ACCURACY in numbers for numbers in [*of_rows, *of_seeds])
    of_protocol, of_pairs = benchmark.protocol.columns, (ACCURACY,) * has_pairs
    columns = (*of_protocol, *of_pairs)
    sources = list(dict.fromkeys([benchmark.source, *(row.source for row in benchmark.rows)]))
    lines = [["forecast", *columns, "from"], ["---", *["---:"] * len(columns), "---"]]
    for row in benchmark.rows:
        numbers = [_number(row.numbers.get(column)) for column in columns]
        lines.append([row.method, *numbers, f"quoted [{sources.index(row.source) + 1}]"])
    for name, found in computed.items():
        numbers = [_number(found[column]) for column in of_protocol]
        lines.append([name, *numbers, *(_number(None) for _ in of_pairs), "computed here"])
    for name, seeds in ours.items():
        means = [_mean([seed[column] for seed in seeds]) for column in of_protocol]
        means += [_mean([seed[name] for seed in seeds if name in seed]) for name in of_pairs]
        bold = [f"**{cell}**" for cell in (name, *means)]
        lines.append([*bold, f"here, {len(seeds)} seed{'s' * (len(seeds) > 1)}"])
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"{table}\n\n" + "\n".join(
        f"[{number}] {source}." for number, source in enumerate(sources, start=1)
    )


def _mean(values: Sequence[float]) -> str:
    if not values:
        return _number(None)
    mean = _number(statistics.fmean(values))
    return mean if len(values) == 1 else f"{mean} ± {_number(statistics.stdev(values))}"


def _number(value: float | None) -> str:
    """Three digits that count, or a dash."""
    return "-" if value is None else f"{value:.3g}"
