"""`[search]`: which hyperparameters a search varies, an entry for each in its tables.

An entry stands for the value of one key of `[model]` or `[training]`, and is written as one of

    { minimum = 32, maximum = 256, step = 32 }              numbers of a range; step and
    { minimum = 1e-4, maximum = 1e-2, scale = "log" }       scale may be left out
    { choices = ["position", "acceleration"] }              one of these, lists too
    [{ minimum = 64, maximum = 512 }, { choices = [128] }]  a list, each element for itself
    { number = { ... }, items = { ... } }                   a list of variable length
    { number = { ... }, largest = { ... }, ratio = { ... } }  a geometric series, largest first

A key in quotes leads into a list of tables: `"phases.0.window"` is that of the first phase.

An integer range has integer ends. With `scale = "log"` equal ratios are equally likely, and `step`
is the ratio of neighbours.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from socialmd.config.section import ConfigSection, PositiveFloat, PositiveInt

__all__ = ["Choices", "Hyperparameter", "Range", "SearchConfig", "parse_entry", "set_value"]

Scalar = bool | int | float | str


class SearchConfig(ConfigSection):
    """A search for better hyperparameters than those of `[model]` and `[training]`.

    Args:
        epochs: of each trial, at most; as many as `[training]` says if absent.
        minutes: that a trial may train, at most; what it has reached by then counts.
        memory_gib: that a trial's process may need; what is available if absent. One that needs
            more is ended, and recorded as failed.
        model, training: by key of `[model]` and `[training]`, which values to try.

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


class Range(NamedTuple):
    """Numbers from `minimum` to `maximum`, both included; integers if both ends are."""

    minimum: float
    maximum: float
    step: float | None = None
    scale: str = "linear"

    @property
    def is_integer(self) -> bool:
        """Whether its numbers are integers."""
        return isinstance(self.minimum, int) and isinstance(self.maximum, int)


class Choices(NamedTuple):
    """One of some values, each a number, a string or, as its JSON text, a list."""

    values: tuple[Scalar, ...]


Domain = Range | Choices


class Condition(NamedTuple):
    """A hyperparameter exists only where another one has one of these values."""

    parent: str
    values: tuple[int, ...]


class Hyperparameter(NamedTuple):
    """One dimension of the space: `"model.filters.number"`, say."""

    name: str
    domain: Domain
    condition: Condition | None = None


class Entry(NamedTuple):
    """What may be varied of one key: the hyperparameters, parents before those that need them.

    `assemble` makes the value of those that exist, by name; `examples` are values that have to be
    possible for all others to be.
    """

    hyperparameters: tuple[Hyperparameter, ...]
    assemble: Callable[[Mapping[str, Any]], Any]
    examples: tuple[Any, ...]


def parse_entry(name: str, value: Any) -> Entry:
    """Read the entry of one key, as TOML has it; `name` is `"model.units"`, say."""
    if isinstance(value, list) and value:
        names = [f"{name}.{index}" for index in range(len(value))]
        domains = list(map(_parse_domain, names, value))
        return Entry(
            tuple(map(Hyperparameter, names, domains)),
            lambda values: [values[each] for each in names],
            tuple([example] for domain in domains for example in _examples(domain)),
        )
    keys = set(value) if isinstance(value, dict) else set()
    if keys == {"number", "items"}:
        return _variable_list(name, value)
    if keys == {"number", "largest", "ratio"}:
        return _geometric(name, value)
    domain = _parse_domain(name, value)
    parameters = (Hyperparameter(name, domain),)
    return Entry(parameters, lambda values: _from_text(values[name]), tuple(_examples(domain)))


def _variable_list(name: str, value: Mapping[str, Any]) -> Entry:
    domain = _parse_domain(f"{name}.items", value["items"])
    parent, number = f"{name}.number", _number(name, value)
    items = (
        Hyperparameter(f"{name}.{index}", domain, _longer_than(parent, index, number))
        for index in range(int(number.maximum))
    )
    return Entry(
        (Hyperparameter(parent, number), *items),
        lambda values: [values[f"{name}.{index}"] for index in range(values[parent])],
        tuple([example] for example in _examples(domain)),
    )


def _longer_than(parent: str, index: int, number: Range) -> Condition | None:
    """Element `index` exists in lists of more elements only."""
    if index < number.minimum:
        return None
    return Condition(parent, tuple(range(index + 1, int(number.maximum) + 1)))


def _geometric(name: str, value: Mapping[str, Any]) -> Entry:
    largest = _positive(f"{name}.largest", value["largest"], 0.0)
    ratio = _positive(f"{name}.ratio", value["ratio"], 1.0)
    number = _number(name, value)

    def assemble(values: Mapping[str, Any]) -> list[float]:
        size, step = float(values[f"{name}.largest"]), float(values.get(f"{name}.ratio", 1.0))
        return [size / step**power for power in range(values[f"{name}.number"])]

    # The ratio of a single element means nothing.
    condition = _longer_than(f"{name}.number", 1, number)
    parameters = (
        Hyperparameter(f"{name}.number", number),
        Hyperparameter(f"{name}.largest", largest),
        Hyperparameter(f"{name}.ratio", ratio, condition),
    )
    return Entry(parameters, assemble, tuple([float(size)] for size in _examples(largest)))


def _number(name: str, value: Mapping[str, Any]) -> Range:
    """How many elements a list has."""
    number = _parse_domain(f"{name}.number", value["number"])
    if not isinstance(number, Range) or not number.is_integer or number.minimum < 1:
        raise ValueError(
            f"{name}.number: expected a range of positive integers, found {value['number']!r}"
        )
    return Range(number.minimum, number.maximum)


def _positive(name: str, value: Any, limit: float) -> Domain:
    domain = _parse_domain(name, value)
    if not all(_is_number(each) and each > limit for each in _examples(domain)):
        raise ValueError(f"{name}: expected numbers larger than {limit:g}, found {value!r}")
    return domain


def _examples(domain: Domain) -> list[Any]:
    """Values that have to be possible for all others to be."""
    return list(domain[:2]) if isinstance(domain, Range) else list(map(_from_text, domain.values))


def _parse_domain(name: str, value: Any) -> Domain:
    """Read a range or choices."""
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
    if all(map(_is_number, values)) and any(isinstance(value, float) for value in values):
        values = [float(value) for value in values]
    if len({type(value) for value in values}) > 1 or not isinstance(values[0], Scalar):
        raise ValueError(f"{name}.choices: expected values of one kind, found {values!r}")
    if len(set(values)) < len(values):
        raise ValueError(f"{name}.choices: expected different values, found {values!r}")
    return Choices(tuple(values))


def _range(name: str, value: Mapping[str, Any]) -> Range:
    ends = (value["minimum"], value["maximum"])
    step, scale = value.get("step"), value.get("scale", "linear")
    if not all(map(_is_number, ends)) or not ends[0] < ends[1]:
        raise ValueError(f"{name}: expected minimum < maximum, finite numbers, found {list(ends)}")
    if scale not in ("linear", "log"):
        raise ValueError(f"{name}.scale: expected linear or log, found {scale!r}")
    if scale == "log" and ends[0] <= 0:
        raise ValueError(f"{name}.minimum: expected a positive number for log, found {ends[0]}")
    found = Range(*ends, step, scale)
    smallest = 1 if scale == "log" else 0
    if step is not None and not (_is_number(step) and step > smallest):
        raise ValueError(f"{name}.step: expected more than {smallest}, found {step!r}")
    if step is not None and found.is_integer and not isinstance(step, int):
        raise ValueError(f"{name}.step: expected an integer between integers, found {step!r}")
    return found


def _from_text(value: Any) -> Any:
    """A choice as it is meant: a list where it is the JSON text of one."""
    return json.loads(value) if isinstance(value, str) and value.startswith("[") else value


def _is_number(value: Any) -> bool:
    """Whether a value of a TOML file is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def set_value(table: dict[str, Any], key: str, value: Any) -> None:
    """Put a value where a key like `"units"` or `"phases.0.window"` leads, in a table.

    Raises:
        LookupError: there is no such key or element; the message says which there are.
    """
    *path, last = key.split(".")
    part: Any = table
    for step in path:
        part = _parts(part, step)[step]
    if not isinstance(part, dict):
        raise LookupError("none")
    _parts(part, last)
    part[last] = value


def _parts(whole: Any, step: str) -> dict[str, Any]:
    """Parts of a table or list by key or number, one of which has to be `step`."""
    if isinstance(whole, list | tuple):
        whole = {str(number): part for number, part in enumerate(whole)}
    parts = whole if isinstance(whole, dict) else {}
    if step not in parts:
        raise LookupError(", ".join(parts) or "none")
    return parts
