"""The lines of atoms in one frame of a PDB file, and whether they are whole."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

__all__ = ["atom_records", "check_coordinates", "decode"]

# x, y and z stand in columns 31-38, 39-46 and 47-54.
COORDINATES = (slice(30, 38), slice(38, 46), slice(46, 54))
LAST_COLUMN = 54


def decode(data: bytes, place: str) -> str:
    """The text of a PDB file.

    Args:
        data: the file's, from its beginning.
        place: the file, for messages.

    Returns:
        The text without a byte order mark, which would shift the columns of the first line. What is
        not ASCII stands in remarks; columns stay where they are.

    Raises:
        ValueError: the text is in UTF-16.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError(f"{place}: expected ASCII text, found UTF-16; save it as plain text")
    return data.removeprefix(codecs.BOM_UTF8).decode("ascii", errors="replace")


def atom_records(text: str, place: str) -> list[str]:
    """Find the lines of atoms and TER, and check that none ends before its coordinates do.

    MDAnalysis reads a number of which the last digits are missing as another number.

    Args:
        text: of one frame.
        place: file and frame, for messages.

    Returns:
        The lines.

    Raises:
        ValueError: there is none, or one is too short.

    Example:
        >>> len(atom_records(Path("x.pdb.1").read_text(), "x.pdb.1"))
        48000
    """
    records = [line for line in text.splitlines() if line.startswith(("ATOM", "HETATM", "TER"))]
    lines = [line for line in records if not line.startswith("TER")]
    if not lines:
        raise ValueError(f"{place}: expected atoms (lines of ATOM or HETATM), found none")
    if min(map(len, lines)) < LAST_COLUMN:
        atom, line = next(
            (atom, line) for atom, line in enumerate(lines, 1) if len(line) < LAST_COLUMN
        )
        raise ValueError(
            f"{place}: atom {atom} ({_describe(line)}): expected a line with coordinates up to "
            f"column {LAST_COLUMN}, found {len(line)} characters; the file seems to be cut short"
        )
    return records


def check_coordinates(records: Sequence[str], place: str) -> None:
    """Check that every atom has three coordinates. MDAnalysis does not say which has not.

    Args:
        records: lines of the atoms, and TER.
        place: file and frame, for messages.

    Raises:
        ValueError: one is no number; the message names the atom.
    """
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
