"""Frames of PDB files, parsed one at a time."""

from __future__ import annotations

import mmap
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from socialmd.molecular.mdanalysis import read_pdb, read_pdb_coordinates
from socialmd.molecular.pdb_lines import atom_lines, check_coordinates

__all__ = ["PdbFrames"]

ATOM = re.compile(rb"^(?:ATOM|HETATM)", re.MULTILINE)
# Atom name, alternate location, residue name, chain, residue number and insertion code.
IDENTITY = slice(12, 27)
BOUNDARY = re.compile(rb"^(?:(MODEL)|END.*$)", re.MULTILINE)


class PdbFrames:
    """Frames of a series of PDB files, or of one PDB file of several models.

    The atoms of every frame are read as well as their coordinates: models of one file may differ in
    them, too, which MDAnalysis would not notice. One file is open at a time.

    Args:
        paths: one file of any number of frames, or files of one frame each.

    Raises:
        ValueError: a single file is empty.
    """

    def __init__(self, paths: Sequence[Path]):
        self._paths = tuple(paths)
        self._universe: Any = None
        self._identities: list[str] = []
        self._pieces = _find_models(paths[0]) if len(paths) == 1 else []

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_universe": None, "_identities": []}

    def __len__(self) -> int:
        return len(self._pieces) or len(self._paths)

    def label(self, index: int) -> str:
        """Name of the frame: its number, counted from 0, or its file if that holds no other."""
        return str(index) if len(self._pieces) > 1 else self._paths[index].name

    def place(self, index: int) -> str:
        """Where the frame is, for messages."""
        if len(self._pieces) > 1:
            return f"{self._paths[0]}, frame {index}"
        return str(self._paths[index])

    def read(self, index: int) -> Any:
        """Parse a frame.

        Returns:
            A `Universe` in memory, with the atoms and coordinates of this frame. It is the last
            frame's if the atoms are the same: most of the time goes into parsing these.

        Raises:
            ValueError: it is no frame of a PDB file; the message names file, frame and atom.
        """
        if self._pieces:
            start, stop = self._pieces[index]
            with open(self._paths[0], "rb") as file:
                file.seek(start)
                data = file.read(stop - start)
        else:
            data = self._paths[index].read_bytes()
            pieces = _split(data)
            if len(pieces) > 1:
                raise ValueError(
                    f"{self._paths[index]}: expected one frame, as it is one of "
                    f"{len(self._paths)} files, found {len(pieces)} models"
                )
            data = data[slice(*pieces[0])]
        # What is not ASCII stands in remarks; columns stay where they are.
        return self._parse(data.decode("ascii", errors="replace"), self.place(index))

    def _parse(self, text: str, place: str) -> Any:
        lines = atom_lines(text, place)
        identities = [line[IDENTITY] for line in lines]
        try:
            if identities == self._identities:
                read_pdb_coordinates(self._universe, text, place)
            else:
                self._universe = read_pdb(text, place)
                self._identities = identities
        except (ValueError, IndexError) as error:
            check_coordinates(lines, place)
            raise ValueError(f"{place}: MDAnalysis cannot read it: {error}") from error
        return self._universe

    def close(self) -> None:
        """Nothing is left open."""


def _find_models(path: Path) -> list[tuple[int, int]]:
    """Where in a file, however large, each frame begins and ends."""
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: expected a PDB file, found an empty file")
    with (
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        return _split(data)


def _split(data: bytes | mmap.mmap) -> list[tuple[int, int]]:
    """Where each frame begins and ends. A frame without atoms counts if MODEL announces it.

    Models end with ENDMDL or, if that is missing, where the next one begins. Some programs write
    no MODEL, but END after every frame, others both. No frame begins with an END, at which
    MDAnalysis stops.
    """
    pieces = []
    start = 0
    in_model = False
    for boundary in BOUNDARY.finditer(data):
        begins_model = boundary[1] is not None
        stop = boundary.start() if begins_model else boundary.end()
        if in_model or ATOM.search(data, start, stop):
            pieces.append((start, stop))
            start = stop
        elif not begins_model:
            start = stop
        in_model = begins_model
    if in_model or ATOM.search(data, start) or not pieces:
        pieces.append((start, len(data)))
    return pieces
