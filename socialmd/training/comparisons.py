"""Comparisons of an experiment with variants of it: a TOML file -> configurations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from socialmd.config import DataConfig, ExperimentConfig
from socialmd.config.load_config import read_toml
from socialmd.config.section import ConfigSection, describe_faults
from socialmd.presets import find_configuration

__all__ = ["REFERENCE", "Comparison", "read_comparisons"]

REFERENCE = "reference"
NAME = re.compile(r"[a-z0-9_]+")  # names become those of files and folders
Table = TypeVar("Table", bound=ConfigSection)


class _Variants(ConfigSection):
    """One table of the file: a title, and by name what each variant changes."""

    title: str
    variants: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]


@dataclass(frozen=True)
class Comparison:
    """An experiment and variants of it."""

    title: str
    keys: tuple[str, ...]  # names in `[model]` and `[data]` that distinguish the variants
    experiments: dict[str, ExperimentConfig]  # the first is the base itself, `"reference"`

    def settings(self, variant: str) -> dict[str, Any]:
        """What distinguishes one variant: the values of all `keys`."""
        experiment = self.experiments[variant].model_dump(mode="json")
        values = {**experiment["model"], **experiment["data"]}
        return {key: values[key] for key in self.keys}


def read_comparisons(path: str | Path, base: ExperimentConfig) -> dict[str, Comparison]:
    """Comparisons by name, from a TOML file or the name of one that comes with the package.

    Each of its tables has a `title` and a table `variants`, which says by name what each variant
    changes in `[model]` or `[data]`, whose keys all differ. A variant that does not differ from the
    base is left out: it is the reference itself.
    """
    path = find_configuration(path)
    tables = read_toml(path)
    if not tables:
        raise ValueError(f"{path}: expected one table for each comparison, found none")
    comparisons = {}
    known: dict[str, ExperimentConfig] = {}
    for name, values in tables.items():
        _check_name(name, str(path))
        table = _validate(_Variants, values, f"{path}: {name}")
        experiments = {REFERENCE: base}
        for variant, changes in table.variants.items():
            where = f"{path}: {name}.variants.{variant}"
            _check_name(variant, f"{path}: {name}.variants")
            experiment = _vary(base, changes, where)
            if known.setdefault(variant, experiment) != experiment:
                raise ValueError(
                    f"{where}: expected what the same name stands for above, found {changes}"
                )
            if experiment != base:
                experiments[variant] = experiment
        keys = dict.fromkeys(key for changes in table.variants.values() for key in changes)
        comparisons[name] = Comparison(table.title, tuple(keys), experiments)
    return comparisons


def _vary(base: ExperimentConfig, changes: dict[str, Any], where: str) -> ExperimentConfig:
    """The experiment with some keys of `[model]` and `[data]` changed."""
    of_data = {key: value for key, value in changes.items() if key in DataConfig.model_fields}
    of_model = {key: value for key, value in changes.items() if key not in of_data}
    return base.model_copy(
        update={
            "model": _validate(type(base.model), {**base.model.model_dump(), **of_model}, where),
            "data": _validate(DataConfig, {**base.data.model_dump(), **of_data}, where),
        }
    )


def _check_name(name: str, where: str) -> None:
    if not NAME.fullmatch(name) or name == REFERENCE:
        raise ValueError(
            f"{where}: expected names of lower-case letters, digits and underscores, other than "
            f"{REFERENCE!r}, found {name!r}"
        )


def _validate(section: type[Table], values: Any, where: str) -> Table:
    try:
        return section.model_validate(values)
    except ValidationError as error:
        faults = [f"{where}: {fault}" for fault in describe_faults(error)]
        raise ValueError("\n".join(faults)) from None
