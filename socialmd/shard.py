"""One of several processes that share the work on one data set."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Shard"]


@dataclass(frozen=True)
class Shard:
    """Shard `index` of `count`: every `count`-th item, beginning with item `index - 1`.

    As `SLURM_ARRAY_TASK_ID` counts under `--array=1-COUNT`; the only one takes everything.

    Example:
    >>> [number for number in range(10) if Shard(2, 4).takes(number)]
    [1, 5, 9]
    """

    index: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ValueError(f"expected a shard from 1/n to n/n, as 2/4, found {self}")

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def takes(self, number: int) -> bool:
        """Whether item `number`, counted from 0, belongs to this shard."""
        return number % self.count == self.index - 1
