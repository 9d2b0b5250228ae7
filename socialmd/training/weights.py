"""Weights on disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras

from socialmd.files import write_atomically

__all__ = ["load_without_optimizer", "save_atomically"]


def save_atomically(save: Callable[[str], object], path: Path) -> None:
    """Let one of Keras' functions save to a file that appears only when it is complete.

    Args:
        save: `model.save` or `model.save_weights`.
        path: the file; folders above it are made.

    Raises:
        OSError: the file cannot be written; nothing is left behind then.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / path.name  # Keras looks at the ending
        save(str(saved))
        with open(saved, "rb") as file:
            write_atomically(path, lambda target: shutil.copyfileobj(file, target))


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
