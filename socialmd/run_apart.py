"""Work in a process of its own: what it needs and how it ends is no matter of this process."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["run_apart"]


def run_apart(function: Callable[..., object], *arguments: Any) -> int:
    """Call a function of a module in a new process and wait for its end.

    The arguments are pickled. Peak memory there is that of the call, a crash is an exit status
    here, and whoever kills this process ends that one as well.

    Returns:
        The exit status: 0 if the function returned, 1 if it raised what the process has printed
        then, minus the number of the signal if one ended it.
    """
    process = multiprocessing.get_context("spawn").Process(
        target=_call, args=(function, *arguments), daemon=True
    )
    process.start()
    process.join()
    return int(process.exitcode or 0)


def _call(function: Callable[..., object], *arguments: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    function(*arguments)


def _end_with_parent() -> None:
    """Whoever kills the one process means the other as well; it must not go on unseen."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
