"""One file of a data set of molecules: coordinates and one-hot names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socialmd.data.dataset_description import SPLITS

__all__ = ["TrajectoryFile", "make_features"]

FloatArray = NDArray[np.float64]


class TrajectoryFile(NamedTuple):
    """What becomes one file of the data set.

    Args:
        split: `"train"`, `"validation"` or `"test"`.
        positions: in angstrom, [frames, n, D] with D = 2 or 3.
        names: of the n molecules.
        origin: what else `dataset.json` shall say about the file; JSON.
    """

    split: str
    positions: ArrayLike
    names: Sequence[str]
    origin: Mapping[str, Any]


def make_features(file: TrajectoryFile, names: Sequence[str]) -> FloatArray:
    """Coordinates, then a one for the name of the molecule and zeros for the others.

    Args:
        file: the trajectory.
        names: those that have a feature.

    Returns:
        [frames, n, D + len(names)].

    Raises:
        ValueError: the split is unknown, a name is not in `names`, or the positions have another
            shape or numbers that are not finite.

    Example:
        >>> make_features(TrajectoryFile("train", [[[0.5, 2.0]]], ["OQL"], {}), ["ONC", "OQL"])
        array([[[0.5, 2. , 0. , 1. ]]])
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
    return np.concatenate([x, np.broadcast_to(one_hot, (len(x), *one_hot.shape))], axis=2)
