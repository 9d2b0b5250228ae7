"""MDAnalysis, which reads all files of molecular dynamics, behind one door."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from socialmd.molecular.md_package import MDPackage

__all__ = ["MDAnalysis", "read_pdb", "read_pdb_coordinates", "read_trajectory", "without_noise"]

# Beginnings of warnings about what is not used here (elements, bonds, serial numbers, charges), is
# checked here (residue numbers: `choose_atoms`), or ends in an error unless it helps (seeking a
# frame once more). All others are shown.
HARMLESS = (
    "1 A^3 CRYST1 record",
    "CONECT records was corrupt",
    "Cannot write lock/offset file",
    "Constructed NamedStream from a NamedStream",
    "DCDReader currently makes independent timesteps",
    "Element information is missing",
    "Found CONECT record with single entry",
    "Invalid atom serials were present",
    "PDB file contained CONECT record to TER entry",
    "PDB file is missing resid information",
    "Reload offsets from trajectory",
    "Serial numbers went over 100,000",
    "Unknown element",
    "Unknown entry",
    "seek failed, recalculating offsets and retrying",
)


MDAnalysis: Any = MDPackage("MDAnalysis", "files of molecular dynamics are read and written")


def read_pdb(text: str, name: str) -> Any:
    """A `Universe` in memory of one frame of a PDB file; messages call the file by its name."""
    with without_noise():
        stream = _stream(text, name)
        return MDAnalysis.Universe(stream, topology_format="PDB", format="PDB", to_guess=())


def read_pdb_coordinates(universe: Any, text: str, name: str) -> None:
    """Parse the coordinates of another frame of the same atoms into a `Universe` of `read_pdb`."""
    with without_noise():
        universe.load_new(_stream(text, name), format="PDB")


def read_trajectory(topology: Path, trajectory: Path, pdb_text: str | None = None) -> Any:
    """A `Universe` at the first frame of an open trajectory.

    `pdb_text` is the first frame of the topology, if that is a PDB file.
    """
    with without_noise():
        if pdb_text is None:
            return MDAnalysis.Universe(str(topology), str(trajectory), to_guess=())
        stream = _stream(pdb_text, str(topology))
        return MDAnalysis.Universe(stream, str(trajectory), topology_format="PDB", to_guess=())


@contextmanager
def without_noise() -> Iterator[None]:
    """Silence those warnings of MDAnalysis that say nothing about the molecules."""
    with warnings.catch_warnings():
        for beginning in HARMLESS:
            warnings.filterwarnings("ignore", re.escape(beginning))
        yield


def _stream(text: str, name: str) -> Any:
    return MDAnalysis.lib.util.NamedStream(io.StringIO(text), name)
