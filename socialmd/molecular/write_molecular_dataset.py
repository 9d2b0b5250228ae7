"""A data set of molecule trajectories on disk, whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socialmd.data.dataset_description import SPLITS, file_names
from socialmd.data.dataset_writer import DatasetWriter
from socialmd.molecular.trajectory_file import TrajectoryFile, make_features

__all__ = ["checked_names", "write_molecular_dataset"]

COORDINATES = ("x", "y", "z")


def write_molecular_dataset(
    directory: str | Path,
    files: Sequence[TrajectoryFile],
    *,
    frame_spacing: float,
    settings: Mapping[str, Any],
    simulations: Sequence[Mapping[str, Any]] = (),
    names: Sequence[str] | None = None,
    time_unit: str = "nanosecond",
) -> bool:
    """Write `train/`, `validation/`, `test/` and `dataset.json` (see `DatasetDescription`).

    Files are numbered through the splits. Each holds float64 [frames, n, D + names]: coordinates in
    angstrom and one-hot names; n differs from file to file. The folder appears under its name when
    all of it is written.

    `dataset.json` says in `preprocessing`: `settings` and `simulations` as given, and under `files`
    for each file its `molecules` (their names in order) and what its `origin` says.

    Args:
        directory: the folder. One that holds the same data set already is left as it is.
        files: what becomes files; those of one split are numbered in the order given.
        frame_spacing: time between two frames, in `time_unit`.
        settings: how the trajectories were made; JSON.
        simulations: what there is to say about each source; JSON.
        names: all that have a feature, in this order; those found, sorted, if not given.
        time_unit: of the frame spacing.

    Returns:
        Whether it was written; `False` when it was there.

    Raises:
        ValueError: the folder holds something else, there is no file, one is impossible (see
            `make_features`) or has another number of coordinates than the others or of frames than
            those of its split, a name is given twice or is that of a coordinate, the frame spacing
            is not positive, or two splits hold the same trajectory. Nothing was changed.
        OSError: the folder cannot be written.
        ModuleNotFoundError: MDAnalysis, whose version is noted, is not installed.

    Example:
        >>> files = [TrajectoryFile("train", positions, ["OQL", "ONC"], {"simulation": 0})]
        >>> write_molecular_dataset("data/one", files, frame_spacing=1.0, settings={})
        True
    """
    writer = DatasetWriter(directory, {"settings": settings})
    writer.check()
    names = checked_names(names or sorted({name for file in files for name in file.names}))
    files = sorted(files, key=lambda file: (*SPLITS, file.split).index(file.split))
    arrays = [make_features(file, names) for file in files]
    spatial_dims = _check_alike(files, arrays) - len(names)
    paths = file_names(Counter(file.split for file in files))
    molecules = [{"molecules": list(file.names), **file.origin} for file in files]
    return writer.write(
        dict(zip(paths, arrays, strict=True)),
        features=(*COORDINATES[:spatial_dims], *names),
        spatial_dims=spatial_dims,
        frame_spacing=frame_spacing,
        preprocessing={
            "settings": settings,
            "simulations": simulations,
            "files": dict(zip(paths, molecules, strict=True)),
        },
        length_unit="angstrom",
        time_unit=time_unit,
        versions=("numpy", "numba", "MDAnalysis"),
    )


def checked_names(names: Sequence[str]) -> list[str]:
    """Refuse names of features that occur twice.

    Args:
        names: of molecules.

    Returns:
        The names.

    Raises:
        ValueError: one is given twice, or is that of a coordinate.
    """
    columns = [*COORDINATES, *names]
    if twice := [name for name in names if columns.count(name) > 1]:
        raise ValueError(
            f"names: expected different ones, none of {', '.join(COORDINATES)}, found {twice[0]!r}"
        )
    return list(names)


def _check_alike(files: Sequence[TrajectoryFile], arrays: Sequence[NDArray[Any]]) -> int:
    """Refuse what the input pipeline cannot read together; return the number of features."""
    dims = sorted({np.shape(file.positions)[2] for file in files})
    if len(dims) != 1:
        found = dims or "no file"
        raise ValueError(f"files: expected one number of coordinates in all, found {found}")
    for split in SPLITS:
        pairs = zip(files, arrays, strict=True)
        lengths = sorted({len(array) for file, array in pairs if file.split == split})
        if len(lengths) > 1:
            raise ValueError(f"files: expected as many frames in all of {split}, found {lengths}")
    return arrays[0].shape[2]
