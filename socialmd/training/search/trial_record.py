"""Trials of a search as they can be read off its folder, while it runs too."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_tuner.engine.trial import Trial

from socialmd.files import write_text
from socialmd.training.history import HISTORY_FILE, read_history
from socialmd.training.search.run_trial import FAILURE, MEASUREMENTS, best_of

__all__ = ["STATE", "TrialRecord", "read_trials", "write_table"]

STATE = "oracle.json"


@dataclass(frozen=True)
class TrialRecord:
    """What is known of one trial.

    Args:
        name: of its folder.
        trial: as KerasTuner has it.
        status: `"COMPLETED"`, `"FAILED"` or `"RUNNING"`.
        values: of its hyperparameters.
        losses: of its best epoch, `"val_loss"` among them; empty before there is one.
        num_epochs: that it has trained.
        costs: time per step in seconds and peak memory in bytes, where they were measured.
        reason: why it has failed, if it has.
    """

    name: str
    trial: Trial = field(repr=False)
    status: str
    values: dict[str, Any]
    losses: dict[str, float]
    num_epochs: int
    costs: dict[str, float]
    reason: str

    @property
    def is_complete(self) -> bool:
        """Whether it has come to its end, and its losses count."""
        return self.status == "COMPLETED"


def read_trials(output: Path) -> list[TrialRecord]:
    """All trials so far, in the order in which they began.

    Args:
        output: folder of the search.

    Raises:
        FileNotFoundError: no search has begun there.

    Example:
        >>> best = min((record for record in read_trials(output) if record.is_complete),
        ...            key=lambda record: record.losses["val_loss"])
    """
    if not (output / STATE).is_file():
        raise FileNotFoundError(f"{output / STATE}: not found; no search has begun there")
    trials = json.loads((output / STATE).read_text("utf-8"))["trials"]
    return [_read_trial(output / f"trial_{number}", trials[number]) for number in sorted(trials)]


def _read_trial(folder: Path, state: dict[str, Any]) -> TrialRecord:
    trial = Trial.from_state(state)
    history = read_history(folder / HISTORY_FILE)
    values = trial.hyperparameters.values
    failure, costs = folder / FAILURE, folder / MEASUREMENTS
    return TrialRecord(
        name=folder.name,
        trial=trial,
        status=trial.status,
        values={name: values[name] for name in values if not name.startswith("tuner/")},
        losses=best_of(history)[1] if history else {},
        num_epochs=len(history.get("epoch", [])),
        costs=json.loads(costs.read_text("utf-8")) if costs.is_file() else {},
        reason=failure.read_text("utf-8").strip() if failure.is_file() else "",
    )


def write_table(path: Path, records: Sequence[TrialRecord]) -> None:
    """Write the trials as CSV, one line each: losses of the best epoch, costs and values."""
    names = dict.fromkeys(name for record in records for name in record.values)
    rows = [
        {
            "trial": record.name,
            "status": record.status,
            "val_loss": record.losses.get("val_loss", ""),
            "val_mae": record.losses.get("val_mae", ""),
            "epochs": record.num_epochs,
            "seconds_per_step": record.costs.get("seconds_per_step", ""),
            "peak_memory_bytes": record.costs.get("peak_memory_bytes", ""),
            **{name: record.values.get(name, "") for name in names},
            "reason": " ".join(record.reason.split()),
        }
        for record in records
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["trial"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
