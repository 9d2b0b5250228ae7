"""Weights on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import keras

__all__ = ["load_without_optimizer", "save_atomically"]


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
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_without_optimizer(model: keras.Model, path: Path) -> None:
    """Load a model's weights, and leave its optimizer as it is.

    Keras saves both together; the optimizer of another phase of training has other variables.

    Args:
        model: built.
        path: of weights that `model.save_weights` has written.
    """
    optimizer, model.optimizer = getattr(model, "optimizer", None), None
    try:
        model.load_weights(path)
    finally:
        model.optimizer = optimizer
