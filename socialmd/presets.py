"""Presets: configurations and trained models that come with the package, found by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["find_configuration", "find_model"]

PACKAGE = Path(__file__).parent
# Where an installed package has them, or else a checkout (see `package_dir` in setup.cfg).
CONFIGURATIONS = (PACKAGE / "shipped" / "configurations", PACKAGE.parent / "models")
MODELS = (PACKAGE / "shipped" / "models", PACKAGE.parent / "saved_models")


def find_configuration(name_or_path: str | Path) -> Path:
    """The TOML file that somebody means.

    Args:
        name_or_path: name of a configuration that comes with the package, or a path. A file in the
            working directory goes before one that comes with the package.

    Returns:
        The file; of a path, that, whether or not there is such a file.

    Raises:
        FileNotFoundError: it is one word, but neither a file nor such a name.

    Example:
        >>> find_configuration("thesis").name
        'thesis.toml'
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    return _find(path, "configuration", {file.stem: file for file in _glob(CONFIGURATIONS, "*")})


def find_model(name_or_path: str | Path) -> Path:
    """The folder or `.keras` file of the trained model that somebody means.

    Args:
        name_or_path: name of a model that comes with the package, or a path. A folder in the
            working directory goes before one that comes with the package.

    Returns:
        The folder or file; of a path, that, whether or not there is anything.

    Raises:
        FileNotFoundError: it is one word, but neither a folder nor such a name.

    Example:
        >>> find_model("interaction").name
        'interaction'
    """
    path = Path(name_or_path)
    if path.exists():
        return path
    files = _glob(MODELS, "*/config")
    return _find(path, "trained model", {file.parent.name: file.parent for file in files})


def _glob(places: tuple[Path, Path], pattern: str) -> Iterator[Path]:
    installed, checkout = places
    return (installed if installed.is_dir() else checkout).glob(f"{pattern}.toml")


def _find(path: Path, kind: str, presets: dict[str, Path]) -> Path:
    if len(path.parts) != 1 or path.suffix:
        return path
    if path.name not in presets:
        raise FileNotFoundError(
            f"{path}: expected a path or the name of a {kind} that comes with the package "
            f"({', '.join(sorted(presets))}), found neither"
        )
    return presets[path.name]
