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
    """The TOML file that a path, or the name of a configuration of the package, means.

    A file in the working directory goes before one that comes with the package. One word that is
    neither a file nor such a name is a `FileNotFoundError`; other paths are given back as they are.
    """
    path, files = Path(name_or_path), _glob(CONFIGURATIONS, "*")
    return path if path.is_file() else _find(path, "configuration", {f.stem: f for f in files})


def find_model(name_or_path: str | Path) -> Path:
    """Likewise the folder or `.keras` file of a trained model."""
    path, folders = Path(name_or_path), [file.parent for file in _glob(MODELS, "*/config")]
    return path if path.exists() else _find(path, "trained model", {f.name: f for f in folders})


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
