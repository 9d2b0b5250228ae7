"""The folder of a simulated data set, which several processes may be filling at the same time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

from socialmd.config import ExperimentConfig
from socialmd.data.dataset_description import (
    DESCRIPTION_FILE,
    checksum,
    describe_dataset,
    read_description,
    simulation_name,
)
from socialmd.files import write_atomically

__all__ = ["UNFINISHED_FILE", "OutputFolder", "allow_for_others"]

# Lies in the folder until `dataset.json` does; says whose unfinished simulations are in there.
UNFINISHED_FILE = "unfinished.json"


class OutputFolder:
    """What belongs into the folder, what is missing there, and what must not be there.

    The order in which files come and go lets processes that know nothing of each other share the
    work: `unfinished.json`, simulations, `dataset.json`; then `unfinished.json` goes. Whatever is
    seen of the folder, one of the two says how the simulations in it were made.

    Args:
        config: its `system` and `simulation` define the data set.
        directory: the folder; need not exist.

    Attributes:
        files: path of each simulation, and its number.

    Example:
        >>> len(OutputFolder(load_config("models/thesis.toml"), "data/monopoles").missing())
        140
    """

    def __init__(self, config: ExperimentConfig, directory: str | Path):
        self.config = config
        self.directory = Path(directory)
        self.description = self.directory / DESCRIPTION_FILE
        self.marker = self.directory / UNFINISHED_FILE
        splits = [split for split, count in config.simulation.splits.items() for _ in range(count)]
        self.files = {
            self.directory / split / simulation_name(index): index
            for index, split in enumerate(splits)
        }
        self._law = config.system.model_dump(mode="json")
        self._simulation = config.simulation.model_dump(mode="json")
        self._recipe = _recipe(self._law, self._simulation)

    def missing(self) -> list[Path]:
        """The simulations that are not there."""
        return [path for path in self.files if not path.exists()]

    def check(self) -> None:
        """Refuse a folder that holds anything else; nothing is changed.

        Raises:
            ValueError: there are simulations of another configuration or of unknown origin, a file
                that differs from its checksum, or a foreign one.
            NotADirectoryError: it is a file.
        """
        if not self.directory.exists():
            return
        if not self.directory.is_dir():
            raise NotADirectoryError(f"{self.directory}: expected a folder, found a file")
        # Asked in this order, because another process may be completing the data set.
        is_begun = len(self.missing()) < len(self.files)
        # First, because a folder of another configuration may hold other files for that reason.
        is_explained = self._check_marker()
        if self.description.exists():
            is_explained = True
            self._check_description()
        for path in self.directory.rglob("*"):
            if not (self._is_ours(path) or self._is_leftover(path) or path.is_dir()):
                raise ValueError(
                    f"{self.directory}: expected no file of another origin, found {path}"
                )
        if is_begun and not is_explained:
            raise ValueError(
                f"{self.directory}: holds simulations, but neither {DESCRIPTION_FILE} nor "
                f"{UNFINISHED_FILE} says how they were made"
            )

    def claim(self, is_alone: bool) -> None:
        """Write `unfinished.json`.

        Args:
            is_alone: whether no other process begins at this moment. If some may, the first one
                decides on the configuration, for which the file system needs hard links.

        Raises:
            ValueError: another process has claimed the folder for another configuration.
            OSError: the folder cannot be written.
        """
        with suppress(FileExistsError), allow_for_others(self.description):
            write_atomically(
                self.marker, lambda file: file.write(self._recipe.encode()), replace=is_alone
            )
        self._check_marker()

    def complete(self) -> None:
        """Write `dataset.json` and remove what interrupted writes left; for when all is there.

        Raises:
            OSError: the folder cannot be written.
        """
        with allow_for_others(self.description):
            describe_dataset(
                self.directory,
                features=("x", "y", "mass", "charge"),
                frame_spacing=self.config.simulation.time_step * self.config.simulation.keep_every,
                law=self._law,
                simulation=self._simulation,
            )
        for path in filter(self._is_leftover, self.directory.rglob("*")):
            path.unlink(missing_ok=True)
        self.marker.unlink(missing_ok=True)

    def _is_ours(self, path: Path) -> bool:
        return path in self.files or path in (self.description, self.marker)

    def _is_leftover(self, path: Path) -> bool:
        """Whether a file is the temporary one of a write that was interrupted, or is going on."""
        unfinished = re.fullmatch(r"\.(.+)\.[0-9a-f]+\.tmp", path.name)
        return bool(unfinished and self._is_ours(path.with_name(unfinished[1])))

    def _check_marker(self) -> bool:
        """Compare what `unfinished.json` says, if it is there."""
        try:
            _compare(self.marker, self.marker.read_text("utf-8"), self._recipe)
        except FileNotFoundError:
            return False
        return True

    def _check_description(self) -> None:
        found = read_description(self.directory)
        _compare(self.description, _recipe(found.law, found.simulation), self._recipe)
        for path in self.files:
            expected = found.files.get(path.relative_to(self.directory).as_posix())
            if path.exists() and checksum(path) != expected:
                raise ValueError(
                    f"{path}: differs from its checksum in {DESCRIPTION_FILE}; "
                    "delete it to have it simulated again"
                )


@contextmanager
def allow_for_others(path: Path) -> Iterator[None]:
    """While something is written that is not needed any more if another process was faster.

    Whichever process completes the data set removes all temporary files, those of others too that
    are writing what it found there.

    Args:
        path: the file that is there in this case.

    Raises:
        FileNotFoundError: the temporary file is gone, and the file is not there.
    """
    try:
        yield
    except FileNotFoundError:
        if not path.exists():
            raise


def _recipe(law: dict[str, Any] | None, simulation: dict[str, Any] | None) -> str:
    return json.dumps({"law": law, "simulation": simulation}, indent=2) + "\n"


def _compare(path: Path, found: str, recipe: str) -> None:
    for there, here in zip_longest(found.splitlines(), recipe.splitlines(), fillvalue="nothing"):
        if there != here:
            raise ValueError(
                f"{path}: the folder holds simulations of another configuration: "
                f"expected {here.strip(' ,')}, found {there.strip(' ,')}"
            )
