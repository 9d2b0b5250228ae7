"""The lines of atoms in one frame of a PDB file, and whether they are whole."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["atom_lines", "check_coordinates"]

# x, y and z stand in columns 31-38, 39-46 and 47-54.
COORDINATES = (slice(30, 38), slice(38, 46), slice(46, 54))
LAST_COLUMN = 54


def atom_lines(text: str, place: str) -> list[str]:
    """Find the lines of atoms, and check that none ends before its coordinates do.

    MDAnalysis reads a number of which the last digits are missing as another number.

    Args:
        text: of one frame.
        place: file and frame, for messages.

    Returns:
        The lines.

    Raises:
        ValueError: there is none, or one is too short.

    Example:
        >>> len(atom_lines(Path("x.pdb.1").read_text(), "x.pdb.1"))
        48000
    """
    lines = [line for line in text.splitlines() if line.startswith(("ATOM", "HETATM"))]
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
    return lines


def check_coordinates(lines: Sequence[str], place: str) -> None:
    """Check that every atom has three coordinates. MDAnalysis does not say which has not.

    Args:
        lines: of the atoms.
        place: file and frame, for messages.

    Raises:
        ValueError: one is no number; the message names the atom.
    """
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
