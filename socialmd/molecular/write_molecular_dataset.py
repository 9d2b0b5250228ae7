"""A data set of molecule trajectories on disk, whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from socialmd.data.dataset_description import BOXES, SPLITS, file_names
from socialmd.data.dataset_writer import DatasetWriter
from socialmd.data.feature_layout import AXES, FeatureBlock, FeatureLayout
from socialmd.types import FloatArray

__all__ = ["TrajectoryFile", "checked_names", "make_features", "write_molecular_dataset"]


class TrajectoryFile(NamedTuple):
    """What becomes one file of the data set.

    Args:
        split: `"train"`, `"validation"` or `"test"`.
        positions: in angstrom, [frames, n, D] with D = 2 or 3.
        names: of the n molecules.
        origin: what else `dataset.json` shall say about the file; JSON.
        box: periodic one of each frame, in angstrom, [frames, D, D]; none if there is none.
        anchors: of the molecules' strands, in angstrom, [n, D]; none if they hang on none.
    """

    split: str
    positions: ArrayLike
    names: Sequence[str]
    origin: Mapping[str, Any]
    box: FloatArray | None = None
    anchors: FloatArray | None = None


def write_molecular_dataset(
    directory: str | Path,
    files: Sequence[TrajectoryFile],
    *,
    frame_spacing: float,
    settings: Mapping[str, Any],
    simulations: Sequence[Mapping[str, Any]] = (),
    names: Sequence[str] | None = None,
    radii: Mapping[str, float] | None = None,
    time_unit: str = "nanosecond",
) -> bool:
    """Write `train/`, `validation/`, `test/` and `dataset.json` (see `DatasetDescription`).

    Files are numbered through the splits. Each holds float64 [frames, n, D + names]: coordinates in
    angstrom and one-hot names; n differs from file to file. Where molecules hang on strands, their
    anchors follow, D numbers more. Periodic boxes come beside them.

    `dataset.json` says in `preprocessing`: `settings` and `simulations` as given, and under `files`
    for each file its `molecules` (their names in order) and what its `origin` says.

    Args:
        directory: the folder. One that holds the same data set already is left as it is.
        files: what becomes files; those of one split are numbered in the order given.
        frame_spacing: time between two frames, in `time_unit`.
        settings: how the trajectories were made; JSON.
        simulations: what there is to say about each source; JSON.
        names: all that have a feature, in this order; those found, sorted, if not given.
        radii: of the molecules of each name, as balls, in angstrom, if they are known.
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
    spatial_dims = _check_alike(files)
    paths = file_names(Counter(file.split for file in files))
    molecules = [{"molecules": list(file.names), **file.origin} for file in files]
    boxes = {
        f"{BOXES}/{path}": _constant(file.box)
        for path, file in zip(paths, files, strict=True)
        if file.box is not None
    }
    return writer.write(
        dict(zip(paths, arrays, strict=True)) | boxes,
        layout=_make_layout(spatial_dims, names, files[0].anchors is not None),
        frame_spacing=frame_spacing,
        preprocessing={
            "settings": settings,
            "simulations": simulations,
            "files": dict(zip(paths, molecules, strict=True)),
        },
        radii=None if radii is None else dict(radii),
        length_unit="angstrom",
        time_unit=time_unit,
        versions=("numpy", "numba", "MDAnalysis"),
    )


def make_features(file: TrajectoryFile, names: Sequence[str]) -> FloatArray:
    """Coordinates, then a one for the name of the molecule and zeros for the others.

    [frames, n, D + len(names)] of a file of D coordinates.
    """
    if file.split not in SPLITS:
        raise ValueError(f"split: expected {' or '.join(SPLITS)}, found {file.split!r}")
    if unknown := sorted(set(file.names) - set(names)):
        raise ValueError(f"names: expected some of {', '.join(names)}, found {unknown[0]!r}")
    x = np.asarray(file.positions, np.float64)
    if x.ndim != 3 or x.shape[1] != len(file.names) or x.shape[2] not in (2, 3) or x.size == 0:
        raise ValueError(
            f"positions: expected shape [frames, {len(file.names)}, 2 or 3], found {x.shape}"
        )
    if not np.isfinite(x).all():
        raise ValueError("positions: expected finite numbers, found some that are not")
    one_hot = np.eye(len(names))[[names.index(name) for name in file.names]]  # [n, names]
    static = one_hot
    if file.anchors is not None:
        anchors = np.asarray(file.anchors, np.float64)
        if anchors.shape != x.shape[1:] or not np.isfinite(anchors).all():
            raise ValueError(
                f"anchors: expected finite numbers of shape {x.shape[1:]}, found {anchors.shape}"
            )
        static = np.concatenate([one_hot, anchors], axis=1)
    return np.concatenate([x, np.broadcast_to(static, (len(x), *static.shape))], axis=2)


def _make_layout(spatial_dims: int, names: Sequence[str], is_tied: bool) -> FeatureLayout:
    """Places, names of molecules, and anchors of their strands, if they hang on any."""
    axes = AXES[:spatial_dims]
    layout = FeatureLayout.of_scalars((*axes, *names), spatial_dims, num_species=len(names))
    if not is_tied:
        return layout
    anchor = FeatureBlock(name="anchor", size=spatial_dims, kind="vector", static=True)
    return FeatureLayout(
        features=(*layout.features, *(f"anchor_{axis}" for axis in axes)),
        blocks=(*layout.blocks, anchor),
    )


def _constant(box: FloatArray) -> FloatArray:
    """[D, D] of boxes [frames, D, D] that stay the same."""
    return box[0] if np.allclose(box, box[0], rtol=1e-6) else box


def checked_names(names: Sequence[str]) -> list[str]:
    """Names of molecules, refused if one is given twice or is that of a coordinate."""
    columns = [*AXES, *names]
    if twice := [name for name in names if columns.count(name) > 1]:
        raise ValueError(
            f"names: expected different ones, none of {', '.join(AXES)}, found {twice[0]!r}"
        )
    return list(names)


def _check_alike(files: Sequence[TrajectoryFile]) -> int:
    """Refuse what the input pipeline cannot read together; return the number of coordinates."""
    if len({file.anchors is None for file in files}) > 1:
        raise ValueError("files: expected anchors in all of them or in none, found some")
    dims = sorted({np.shape(file.positions)[2] for file in files})
    if len(dims) != 1:
        found = dims or "no file"
        raise ValueError(f"files: expected one number of coordinates in all, found {found}")
    for split in SPLITS:
        lengths = sorted({len(np.asarray(f.positions)) for f in files if f.split == split})
        if len(lengths) > 1:
            raise ValueError(f"files: expected as many frames in all of {split}, found {lengths}")
    return int(dims[0])
