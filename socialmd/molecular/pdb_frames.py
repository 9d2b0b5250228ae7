"""Frames of PDB files, parsed one at a time."""

from __future__ import annotations

import codecs
import mmap
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from socialmd.molecular.frame import AtomLabels, Frame
from socialmd.molecular.mdanalysis import read_pdb, read_pdb_coordinates

__all__ = ["PdbFrames", "atom_records", "first_frame"]

ATOM = re.compile(rb"^(?:ATOM|HETATM)", re.MULTILINE)
# Atom name, alternate location, residue name, chain, residue number and insertion code.
IDENTITY = slice(12, 27)
BOUNDARY = re.compile(rb"^(?:(MODEL)|END.*$)", re.MULTILINE)
MODEL = re.compile(rb"^MODEL\s+(\d+)", re.MULTILINE)
# x, y and z stand in columns 31-38, 39-46 and 47-54.
COORDINATES = (slice(30, 38), slice(38, 46), slice(46, 54))
LAST_COLUMN = 54
SERIALS = 10_000  # a model's number has four digits; after 9999 comes 0


class PdbFrames:
    """Frames of a series of PDB files, or of one PDB file of several models.

    The atoms of every frame are read as well as their coordinates: models of one file may differ in
    them, too, which MDAnalysis would not notice. One file is open at a time.

    Args:
        paths: one file of any number of frames, or files of one frame each.
    """

    has_times = False  # that frames say when they were written

    def __init__(self, paths: Sequence[Path]):
        self._paths = tuple(paths)
        self._universe: Any = None
        self._labels: AtomLabels | None = None
        self._identities: list[str] = []
        self._pieces = _find_models(paths[0]) if len(paths) == 1 else []

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_universe": None, "_labels": None, "_identities": []}

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

    def read(self, index: int) -> Frame:
        """Parse a frame. The format has no place for times.

        Its `Universe`, in memory, is the last frame's if the atoms are the same: most of the time
        goes into parsing these.
        """
        if self._pieces:
            data = _read_piece(self._paths[0], self._pieces[index])
        else:
            data = self._paths[index].read_bytes()
            pieces = _split(data)
            if len(pieces) > 1:
                raise ValueError(
                    f"{self._paths[index]}: expected one frame, as it is one of "
                    f"{len(self._paths)} files, found {len(pieces)} models"
                )
            data = data[slice(*pieces[0])]
        place = self.place(index)
        return self._parse(_decode(data, place), place)

    def _parse(self, text: str, place: str) -> Frame:
        records = atom_records(text, place)
        identities = [
            record[:3] if record.startswith("TER") else record[IDENTITY] for record in records
        ]
        try:
            if identities == self._identities:
                read_pdb_coordinates(self._universe, text, place)
            else:
                self._universe = read_pdb(text, place)
                self._labels = AtomLabels.of_pdb(self._universe, records, place)
                self._identities = identities
        except (ValueError, IndexError) as error:
            _check_coordinates(records, place)
            raise ValueError(f"{place}: MDAnalysis cannot read it: {error}") from error
        assert self._labels is not None
        return Frame(self._universe, self._labels, None)

    def close(self) -> None:
        """Nothing is left open."""


def first_frame(path: Path) -> str:
    """Text of the first frame of a PDB file."""
    return _decode(_read_piece(path, _find_models(path)[0]), str(path))


def _read_piece(path: Path, piece: tuple[int, int]) -> bytes:
    start, stop = piece
    with open(path, "rb") as file:
        file.seek(start)
        return file.read(stop - start)


def atom_records(text: str, place: str) -> list[str]:
    """The lines of atoms and TER of one frame, none of which may end before its coordinates do.

    MDAnalysis reads a number of which the last digits are missing as another number.
    """
    records = [line for line in text.splitlines() if line.startswith(("ATOM", "HETATM", "TER"))]
    lines = [line for line in records if not line.startswith("TER")]
    if not lines:
        raise ValueError(f"{place}: expected atoms (lines of ATOM or HETATM), found none")
    for atom, line in enumerate(lines, 1):
        if len(line) < LAST_COLUMN:
            raise ValueError(
                f"{place}: atom {atom} ({_describe(line)}): expected a line with coordinates up to "
                f"column {LAST_COLUMN}, found {len(line)} characters; the file seems to be cut "
                "short"
            )
    return records


def _decode(data: bytes, place: str) -> str:
    """The text without a byte order mark, which would shift the columns of the first line.

    What is not ASCII stands in remarks; columns stay where they are.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError(f"{place}: expected ASCII text, found UTF-16; save it as plain text")
    return data.removeprefix(codecs.BOM_UTF8).decode("ascii", errors="replace")


def _check_coordinates(records: Sequence[str], place: str) -> None:
    """Refuse an atom without three coordinates: MDAnalysis does not say which it is."""
    lines = (record for record in records if not record.startswith("TER"))
    for atom, line in enumerate(lines, 1):
        for columns in COORDINATES:
            try:
                float(line[columns])
            except ValueError:
                raise ValueError(
                    f"{place}: atom {atom} ({_describe(line)}): expected three numbers in columns "
                    f"31-{LAST_COLUMN}, found {line[30:LAST_COLUMN]!r}"
                ) from None


def _describe(line: str) -> str:
    return f"{line[12:16].strip()} of {line[17:21].strip()} {line[22:26].strip()}"


def _find_models(path: Path) -> list[tuple[int, int]]:
    """Where in a file, however large, each frame begins and ends."""
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: expected a PDB file, found an empty file")
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        pieces = _split(data)
        models = []
        for start, stop in pieces:
            first_atom = ATOM.search(data, start, stop)  # MODEL stands before them
            models.append(MODEL.search(data, start, first_atom.start() if first_atom else stop))
        _check_serials([int(match[1]) for match in models if match], path)
        return pieces


def _check_serials(serials: Sequence[int], path: Path) -> None:
    """Refuse models that are missing or occur twice: frames are equally spaced in time.

    Where all have the same number, files of one model were put together, and it says nothing.
    """
    steps = [(after - before) % SERIALS for before, after in pairwise(serials)]
    usual = steps[0] or 1 if any(steps) else 0
    for index, step in enumerate(steps, start=1):
        if step != usual:
            expected = (serials[index - 1] + usual) % SERIALS
            raise ValueError(
                f"{path}, frame {index}: expected MODEL {expected}, found MODEL {serials[index]}; "
                "models must be equally spaced in time and numbered so: number them anew if they "
                "are, or else remove those that do not fit"
            )


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
