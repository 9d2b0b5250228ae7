"""Trajectories as extended XYZ, the text format that OVITO, VMD, ASE and others read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from socialmd.files import write_text
from socialmd.types import FloatArray

__all__ = ["TAKEN", "write_extended_xyz"]

TAKEN = ("species", "resname", "pos")  # names of columns


def write_extended_xyz(
    path: str | Path,
    positions: ArrayLike,
    times: ArrayLike,
    features: Mapping[str, ArrayLike],
    names: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    boxes: ArrayLike | None = None,
) -> None:
    """Write a trajectory in two or three dimensions, positions [frames, N, D], as extended XYZ.

    Each frame is the number of particles, a comment that names the columns, and a line for each
    particle. Without periodic boxes, [frames, D, D], there are no walls (`pbc`), with them their
    vectors are the `Lattice`, in which positions may be wrapped or not; z is zero in the plane.

        2
        Properties=species:S:1:pos:R:3:mass:R:1 Time=0.002 pbc="F F F"
        X 0.25 -1.5 0 1.2
        X 1.75 3.5 0 0.8

    Numbers have nine digits, so that those in float32 are read back exactly. Further `features`,
    by name, are [N] if they stay the same, or [frames, N]. The `names` of particles, as of
    molecules, get a column `resname`; the species, which ASE refuses unless they are chemical
    elements, are all `X`, which is none. The comments have the `units`, `length_unit` say.
    """
    x = _checked("positions", positions)
    if x.ndim != 3 or x.shape[2] not in (2, 3) or x.size == 0:
        raise ValueError(f"positions: expected shape [frames, N, 2 or 3], found {x.shape}")
    if (t := _checked("times", times)).shape != x.shape[:1]:
        raise ValueError(f"times: expected shape {x.shape[:1]}, found {t.shape}")
    labels = _checked_names(names, x.shape[1])
    columns = [*np.moveaxis(x, 2, 0), np.zeros(x.shape[:2])][:3]
    properties = "species:S:1:pos:R:3" if names is None else "species:S:1:resname:S:1:pos:R:3"
    for name, values in features.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name) or name in TAKEN:
            raise ValueError(f"features: expected a free identifier as a name, found {name!r}")
        column = _checked(name, values)
        if column.shape not in (x.shape[:2], x.shape[1:2]):
            raise ValueError(
                f"{name}: expected shape {x.shape[1:2]} or {x.shape[:2]}, found {column.shape}"
            )
        columns.append(np.broadcast_to(column, x.shape[:2]))
        properties += f":{name}:R:1"
    comment = "".join(f' {key}="{unit}"' for key, unit in (units or {}).items())
    lines = []
    walls = _walls(boxes, len(x), x.shape[2])
    for time, wall, frame in zip(t, walls, np.stack(columns, axis=-1), strict=True):
        lines += [str(len(frame)), f"Properties={properties} Time={time:.9g} {wall}{comment}"]
        lines += [
            f"{label} " + " ".join(f"{value:.9g}" for value in particle)
            for label, particle in zip(labels, frame, strict=True)
        ]
    write_text(path, "\n".join(lines) + "\n")


def _walls(boxes: ArrayLike | None, num_frames: int, dims: int) -> list[str]:
    """What the comment of each frame says of periodic boundaries."""
    if boxes is None:
        return ['pbc="F F F"'] * num_frames
    vectors = _checked("boxes", boxes)
    if vectors.shape != (num_frames, dims, dims):
        raise ValueError(f"boxes: expected shape {(num_frames, dims, dims)}, found {vectors.shape}")
    whole = np.tile(np.eye(3), (num_frames, 1, 1))
    whole[:, :dims, :dims] = vectors
    periodic = " ".join("TTF" if dims == 2 else "TTT")
    return [
        f'Lattice="{" ".join(f"{number:.9g}" for number in box.ravel())}" pbc="{periodic}"'
        for box in whole
    ]


def _checked(name: str, values: ArrayLike) -> FloatArray:
    array = np.asarray(values, np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, found some that are not")
    return array


def _checked_names(names: Sequence[str] | None, num_particles: int) -> Sequence[str]:
    """What the lines of particles begin with."""
    if names is None:
        return ["X"] * num_particles
    if isinstance(names, str) or len(names) != num_particles:
        raise ValueError(
            f"names: expected {num_particles}, one for each particle, found {len(names)}"
        )
    for name in names:
        if not re.fullmatch(r"\S+", name):
            raise ValueError(f"names: expected some without white space, found {name!r}")
    return [f"X {name}" for name in names]
