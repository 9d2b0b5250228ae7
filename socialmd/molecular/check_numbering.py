"""Gaps in a numbered series of files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice, pairwise
from pathlib import Path

__all__ = ["check_numbering"]

MOST_LISTED = 10


def check_numbering(folder: Path, files: Sequence[tuple[int, Path]]) -> None:
    """Check that the numbers are equally spaced.

    Args:
        folder: where the files are.
        files: their numbers and paths, sorted.

    Raises:
        ValueError: a number is missing or occurs twice.

    Example:
        >>> check_numbering(Path("run"), [(10, Path("x.pdb.10")), (20, Path("x.pdb.20"))])
    """
    for (number, path), (next_number, next_path) in pairwise(files):
        if number == next_number:
            raise ValueError(
                f"{folder}: expected different numbers, found {path.name} and {next_path.name}"
            )
    numbers = [number for number, _ in files]
    spacing = min((b - a for a, b in pairwise(numbers)), default=1)
    gaps = [range(a + spacing, b, spacing) for a, b in pairwise(numbers)]
    num_missing = sum(map(len, gaps))
    if num_missing:
        listed = ", ".join(map(str, islice(chain.from_iterable(gaps), MOST_LISTED)))
        raise ValueError(
            f"{folder}: expected files numbered in steps of {spacing} from {files[0][1].name} to "
            f"{files[-1][1].name}, found {num_missing} missing: {listed}"
            + (", ..." if num_missing > MOST_LISTED else "")
        )
