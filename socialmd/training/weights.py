"""Weights on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["save_atomically"]


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
