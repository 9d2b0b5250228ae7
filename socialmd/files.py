"""Files that are whole or not there at all, whatever interrupts the process that writes them."""

from __future__ import annotations

import functools
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from socialmd.claim import LOCK, TEMPORARY, claim

__all__ = [
    "holds_nothing",
    "put_in_place",
    "read_json",
    "read_text",
    "save_figure",
    "unfinished_folder",
    "write_atomically",
    "write_bytes",
    "write_json",
    "write_text",
]

UNFINISHED = ".unfinished"
SECONDS_OF_A_WRITE = 3600.0  # a temporary file that nothing was written to for longer is left over


def write_atomically(
    path: str | Path, write: Callable[[BinaryIO], object], *, replace: bool = True
) -> None:
    """Let `write` fill a file that appears under its name only when it is complete and on the disk.

    Folders above it are made; a link is kept, and what it leads to replaced. Without `replace`, of
    several processes that write the same path at the same moment one succeeds, and the others get a
    `FileExistsError`; this needs a file system with hard links.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    # A process number would not do: machines that share a file system count alike.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())  # or a power cut would leave the name of an empty file
        if replace:
            os.replace(temporary, path)
        else:
            os.link(temporary, path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: str | Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file, whole or not at all (see `write_atomically`)."""
    write_atomically(path, lambda file: file.write(content), replace=replace)


def write_text(path: str | Path, text: str, *, replace: bool = True) -> None:
    """Write a text file in UTF-8, whole or not at all (see `write_atomically`)."""
    write_bytes(path, text.encode(), replace=replace)


def write_json(path: str | Path, values: object, *, replace: bool = True) -> None:
    """Write a JSON file, whole or not at all; finite numbers only, as other readers expect."""
    write_text(path, json.dumps(values, indent=2, allow_nan=False) + "\n", replace=replace)


def save_figure(
    figure: Any,
    path: str | Path,
    name_units: Callable[[str], str] = str,
    format: str = "png",
    **options: Any,
) -> None:
    """Write a Matplotlib figure, whole or not at all, with `options` for `Figure.savefig`.

    `name_units` gives texts the units of the data (see `DatasetDescription.name_units`).
    """
    for text in _words(figure):
        text.set_text(name_units(text.get_text()))
        text.set_parse_math(False)  # a dollar in the name of a folder or particle is no formula
    write_atomically(path, lambda file: figure.savefig(file, format=format, **options))


def read_text(path: str | Path) -> str:
    """A text file in UTF-8, without the byte order mark that some editors put before it."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected text in UTF-8, found other bytes ({error})") from None


def read_json(path: str | Path) -> Any:
    """What a JSON file holds."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}: expected JSON, found none ({error}); remove it, or the folder that it is in"
        ) from None


@contextmanager
def unfinished_folder(directory: str | Path, wait: bool = False) -> Iterator[Path]:
    """An empty folder to write into what `put_in_place` then moves to `directory`, all at once.

    It is inside of `directory`, so that this may be a link or a mount point, and its parent a place
    that cannot be written to. If it cannot be written itself, that is said before any work begins.
    What an earlier process has left unfinished there is removed; so is, in the end, what is still
    in the folder, and `directory` too if it was made for this and nothing came of it. While another
    process is writing there, `wait` for it, or raise a `FolderInUseError`.
    """
    directory = Path(os.path.realpath(directory))
    with claim(directory, wait):
        unfinished = directory / UNFINISHED
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            yield unfinished
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def put_in_place(unfinished: Path, names: Sequence[str]) -> None:
    """Let what was written to an `unfinished_folder` take its place.

    Of all `names` of files and folders that may be there, those that were not written this time are
    removed from the directory, too. The last one makes the rest complete: it goes first and comes
    last.
    """
    directory = unfinished.parent
    for path in unfinished.rglob("*"):
        _sync(path)  # whoever wrote it: a name must not survive a power cut without its content
    for name in reversed(names):
        if (directory / name).is_dir():
            shutil.rmtree(directory / name)
        else:
            (directory / name).unlink(missing_ok=True)
    for name in names:
        if (unfinished / name).exists():
            os.replace(unfinished / name, directory / name)
    _sync(directory)


def holds_nothing(directory: str | Path) -> bool:
    """Whether a folder is not there, is empty, or holds what `unfinished_folder` has left only."""
    directory = Path(directory)
    if not directory.exists():
        return True
    names = {path.name for path in directory.iterdir()}
    return UNFINISHED in names or names <= {LOCK}


def _words(figure: Any) -> Iterator[Any]:
    """All texts of a figure but the numbers at its axes."""
    yield from figure.texts
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes)]
    for legend in filter(None, legends):
        yield from legend.get_texts()
    for ax in figure.axes:
        yield from (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts)


def _remove_abandoned(path: Path) -> None:
    """What processes that were killed while they wrote this very file have left."""
    earliest = time.time() - SECONDS_OF_A_WRITE
    for left in _leftovers(path.parent).pop(path.name, ()):
        with suppress(FileNotFoundError):  # another process is faster
            if left.stat().st_mtime < earliest:
                left.unlink()


@functools.cache
def _leftovers(folder: Path) -> dict[str, list[Path]]:
    """Temporary files by what they were to become; looked for once: folders may be large."""
    found: dict[str, list[Path]] = {}
    for path in folder.glob(".*.tmp"):
        if match := TEMPORARY.fullmatch(path.name):
            found.setdefault(match[1], []).append(path)
    return found


def _sync(path: Path) -> None:
    """A file's content, or a folder's names, should survive a power cut, where that is possible."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
