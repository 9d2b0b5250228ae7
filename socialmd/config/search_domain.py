"""Values that one hyperparameter may have: numbers of a range, or choices."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Choices", "Domain", "Range", "from_text", "is_number", "parse_domain"]

Scalar = bool | int | float | str


@dataclass(frozen=True)
class Range:
    """Numbers from `minimum` to `maximum`, both included; integers if both ends are."""

    minimum: float
    maximum: float
    step: float | None = None
    scale: str = "linear"

    @property
    def is_integer(self) -> bool:
        """Whether its numbers are integers."""
        return isinstance(self.minimum, int) and isinstance(self.maximum, int)

    @property
    def examples(self) -> list[Any]:
        """Values that have to be possible for all others to be."""
        return [self.minimum, self.maximum]


@dataclass(frozen=True)
class Choices:
    """One of some values, each a number, a string or, as its JSON text, a list."""

    values: tuple[Scalar, ...]

    @property
    def examples(self) -> list[Any]:
        """All of them, lists as lists."""
        return [from_text(value) for value in self.values]


Domain = Range | Choices


def parse_domain(name: str, value: Any) -> Domain:
    """Read a range or choices.

    Args:
        name: of the hyperparameter, `"model.units"`.
        value: as TOML has it.

    Returns:
        What it may be.

    Raises:
        ValueError: it is neither; the message begins with the name.

    Example:
        >>> parse_domain("model.units", {"minimum": 32, "maximum": 256}).is_integer
        True
    """
    keys = set(value) if isinstance(value, dict) else set()
    if keys == {"choices"}:
        return _choices(name, value["choices"])
    if {"minimum", "maximum"} <= keys <= {"minimum", "maximum", "step", "scale"}:
        return _range(name, value)
    raise ValueError(
        f"{name}: expected a range (minimum, maximum, and perhaps step and scale), choices, or a "
        f"list (of ranges; number and items; number, largest and ratio), found {value!r}"
    )


def _choices(name: str, values: Any) -> Choices:
    if not isinstance(values, list) or not values:
        raise ValueError(f"{name}.choices: expected a list of values, found {values!r}")
    # Searches choose among scalars.
    values = [json.dumps(value) if isinstance(value, list) else value for value in values]
    if all(map(is_number, values)) and any(isinstance(value, float) for value in values):
        values = [float(value) for value in values]
    if len({type(value) for value in values}) > 1 or not isinstance(values[0], Scalar):
        raise ValueError(f"{name}.choices: expected values of one kind, found {values!r}")
    if len(set(values)) < len(values):
        raise ValueError(f"{name}.choices: expected different values, found {values!r}")
    return Choices(tuple(values))


def _range(name: str, value: Mapping[str, Any]) -> Range:
    ends = (value["minimum"], value["maximum"])
    step, scale = value.get("step"), value.get("scale", "linear")
    if not all(map(is_number, ends)) or not ends[0] < ends[1]:
        raise ValueError(f"{name}: expected minimum < maximum, finite numbers, found {list(ends)}")
    if scale not in ("linear", "log"):
        raise ValueError(f"{name}.scale: expected linear or log, found {scale!r}")
    if scale == "log" and ends[0] <= 0:
        raise ValueError(f"{name}.minimum: expected a positive number for log, found {ends[0]}")
    found = Range(*ends, step, scale)
    smallest = 1 if scale == "log" else 0
    if step is not None and not (is_number(step) and step > smallest):
        raise ValueError(f"{name}.step: expected more than {smallest}, found {step!r}")
    if step is not None and found.is_integer and not isinstance(step, int):
        raise ValueError(f"{name}.step: expected an integer between integers, found {step!r}")
    return found


def from_text(value: Any) -> Any:
    """A choice as it is meant: a list where it is the JSON text of one."""
    return json.loads(value) if isinstance(value, str) and value.startswith("[") else value


def is_number(value: Any) -> bool:
    """Whether a value of a TOML file is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
