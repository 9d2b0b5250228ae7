"""Contents of folders, to be compared as wholes."""

from pathlib import Path


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder: its bytes and when they were written."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder: its bytes."""
    return {name: data for name, (data, _) in contents(folder).items()}
