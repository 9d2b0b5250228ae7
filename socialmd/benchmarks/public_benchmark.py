"""What a benchmark is: a protocol, and what others have published of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

from socialmd.benchmarks.protocols import PROTOCOLS, Protocol

__all__ = ["Benchmark", "PublishedRow", "benchmark_names", "read_benchmark"]


class PublishedRow(NamedTuple):
    """What others have measured, as it is quoted.

    Args:
        method: whose forecasts.
        numbers: by column of the protocol.
        source: where it is from.
    """

    method: str
    numbers: dict[str, float]
    source: str


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One benchmark.

    Args:
        name, title: short and in words.
        source: where its protocol is from.
        configuration: name of that of its data and of our model.
        version: a number that changes with the data.
        checksum: of the files of the test split, where numbers are rounded as on most processors.
        protocol: what is measured.
        note: the protocol in words, with its traps.
        rows: published ones.
        expected: of forecasts that are computed again here, by their names, numbers that they had
            elsewhere. They check that ours is the same protocol.
    """

    name: str
    title: str
    source: str
    configuration: str
    version: int
    checksum: str
    protocol: Protocol
    note: str
    rows: tuple[PublishedRow, ...]
    expected: dict[str, dict[str, float]]


def benchmark_names() -> tuple[str, ...]:
    """All benchmarks."""
    return tuple(_tables())


def read_benchmark(name: str) -> Benchmark:
    """A benchmark by its name.

    Raises:
        ValueError: there is none of this name.

    Example:
        >>> read_benchmark("geotdm_charged").rows[-2].numbers
        {'ADE': 0.11, 'FDE': 0.258}
    """
    tables = _tables()
    if name not in tables:
        raise ValueError(f"name: expected one of {', '.join(tables)}, found {name!r}")
    table = tables[name]
    rows = [
        PublishedRow(row.pop("method"), source=row.pop("source", table["source"]), numbers=row)
        for row in table["rows"]
    ]
    return Benchmark(
        name=name,
        title=table["title"],
        source=table["source"],
        configuration=table.get("configuration", name),
        version=table["version"],
        checksum=table["checksum"],
        protocol=PROTOCOLS[table["protocol"]],
        note=table["note"],
        rows=tuple(rows),
        expected=table.get("expected", {}),
    )


def _tables() -> dict[str, Any]:
    text = resources.files("socialmd.benchmarks").joinpath("benchmarks.toml").read_text("utf-8")
    return tomllib.loads(text)
