"""The memory that a process may need, and its end when it needs more."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from socialmd.training.training_cost import peak_memory

__all__ = ["available_memory", "limit_memory"]

GIBIBYTE = 2**30
SECONDS = 0.1  # from one look at the memory to the next
MACHINE, CONTROL_GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
# Limit, use and, within that, files that need not stay in memory; as of both versions.
GROUP_FILES = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
)


def limit_memory(gib: float | None, tell: Callable[[str], object]) -> None:
    """From now on, end this process when its resident memory has been larger than it may be.

    Which is so many GiB or, if absent, what it has and what is available now; `tell` is called with
    the reason before. What counts is what `TrainingCost` measures. Limits of the operating system
    count memory that is reserved and never touched as well, and who meets them may end without
    saying why.
    """
    limit = peak_memory() + available_memory() if gib is None else gib * GIBIBYTE
    source = "all that was available" if gib is None else "the limit of search.memory_gib"

    def watch() -> None:
        while peak_memory() <= limit:
            time.sleep(SECONDS)
        try:
            tell(
                f"memory: needed more than {limit / GIBIBYTE:.3g} GiB, {source}; fewer or smaller "
                "filters, fewer cells or a smaller batch_size need less"
            )
        finally:
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def available_memory() -> float:
    """Memory that this process may still take, in bytes: of the machine, or of its control group.

    Infinite where the system does not say.
    """
    found = []
    if MACHINE.is_file():
        found.append(1024.0 * _entries(MACHINE)["MemAvailable:"])
    for limit, used, details, cache in GROUP_FILES:
        path = CONTROL_GROUP / limit
        if path.is_file() and (text := path.read_text().strip()) != "max":
            needed = float((CONTROL_GROUP / used).read_text())
            found.append(float(text) - needed + _entries(CONTROL_GROUP / details)[cache])
    return min(found, default=float("inf"))


def _entries(path: Path) -> dict[str, int]:
    """Numbers of a file of the system, by what stands before them in their line."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {name: int(number) for name, number, *_ in lines}
