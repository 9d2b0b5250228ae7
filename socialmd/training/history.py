"""The log of a training: one line per epoch, as `keras.callbacks.CSVLogger` writes it."""

from __future__ import annotations

import csv
from pathlib import Path

from socialmd.files import write_atomically

__all__ = ["HISTORY_FILE", "epochs_without_improvement", "keep_epochs", "of_phase", "read_history"]

HISTORY_FILE = "history.csv"


def read_history(path: str | Path) -> dict[str, list[float]]:
    """Columns of the log.

    Args:
        path: the CSV file.

    Returns:
        One value per epoch for `epoch`, `loss`, `val_loss`, ...; empty if there is no file yet.

    Raises:
        ValueError: a value is no number; the message names the file.
    """
    if not Path(path).is_file():
        return {}
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else {})}
    except (TypeError, ValueError, csv.Error) as error:
        raise ValueError(f"{path}: not the log of a training: {error}") from None


def keep_epochs(path: str | Path, count: int) -> None:
    """Drop the epochs from number `count` on: an interrupted training repeats them.

    Refuses a file with fewer epochs: with them the smallest loss may be lost.
    """
    lines = Path(path).read_bytes().splitlines(keepends=True) if Path(path).is_file() else []
    if (found := max(len(lines) - 1, 0)) < count:
        raise ValueError(
            f"{path}: expected the {count} epochs of which there is a backup, found {found}; a "
            "power cut may have damaged the file: restore it, or remove the folder to begin anew"
        )
    if lines:
        write_atomically(path, lambda file: file.writelines(lines[: count + 1]))


def epochs_without_improvement(history: dict[str, list[float]]) -> int:
    """Epochs since the smallest loss, as early stopping counts them; 0 without any epoch."""
    values = history.get("val_loss", [])
    return len(values) - 1 - values.index(min(values)) if values else 0


def of_phase(history: dict[str, list[float]], phase: int) -> dict[str, list[float]]:
    """The epochs of one phase; without a column `phase` there is but phase 0."""
    phases = history.get("phase", [0.0] * len(history.get("epoch", [])))
    return {
        name: [value for value, of in zip(values, phases, strict=True) if of == phase]
        for name, values in history.items()
    }
