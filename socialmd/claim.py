"""Claim of a folder: one process at a time writes to it."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["FolderInUseError", "claim", "remove_leftovers"]

LOCK = ".lock"
MARK = "process "
TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{32}\.tmp")  # of the file whose name it holds


class FolderInUseError(RuntimeError):
    """Another process is writing to a folder; the message says which."""


@contextmanager
def claim(folder: str | Path, wait: bool = False, name: str = "") -> Iterator[None]:
    """Let no other process claim a folder meanwhile, or what of it has a `name`.

    The operating system holds the lock for the process and drops it when the process ends, however
    that happens, so no claim is left by one that was killed. What that one was writing is removed.
    The folder is made, and removed again if nothing comes of it. While another process has claimed
    it, `wait` for that, or raise a `FolderInUseError`.
    """
    folder = Path(folder)
    existed = folder.is_dir()
    path = folder / (f".{name}{LOCK}" if name else LOCK)
    lock = FileLock(path, blocking=wait, thread_local=False)
    while not lock.is_locked:
        _make(folder)
        try:
            lock.acquire()
        except FileNotFoundError:
            continue  # another process, of which nothing came, has just removed the folder
        except Timeout:
            raise FolderInUseError(
                f"{folder}: {f'{name} there' if name else 'it'} is in use by {_holder(path)}; wait "
                "for that process or end it, or choose another folder"
            ) from None
    is_marked = False
    try:
        is_marked = _mark(path)
        if not name:
            remove_leftovers(folder)
        yield
    finally:
        if is_marked:
            path.unlink(missing_ok=True)  # whoever has opened it notices, and makes it anew
        lock.release()
        if not existed:
            with suppress(OSError):  # not empty, as it should be
                folder.rmdir()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(f"{folder}: expected a folder, found a file") from None


def remove_leftovers(folder: Path) -> None:
    """Remove what interrupted writes have left in a folder; below it others may be writing."""
    for path in folder.glob(".*.tmp"):
        if TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _mark(path: Path) -> bool:
    """Write into the lock who holds it, unless it says so already.

    On a file system without locks its mere existence is the lock, and what it says is filelock's.
    """
    text = path.read_text("utf-8")
    if text and not text.startswith(MARK):
        return False
    since = datetime.now().isoformat(" ", "seconds")
    path.write_text(f"{MARK}{os.getpid()} on {socket.gethostname()}, since {since}\n", "utf-8")
    return True


def _holder(path: Path) -> str:
    with suppress(OSError):
        text = path.read_text("utf-8").strip()
        if text.startswith(MARK):
            return text
    return "another process"
