"""Entries of `[search.model]` and `[search.training]`: what a hyperparameter search may vary.

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

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from socialmd.config.search_domain import Domain, Range, from_text, is_number, parse_domain

__all__ = ["Condition", "Entry", "Hyperparameter", "parse_entry", "set_value"]


class Condition(NamedTuple):
    """A hyperparameter exists only where another one has one of these values."""

    parent: str
    values: tuple[int, ...]


class Hyperparameter(NamedTuple):
    """One dimension of the space: `"model.filters.number"`, say."""

    name: str
    domain: Domain
    condition: Condition | None = None


@dataclass(frozen=True)
class Entry:
    """What may be varied of one key.

    Args:
        hyperparameters: those that make up the value, parents before those that need them.
        assemble: from their values by name, those that exist, to the value.
        examples: values of the key, or of a list's elements, that have to be possible.
        is_list: whether the examples are elements of a list.
    """

    hyperparameters: tuple[Hyperparameter, ...]
    assemble: Callable[[Mapping[str, Any]], Any]
    examples: tuple[Any, ...]
    is_list: bool = False


def parse_entry(name: str, value: Any) -> Entry:
    """Read one entry.

    Args:
        name: of the key, `"model.units"`.
        value: as TOML has it.

    Returns:
        The entry.

    Raises:
        ValueError: it is none of the above; the message names the key and what was found.

    Example:
        >>> entry = parse_entry("model.filters", {"number": {"minimum": 2, "maximum": 3},
        ...                                       "items": {"choices": [8, 16]}})
        >>> [parameter.name for parameter in entry.hyperparameters]
        ['model.filters.number', 'model.filters.0', 'model.filters.1', 'model.filters.2']
        >>> entry.assemble({"model.filters.number": 2, "model.filters.0": 8, "model.filters.1": 16})
        [8, 16]
    """
    if isinstance(value, list) and value:
        domains = [parse_domain(f"{name}.{index}", each) for index, each in enumerate(value)]
        return _fixed_list(name, domains)
    keys = set(value) if isinstance(value, dict) else set()
    if keys == {"number", "items"}:
        items = parse_domain(f"{name}.items", value["items"])
        return _variable_list(name, _number(name, value), items)
    if keys == {"number", "largest", "ratio"}:
        largest = _positive(f"{name}.largest", value["largest"], 0.0)
        ratio = _positive(f"{name}.ratio", value["ratio"], 1.0)
        return _geometric(name, _number(name, value), largest, ratio)
    domain = parse_domain(name, value)
    parameters = (Hyperparameter(name, domain),)
    return Entry(parameters, lambda values: from_text(values[name]), tuple(domain.examples))


def _fixed_list(name: str, domains: list[Domain]) -> Entry:
    names = [f"{name}.{index}" for index in range(len(domains))]
    return Entry(
        tuple(map(Hyperparameter, names, domains)),
        lambda values: [values[each] for each in names],
        tuple(example for domain in domains for example in domain.examples),
        is_list=True,
    )


def _variable_list(name: str, number: Range, domain: Domain) -> Entry:
    parent, longest = f"{name}.number", int(number.maximum)
    items = (
        Hyperparameter(f"{name}.{index}", domain, _longer_than(parent, index, number))
        for index in range(longest)
    )
    return Entry(
        (Hyperparameter(parent, number), *items),
        lambda values: [values[f"{name}.{index}"] for index in range(values[parent])],
        tuple(domain.examples),
        is_list=True,
    )


def _longer_than(parent: str, index: int, number: Range) -> Condition | None:
    """Element `index` exists in lists of more elements only."""
    if index < number.minimum:
        return None
    return Condition(parent, tuple(range(index + 1, int(number.maximum) + 1)))


def _geometric(name: str, number: Range, largest: Domain, ratio: Domain) -> Entry:
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
    return Entry(parameters, assemble, tuple(map(float, largest.examples)), is_list=True)


def _number(name: str, value: Mapping[str, Any]) -> Range:
    """How many elements a list has."""
    number = parse_domain(f"{name}.number", value["number"])
    if not isinstance(number, Range) or not number.is_integer or number.minimum < 1:
        raise ValueError(
            f"{name}.number: expected a range of positive integers, found {value['number']!r}"
        )
    return Range(number.minimum, number.maximum)


def _positive(name: str, value: Any, limit: float) -> Domain:
    domain = parse_domain(name, value)
    if not all(is_number(each) and each > limit for each in domain.examples):
        raise ValueError(f"{name}: expected numbers larger than {limit:g}, found {value!r}")
    return domain


def set_value(table: dict[str, Any], key: str, value: Any) -> None:
    """Put a value where a key leads, in a table and its lists of tables.

    Args:
        table: of a configuration; is changed.
        key: `"units"`, or `"phases.0.window"`.
        value: what to put there.

    Raises:
        LookupError: there is no such key or element; the message says which there are.

    Example:
        >>> table = {"phases": [{"window": 8}]}
        >>> set_value(table, "phases.0.window", 12)
        >>> table
        {'phases': [{'window': 12}]}
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
