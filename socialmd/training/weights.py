"""Weights on disk: the best ones, and a backup after every epoch to continue from.

Every file is written under a temporary name and renamed, so that a process killed at any moment
leaves whole files only. The backup's name says how many epochs it has seen: one rename commits
both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

__all__ = ["backup_file", "last_backup", "save_atomically"]

BACKUP_NAME = re.compile(r"epoch_(\d{5})\.weights\.h5")


def save_atomically(save: Callable[[str], object], path: Path) -> None:
    """Let one of Keras' functions save to a file that appears only when it is complete.

    Args:
        save: `model.save` or `model.save_weights`.
        path: the file; folders above it are made.

    Raises:
        OSError: the file cannot be written; nothing is left behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")  # Keras looks at the ending, so it has to stay
    try:
        save(str(temporary))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def backup_file(directory: Path, epochs: int) -> Path:
    """Name of the backup made after so many epochs."""
    return directory / f"epoch_{epochs:05d}.weights.h5"


def last_backup(directory: Path) -> tuple[int, Path | None]:
    """Epochs that the latest backup has seen, and its file; 0 and nothing without one."""
    found = [
        (int(match[1]), path)
        for path in (directory.iterdir() if directory.is_dir() else ())
        if (match := BACKUP_NAME.fullmatch(path.name))
    ]
    return max(found, default=(0, None))
