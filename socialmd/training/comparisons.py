"""Which variants of a network are compared: a TOML file -> configurations."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from socialmd.config import ModelConfig

__all__ = ["REFERENCE", "Comparison", "read_comparisons"]

REFERENCE = "reference"
NAME = re.compile(r"[a-z0-9_]+")  # names become those of files and folders
Section = TypeVar("Section", bound=BaseModel)


class _Table(BaseModel):
    """One table of the file: a title, and by name what each variant changes in `[model]`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str
    variants: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]


@dataclass(frozen=True)
class Comparison:
    """A network and variants of it.

    Args:
        title: what is compared.
        keys: names in `[model]` that distinguish the variants.
        models: by name of the variant; the first is the network itself, `"reference"`.
    """

    title: str
    keys: tuple[str, ...]
    models: dict[str, ModelConfig]


def read_comparisons(path: str | Path, base: ModelConfig) -> dict[str, Comparison]:
    """Read and validate a file of comparisons.

    Each of its tables has a `title` and a table `variants`, which says by name what each variant
    changes in `[model]`. A variant that does not differ from the base is left out: it is the
    reference itself.

    Args:
        path: the TOML file.
        base: the network that is varied.

    Returns:
        The comparisons by name.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no TOML, has an unknown key, an impossible value, an unsuitable name, or
            one name for different variants. The message names file, key and value found.

    Example:
        >>> base = load_config("models/comparison_base.toml").model
        >>> list(read_comparisons("models/comparisons.toml", base)["downsampling"].models)
        ['reference', 'max_pooling']
    """
    try:
        tables = tomllib.loads(Path(path).read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a TOML file: {error}") from None
    if not tables:
        raise ValueError(f"{path}: expected one table for each comparison, found none")
    comparisons = {}
    known: dict[str, ModelConfig] = {}
    for name, values in tables.items():
        _check_name(name, str(path))
        table = _validate(_Table, values, f"{path}: {name}")
        models = {}
        for variant, changes in table.variants.items():
            where = f"{path}: {name}.variants.{variant}"
            _check_name(variant, f"{path}: {name}.variants")
            models[variant] = _validate(ModelConfig, {**base.model_dump(), **changes}, where)
            if known.setdefault(variant, models[variant]) != models[variant]:
                raise ValueError(
                    f"{where}: expected what the same name stands for above, found {changes}"
                )
        differing = {variant: model for variant, model in models.items() if model != base}
        keys = dict.fromkeys(key for changes in table.variants.values() for key in changes)
        comparisons[name] = Comparison(table.title, tuple(keys), {REFERENCE: base, **differing})
    return comparisons


def _check_name(name: str, where: str) -> None:
    if not NAME.fullmatch(name) or name == REFERENCE:
        raise ValueError(
            f"{where}: expected names of lower-case letters, digits and underscores, other than "
            f"{REFERENCE!r}, found {name!r}"
        )


def _validate(section: type[Section], values: Any, where: str) -> Section:
    try:
        return section.model_validate(values)
    except ValidationError as error:
        faults = [f"{where}: {_describe(fault, section)}" for fault in error.errors()]
        raise ValueError("\n".join(faults)) from None


def _describe(fault: ErrorDetails, section: type[BaseModel]) -> str:
    if fault["type"] == "value_error":  # the section's own: names key and value already
        return str(fault["ctx"]["error"])
    message = fault["msg"].lower()
    if fault["type"] == "extra_forbidden":
        message = f"unknown key, expected one of {', '.join(section.model_fields)}"
    key = ".".join(map(str, fault["loc"]))
    return f"{key}: {message}, found {fault['input']!r}".removeprefix(": ")
