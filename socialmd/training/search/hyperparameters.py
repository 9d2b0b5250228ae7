"""`[search]` as KerasTuner's hyperparameters, and their values as an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras_tuner

from socialmd.config import ExperimentConfig, SearchConfig
from socialmd.config.search_config import Hyperparameter, Range, set_value

__all__ = ["make_experiment", "make_hyperparameters"]


def make_hyperparameters(search: SearchConfig) -> keras_tuner.HyperParameters:
    """One hyperparameter for each number or choice, named `"model.units"`, `"model.filters.0"`."""
    space = keras_tuner.HyperParameters()
    for entry in search.entries.values():
        for hyperparameter in entry.hyperparameters:
            _register(space, hyperparameter)
    return space


def _register(space: keras_tuner.HyperParameters, hyperparameter: Hyperparameter) -> None:
    name, domain, condition = hyperparameter
    within: dict[str, Any] = {}
    if condition is not None:
        within = {"parent_name": condition.parent, "parent_values": list(condition.values)}
    if isinstance(domain, Range):
        register = space.Int if domain.is_integer else space.Float
        register(
            name, domain.minimum, domain.maximum, step=domain.step, sampling=domain.scale, **within
        )
    elif domain.values == (domain.values[0],):
        space.Fixed(name, domain.values[0], **within)
    elif isinstance(domain.values[0], bool):  # which a choice would make integers
        space.Boolean(name, default=domain.values[0], **within)
    else:
        space.Choice(name, list(domain.values), **within)


def make_experiment(config: ExperimentConfig, values: Mapping[str, Any]) -> ExperimentConfig:
    """The experiment with these values, by name, of the hyperparameters that exist in a trial.

    It is trained no longer than a trial may be, and there is nothing left to search for.
    """
    search = config.search
    if search is None:
        raise ValueError("config: expected a table [search], found none")
    tables: dict[str, dict[str, Any]] = {
        "model": config.model.model_dump(),
        "training": config.training.model_dump(),
    }
    if search.epochs is not None:
        tables["training"]["epochs"] = search.epochs
    for name, entry in search.entries.items():
        table, key = name.split(".", 1)
        set_value(tables[table], key, entry.assemble(values))
    given = {"system": config.system, "simulation": config.simulation, "data": config.data}
    return ExperimentConfig.model_validate({**given, **tables})
