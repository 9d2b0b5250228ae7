"""Configuration files: TOML, read and written."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from socialmd.config.experiment_config import ExperimentConfig
from socialmd.config.section import describe_faults
from socialmd.files import read_text, write_atomically
from socialmd.presets import find_configuration

__all__ = ["load_config", "read_toml", "save_config"]


def load_config(name_or_path: str | Path) -> ExperimentConfig:
    """Read and validate an experiment's TOML file.

    Args:
        name_or_path: the file, or the name of a configuration that comes with the package.

    Returns:
        The configuration, with the default for everything that the file leaves out.

    Raises:
        FileNotFoundError: there is neither such a file nor such a name.
        ValueError: it is no TOML, has an unknown key or an impossible value. The message names
            the file and, for every fault, key, expectation and value found.

    Example:
        >>> load_config("thesis").model.grid_sizes
        (11.0, 5.5, 2.75, 1.375)
    """
    path = find_configuration(name_or_path)
    tables = read_toml(path)
    if not tables and not read_text(path).strip():
        raise ValueError(f"{path}: expected a configuration, found an empty file")
    try:
        return ExperimentConfig.model_validate(tables)
    except ValidationError as error:
        faults = "\n  ".join(describe_faults(error))
        raise ValueError(f"{path}: not a valid configuration:\n  {faults}") from None


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file, whatever its tables are."""
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not a TOML file: {error}") from None


def save_config(
    config: ExperimentConfig, path: str | Path, tables: Collection[str] | None = None
) -> None:
    """Write the resolved configuration, every key spelled out, as a TOML file.

    Args:
        config: the configuration.
        path: the file, whole or not at all; `load_config` reads it back to an equal configuration.
        tables: names of those to write; all if none are given.

    Raises:
        OSError: the file cannot be written.
    """
    include = None if tables is None else set(tables)
    content = config.model_dump(mode="json", exclude_none=True, include=include)
    write_atomically(path, lambda file: tomli_w.dump(content, file))
