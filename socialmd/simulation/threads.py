"""Work on several systems at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba

__all__ = ["map_in_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_threads(
    function: Callable[[Item], Result], items: Sequence[Item], num_threads: int | None = None
) -> Iterator[Result]:
    """Apply a function that releases the interpreter's lock to each item, in several threads.

    Plain threads rather than numba's own: each result is there as soon as its system is done,
    and integrating from several threads or after a fork stays allowed.

    Args:
        function: applied to each item; the first exception ends the work.
        items: one for each call.
        num_threads: threads to use; by default all cores that this process may use, or
            `NUMBA_NUM_THREADS` if the environment sets it.

    Yields:
        The results in the order of the items.

    Raises:
        ValueError: the number of threads is not positive.
    """
    if num_threads is not None and num_threads < 1:
        raise ValueError(f"num_threads: expected 1 or more, found {num_threads}")
    with ThreadPoolExecutor(num_threads or numba.config.NUMBA_NUM_THREADS) as executor:
        yield from executor.map(function, items)
