"""What may lie where a data set of molecules will be written: nothing, or the same one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from socialmd.claim import LOCK
from socialmd.data.dataset_description import (
    DESCRIPTION_FILE,
    DatasetDescription,
    checksum,
    read_description,
)
from socialmd.files import UNFINISHED

__all__ = ["as_json", "check_identical", "check_output_folder", "check_settings"]


def as_json(value: object) -> Any:
    """As it will be read back: tuples become lists.

    Args:
        value: what JSON can express.

    Raises:
        ValueError: a number is not finite.
        TypeError: something else cannot be expressed.

    Example:
        >>> as_json({"split": (70, 30)})
        {'split': [70, 30]}
    """
    return json.loads(json.dumps(value, allow_nan=False))


def check_output_folder(directory: str | Path, settings: Mapping[str, Any]) -> bool:
    """Refuse a folder that holds anything but a data set of these settings.

    `write_molecular_dataset` does; asking earlier saves hours of reading.

    Args:
        directory: of the data set.
        settings: as for `write_molecular_dataset`.

    Returns:
        Whether there is a data set; `False` when the folder is absent or empty.

    Raises:
        ValueError: the folder holds something else. The message says what.
        NotADirectoryError: it is a file.

    Example:
        >>> check_output_folder("data/carriers", {"slices": 10})
        False
    """
    directory = Path(directory)
    if not directory.exists():
        return False
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory}: expected a folder, found a file")
    entries = sorted(path.name for path in directory.iterdir() if path.name != LOCK)
    if not entries:
        return False
    if DESCRIPTION_FILE not in entries and UNFINISHED in entries:  # of an interrupted process
        return False
    if DESCRIPTION_FILE not in entries:
        raise ValueError(
            f"{directory}: expected no folder, an empty one or a data set, "
            f"found {entries[0]} and no {DESCRIPTION_FILE}; choose another folder or remove it"
        )
    found = (read_description(directory).preprocessing or {}).get("settings", {})
    check_settings(directory, "a data set of", found, as_json(settings))
    return True


def check_settings(
    directory: Path, what: str, found: Mapping[str, Any], expected: Mapping[str, Any]
) -> None:
    """Refuse a folder that was written with other settings.

    Args:
        directory: the folder.
        what: is in it, for the message.
        found: the settings of which it says that it was written with them.
        expected: those that are asked for; both as they are read from JSON.

    Raises:
        ValueError: they differ. The message names the first key that does.
    """
    for key in {**expected, **found}:
        if found.get(key) != expected.get(key):
            raise ValueError(
                f"{directory}: holds {what} other settings: {key}: "
                f"expected {expected.get(key)}, found {found.get(key)}; "
                "choose another folder or remove it"
            )


def check_identical(directory: Path, expected: DatasetDescription) -> None:
    """Refuse a folder that holds another data set, or one that was changed.

    Args:
        directory: of the data set.
        expected: its description; versions may differ.

    Raises:
        ValueError: the description differs, or a file from its checksum there.
    """
    found = read_description(directory)
    if (key := found.first_difference(expected)) is not None:
        raise ValueError(
            f"{directory}: holds another data set of the same settings, one with other {key}; "
            "choose another folder or remove it"
        )
    for path, sha in found.files.items():
        if not (directory / path).is_file() or checksum(directory / path) != sha:
            raise ValueError(
                f"{directory / path}: missing, or changed since {DESCRIPTION_FILE} was written; "
                f"remove {directory} to have it made again"
            )
