"""What is written of a benchmark: the table, all numbers, and errors by steps ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from socialmd.benchmarks.benchmark_table import benchmark_table
from socialmd.benchmarks.public_benchmark import Benchmark
from socialmd.files import save_figure, write_json, write_text
from socialmd.plots import new_figure, plot_errors

__all__ = ["BenchmarkReport"]

CLOSE = 0.15  # part by which trivial forecasts may differ from what they were elsewhere


@dataclass(frozen=True)
class BenchmarkReport:
    """Numbers of a benchmark, measured here.

    Args:
        benchmark: whose.
        computed: of forecasts that learn nothing, by their names.
        trained: of models, by name, a mapping for each seed: the protocol's numbers, and, of what
            was trained here, `parameters`, `seconds_to_train`, `seconds_per_forecast`, `hardware`
            and `leak` (see `leak_test`).
        checksum: of the test split.

    Example:
        >>> BenchmarkReport(read_benchmark("geotdm_charged"), computed, {}, "").write("out", curves)
    """

    benchmark: Benchmark
    computed: Mapping[str, Mapping[str, float]]
    trained: Mapping[str, Sequence[Mapping[str, Any]]]
    checksum: str

    def write(self, output: str | Path, curves: Mapping[str, Any]) -> None:
        """Write `benchmark.md`, `benchmark.json` and `errors.png`.

        Args:
            output: folder.
            curves: mean distances from the truth by steps ahead, [T'], of all that was measured.
        """
        output, benchmark = Path(output), self.benchmark
        report = {
            "benchmark": benchmark.name,
            "version": benchmark.version,
            "units": benchmark.protocol.units,
            "checksum_of_test_split": self.checksum,
            "published": [row._asdict() for row in benchmark.rows],
            "computed": self.computed,
            "difference_from_expected": self.differences(),
            "trained": self.trained,
        }
        write_json(output / "benchmark.json", report)
        write_text(output / "benchmark.md", self.in_words() + "\n")
        figure, ax = new_figure(6, 4.5)
        drawn = {name: curves[name] for name in [*self.trained, *self.computed]}
        label = "mean distance from the truth (length units)"
        plot_errors(ax, drawn, label, benchmark.title, [*self.computed])
        save_figure(figure, output / "errors.png")

    def differences(self) -> dict[str, dict[str, float]]:
        """By which part trivial forecasts differ from what they were elsewhere."""
        return {
            name: {column: self.computed[name][column] / value - 1 for column, value in row.items()}
            for name, row in self.benchmark.expected.items()
        }

    def in_words(self) -> str:
        """Markdown."""
        benchmark = self.benchmark
        parts = [
            f"# {benchmark.title}",
            benchmark.note,
            self._of_data(),
            benchmark_table(benchmark, self.computed, self.trained),
            *map(self._of_protocol, benchmark.expected),
            *(_of_training(*item) for item in self.trained.items() if "leak" in item[1][0]),
        ]
        return "\n\n".join(parts)

    def _of_data(self) -> str:
        """Whether these are the data that others have."""
        found = f"Version {self.benchmark.version} of the data, test split {self.checksum[:16]}"
        if self.checksum == self.benchmark.checksum:
            return f"{found}: bit for bit those that the numbers in the documentation are from."
        return (
            f"{found}; that of the documentation is {self.benchmark.checksum[:16]}. Other numbers "
            "of simulations, or another processor's rounding, make others."
        )

    def _of_protocol(self, name: str) -> str:
        """How near a trivial forecast is to what it was elsewhere."""
        was = ", ".join(f"{key} {value:g}" for key, value in self.benchmark.expected[name].items())
        largest = max(map(abs, self.differences()[name].values()))
        verdict = "it is the same protocol" if largest < CLOSE else "IT SEEMS ANOTHER PROTOCOL"
        return (
            f"{name.capitalize()} elsewhere: {was}. Here it differs from that by {largest:.1%} or "
            f"less: {verdict}."
        )


def _of_training(name: str, seeds: Sequence[Mapping[str, Any]]) -> str:
    """What a training cost, and whether its forecasts know the future."""
    first = seeds[0]
    minutes = np.median([seed["seconds_to_train"] for seed in seeds]) / 60
    leak = max(seed["leak"] for seed in seeds)
    return (
        f"{name}: {first['parameters']} trainable parameters, {minutes:.0f} minutes of training "
        f"for each seed, {1000 * first['seconds_per_forecast']:.1f} ms for each forecast, on "
        f"{first['hardware']}. Noise on all frames after the last given one changes forecasts by "
        f"{leak:g}."
    )
