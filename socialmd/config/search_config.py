"""`[search]`: which hyperparameters a search varies."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from socialmd.config.search_space import Entry, parse_entry
from socialmd.config.section import ConfigSection, PositiveFloat, PositiveInt

__all__ = ["SearchConfig"]


class SearchConfig(ConfigSection):
    """A search for better hyperparameters than those of `[model]` and `[training]`.

    Args:
        epochs: of each trial, at most; as many as `[training]` says if absent.
        minutes: that a trial may train, at most; what it has reached by then counts.
        memory_gib: that a trial's process may need; what is available if absent. One that needs
            more is ended, and recorded as failed.
        model, training: by key of `[model]` and `[training]`, which values to try (see
            `socialmd.config.search_space`).

    Raises:
        ValueError: a value is out of its range, no such entry, or nothing is varied.

    Example:
        >>> units = {"minimum": 32, "maximum": 256, "step": 32}
        >>> SearchConfig(model={"units": units}).entries["model.units"].examples
        (32, 256)
    """

    epochs: PositiveInt | None = None
    minutes: PositiveFloat | None = None
    memory_gib: PositiveFloat | None = None
    model: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.entries:
            raise ValueError("expected keys of [model] or [training] to vary, found none")
        return self

    @property
    def entries(self) -> dict[str, Entry]:
        """What is varied, by `"table.key"`."""
        return {
            f"{table}.{key}": parse_entry(f"{table}.{key}", value)
            for table in ("model", "training")
            for key, value in getattr(self, table).items()
        }
