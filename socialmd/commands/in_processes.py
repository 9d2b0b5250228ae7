"""The same work on many things, some at the same time, with a progress bar."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from tqdm import tqdm

__all__ = ["in_processes"]

R = TypeVar("R")


def in_processes(
    function: Callable[..., R], *arguments: Sequence[Any], processes: int, unit: str
) -> list[R]:
    """Results of a function of a module, called with each of its arguments in turn.

    Each process is a new interpreter: threads such as OpenMM's do not survive a fork.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as executor:
        done = executor.map(function, *arguments)
        return list(tqdm(done, total=len(arguments[0]), unit=unit))
