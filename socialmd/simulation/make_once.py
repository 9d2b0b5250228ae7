"""Simulations whose files are there as a whole or not at all, and are not made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from socialmd.data.dataset_writer import check_recipe
from socialmd.files import holds_nothing, put_in_place, read_json, unfinished_folder, write_json

__all__ = ["DESCRIPTION_FILE", "make_once"]

DESCRIPTION_FILE = "simulation.json"


def make_once(
    folder: Path,
    recipe: Mapping[str, Any],
    files: Sequence[str],
    simulate: Callable[[Path], Mapping[str, Any]],
) -> dict[str, Any]:
    """Have a simulation make its files, unless they are there.

    Args:
        folder: made; folders above it as well.
        recipe: all that decides what becomes of it; JSON.
        files: names of what `simulate` writes into the folder that it is given.
        simulate: returns what else there is to say.

    Returns:
        What `simulation.json` says: the recipe, and what was returned.

    Raises:
        ValueError: the folder is there, but is no finished simulation of this recipe. It is left as
            it is.
        OSError: a file cannot be written.
    """
    path = folder / DESCRIPTION_FILE
    if not path.exists() and holds_nothing(folder):
        with unfinished_folder(folder) as unfinished:
            found = simulate(unfinished)
            write_json(unfinished / DESCRIPTION_FILE, {**recipe, **found})
            put_in_place(unfinished, (*files, DESCRIPTION_FILE))
    advice = "choose another folder or remove this one"
    said: dict[str, Any] = {}
    if path.is_file():
        said = read_json(path)
        check_recipe(path, {key: said.get(key) for key in recipe}, recipe)
    for name in (DESCRIPTION_FILE, *files):
        if not (folder / name).is_file():
            raise ValueError(f"{folder}: expected a finished simulation, found no {name}; {advice}")
    kinds = {Path(name).suffix for name in files}  # others would be read with them
    for other in sorted(folder.iterdir()):
        if other.suffix in kinds and other.name not in files:
            raise ValueError(f"{other}: expected only what the simulation has made; {advice}")
    return said
