"""Writer of a data set: whole files only, none beside those of another origin, description last."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from socialmd.claim import TEMPORARY
from socialmd.data.dataset_description import (
    BOXES,
    DESCRIPTION_FILE,
    SPLITS,
    DatasetDescription,
    checksum,
    describe_dataset,
    read_description,
    save_array,
)
from socialmd.files import holds_nothing, put_in_place, read_json, unfinished_folder, write_json
from socialmd.types import Array

__all__ = ["DatasetWriter", "allow_for_others", "check_recipe"]

# Lies in the folder until `dataset.json` does; says whose unfinished simulations are in there.
UNFINISHED_FILE = "unfinished.json"


class DatasetWriter:
    """Writes a data set into a folder that holds nothing else, or what is missing of it there.

    Either all of it at once (`write`), or file by file (`begin`, `save`, `complete`). Several
    processes that know nothing of each other may share the latter, because of the order in which
    files come and go: `unfinished.json`, arrays, `dataset.json`; then `unfinished.json` goes.
    Whatever is seen of the folder, one of the two says how the arrays in it were made: by the
    `recipe`, JSON, of `law` and `simulation`, or `settings` of a preprocessing (see
    `DatasetDescription`). `files` are the paths of all arrays, if they are written one by one.
    """

    def __init__(self, directory: str | Path, recipe: Mapping[str, Any], files: Sequence[str] = ()):
        self.directory = Path(directory)
        self.recipe = recipe
        self.files = files
        self._description = self.directory / DESCRIPTION_FILE
        self._marker = self.directory / UNFINISHED_FILE
        self._ours = {*files, DESCRIPTION_FILE, UNFINISHED_FILE}

    def missing(self) -> list[str]:
        """The files that are not there."""
        return [name for name in self.files if not (self.directory / name).exists()]

    def check(self) -> bool:
        """Refuse a folder that holds anything else or was changed; say whether all is there."""
        if not self.directory.exists():
            return False
        if not self.directory.is_dir():
            raise NotADirectoryError(f"{self.directory}: expected a folder, found a file")
        # Asked in this order, because another process may be completing the data set. Names come
        # last, because a folder of another recipe may hold other files for that reason.
        missing, is_empty = self.missing(), holds_nothing(self.directory)
        is_unfinished = self._check_marker()
        is_described = self._check_description()
        if not self.files and (is_described or is_empty):
            return is_described
        for path in self.directory.rglob("*"):
            if not (path.is_dir() or self._is_ours(path)):
                raise ValueError(
                    f"{self.directory}: expected no file of another origin, found {path}; "
                    "choose another folder or remove it"
                )
        if len(missing) < len(self.files) and not (is_unfinished or is_described):
            raise ValueError(
                f"{self.directory}: holds simulations, but neither {DESCRIPTION_FILE} nor "
                f"{UNFINISHED_FILE} says how they were made"
            )
        return is_described and not is_unfinished and not missing

    def write(self, arrays: Mapping[str, Array], **description: Any) -> bool:
        """Write the whole data set, arrays by their paths in the folder, or nothing.

        One that is there is compared with it. Says whether it was written, and not there before.
        """
        self.check()
        with unfinished_folder(self.directory, wait=True) as unfinished:
            is_there = self.check()  # another process may have written it
            for name, array in arrays.items():
                save_array(unfinished / name, array)
            expected = describe_dataset(unfinished, **description)
            _check_splits(expected)
            if is_there:
                self._check_same(expected)
            else:
                put_in_place(unfinished, (*SPLITS, BOXES, DESCRIPTION_FILE))
        return not is_there

    def begin(self, is_alone: bool) -> None:
        """Write `unfinished.json`.

        If not `is_alone`, other processes may begin at this moment. The first one then decides on
        the recipe, for which the file system needs hard links.
        """
        with suppress(FileExistsError), allow_for_others(self._description):
            write_json(self._marker, self.recipe, replace=is_alone)
        self._check_marker()

    def save(self, name: str, array: Array) -> None:
        """Write one of the files, by its path in the folder."""
        path = self.directory / name
        with allow_for_others(path):
            save_array(path, array)

    def complete(self, **description: Any) -> None:
        """Write `dataset.json` and remove what interrupted writes left; for when all is there."""
        with allow_for_others(self._description):
            describe_dataset(self.directory, **description)
        for path in self.directory.rglob(".*.tmp"):
            if self._is_ours(path):
                path.unlink(missing_ok=True)
        self._marker.unlink(missing_ok=True)

    def _is_ours(self, path: Path) -> bool:
        """Also the temporary file of a write that was interrupted, or is going on."""
        if match := TEMPORARY.fullmatch(path.name):
            path = path.with_name(match[1])
        return path.relative_to(self.directory).as_posix() in self._ours

    def _check_marker(self) -> bool:
        """Whether `unfinished.json` is there."""
        with suppress(FileNotFoundError):
            check_recipe(self._marker, read_json(self._marker), self.recipe)
            return True
        return False

    def _check_description(self) -> bool:
        """Whether `dataset.json` is there."""
        if not self._description.exists():
            return False
        found = read_description(self.directory)
        recipe = {**found.model_dump(), "settings": (found.preprocessing or {}).get("settings")}
        check_recipe(self._description, {key: recipe[key] for key in self.recipe}, self.recipe)
        for name in self.files:
            path = self.directory / name
            if path.exists() and checksum(path) != found.files.get(name):
                raise ValueError(
                    f"{path}: differs from its checksum in {DESCRIPTION_FILE}; "
                    "delete it to have it made again"
                )
        return True

    def _check_same(self, expected: DatasetDescription) -> None:
        """Refuse another data set, or one that was changed; versions may differ."""
        found = read_description(self.directory)
        if (key := found.first_difference(expected)) is not None:
            raise ValueError(
                f"{self.directory}: holds another data set of the same settings, one with other "
                f"{key}; choose another folder or remove it"
            )
        for name, sha in found.files.items():
            path = self.directory / name
            if not path.is_file() or checksum(path) != sha:
                raise ValueError(
                    f"{path}: missing, or changed since {DESCRIPTION_FILE} was written; "
                    f"remove {self.directory} to have it made again"
                )


@contextmanager
def allow_for_others(path: Path) -> Iterator[None]:
    """While something is written that is not needed any more if another process was faster.

    Whichever process completes the data set removes all temporary files, those of others too that
    are writing what it found there: no error if `path` is there then.
    """
    try:
        yield
    except FileNotFoundError:
        if not path.exists():
            raise


def check_recipe(path: Path, found: Any, expected: Mapping[str, Any]) -> None:
    """Refuse what was made otherwise, by the first key that differs.

    `path` says how it was made: `found`, as it was read from JSON.
    """
    here = _flatten(json.loads(json.dumps(expected, allow_nan=False)))
    there = _flatten(found) if isinstance(found, Mapping) else {}
    for key in {**here, **there}:
        if there.get(key) != here.get(key):
            raise ValueError(
                f"{path}: made otherwise: {key}: expected {here.get(key)}, found {there.get(key)}; "
                "choose another folder or remove it"
            )


def _flatten(recipe: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in recipe.items():
        is_table = isinstance(value, Mapping)
        flat |= _flatten(value, f"{prefix}{key}.") if is_table else {f"{prefix}{key}": value}
    return flat


def _check_splits(description: DatasetDescription) -> None:
    """No trajectory in two splits: the input pipeline would refuse the data set."""
    first: dict[str, str] = {}
    for path, sha in description.files.items():
        if path.startswith(BOXES):  # the same walls everywhere
            continue
        if Path(other := first.setdefault(sha, path)).parent != Path(path).parent:
            raise ValueError(
                f"files: expected none that two splits share, found {other} equal to {path}"
            )
