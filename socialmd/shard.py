"""One of several processes that share the work on one data set."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Shard"]


@dataclass(frozen=True)
class Shard:
    """Shard `index` of `count`, from 1 as `SLURM_ARRAY_TASK_ID` counts under `--array=1-COUNT`.

    Every `count`-th item is its, beginning with item `index - 1`; the only one takes everything.
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
