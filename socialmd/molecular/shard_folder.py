"""Folder of what shards have read, until one of them finds all of it there."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from socialmd.data.dataset_writer import check_recipe
from socialmd.files import read_json, write_atomically, write_json
from socialmd.molecular.followed_simulation import FollowedSimulation
from socialmd.molecular.simulation_files import SimulationFiles

__all__ = ["ShardFolder"]

SETTINGS_FILE = "settings.json"

OPTIONAL = ("anchors", "boxes")  # of what is kept of a simulation; empty where there is none


class ShardFolder:
    """The folder `.DATA.shards/` beside a data set `DATA`.

    It holds `settings.json` and one `.npz` file for each simulation that was read. A file appears
    when it is whole, and says what it was read from: it counts only as long as settings, and names,
    sizes and times of the simulation's files are the same.
    Simulations are numbered as their files are given. A folder of other settings is refused.
    """

    def __init__(
        self, output: Path, settings: Mapping[str, Any], simulations: Sequence[SimulationFiles]
    ):
        output = output.absolute()
        self.path = output.with_name(f".{output.name}.shards")
        self._settings = settings
        self._fingerprints = [_fingerprint(settings, files) for files in simulations]
        self._check()

    def claim(self) -> None:
        """Make the folder, unless another process has, with the same settings."""
        if not (self.path / SETTINGS_FILE).exists():
            write_json(self.path / SETTINGS_FILE, self._settings)
        self._check()

    def missing(self) -> list[int]:
        """Numbers of the simulations that are still to be read."""
        numbers = range(len(self._fingerprints))
        return [number for number in numbers if self._read(number, ()) is None]

    def save(self, number: int, simulation: FollowedSimulation) -> None:
        """Write what was read of a simulation; its slices are left out.

        Nothing is left of it if another process is removing the folder, because it has found all
        that it needs there.
        """
        arrays = {"fingerprint": self._fingerprints[number], **simulation._asdict()}
        del arrays["slices"]
        for name in OPTIONAL:
            if arrays[name] is None:
                arrays[name] = np.zeros(0)
        with suppress(FileNotFoundError):
            write_atomically(
                self._file(number), lambda file: np.savez(file, allow_pickle=False, **arrays)
            )

    def load(self, number: int) -> FollowedSimulation | None:
        """What was read of a simulation, without slices; `None` if it is still to be read."""
        numbers, words = ("positions", "radii", *OPTIONAL), ("source", "names", "atoms", "frames")
        found = self._read(number, (*numbers, *words))
        if found is None:
            return None
        found |= {key: found[key].tolist() for key in words}
        found |= {key: found[key] if found[key].size else None for key in OPTIONAL}
        return FollowedSimulation(**found)

    def remove(self) -> None:
        """Remove the folder and what was written to it, if it is there."""
        with suppress(FileNotFoundError):  # another process is removing it, too
            for pattern in ("simulation_*.npz", ".*.tmp", SETTINGS_FILE):
                for path in self.path.glob(pattern):
                    path.unlink(missing_ok=True)
        with suppress(OSError):  # gone, or another process is writing there, and will remove it
            self.path.rmdir()

    def _file(self, number: int) -> Path:
        return self.path / f"simulation_{number:05d}.npz"

    def _check(self) -> None:
        path = self.path / SETTINGS_FILE
        with suppress(FileNotFoundError):
            check_recipe(path, read_json(path), self._settings)

    def _read(self, number: int, keys: Sequence[str]) -> dict[str, Any] | None:
        path = self._file(number)
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                if str(file["fingerprint"]) != self._fingerprints[number]:
                    return None
                return {key: file[key] for key in keys}
        except OSError:
            if path.exists():
                raise
            return None  # never there, or removed while it was read
        except (zipfile.BadZipFile, EOFError, KeyError, ValueError) as error:
            raise ValueError(
                f"{path}: damaged ({error}); remove it to have the simulation read again"
            ) from error


def _fingerprint(settings: Mapping[str, Any], files: SimulationFiles) -> str:
    """Changes with the settings, with what is kept, and when a file is replaced by another one."""
    paths = files.paths if files.topology is None else (files.topology, *files.paths)
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return hashlib.sha256(
        json.dumps([settings, FollowedSimulation._fields, stats]).encode()
    ).hexdigest()
