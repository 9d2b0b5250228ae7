"""Reader of a split of a data set, which checks everything that can be checked."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import NamedTuple

import numpy as np

from socialmd.data.check_trajectory import check_trajectory
from socialmd.data.dataset_description import (
    DESCRIPTION_FILE,
    SPLITS,
    DatasetDescription,
    box_file,
    checksum,
    read_description,
)
from socialmd.data.feature_layout import FeatureLayout
from socialmd.data.masked_inputs import pad_particles
from socialmd.periodic_box import check_box, unwrap
from socialmd.types import Array, FloatArray

__all__ = ["Trajectories", "load_trajectories", "read_box", "read_trajectory"]

# The models compute in float32: what is no finite float32 is not finite, and NetCDF fills what was
# never written with 9.97e36. NaN compares as False.
LARGEST = 9.9e36
# What stands for the content of a file that was not fetched, and what fetches it.
POINTERS = {b"version https://git-lfs": "git lfs pull", b"/annex/": "git annex get"}
# What systems leave in folders that they show.
OF_THE_SYSTEM = ("Thumbs.db", "desktop.ini", "Icon\r")


class Trajectories(NamedTuple):
    """One split of a data set.

    Args:
        frames: float32 or float64 as stored, [S, frames, N, F]; N is the largest particle number in
            any split, and systems of fewer particles are padded with zeros.
        description: of the data set.
        mask: bool [S, N], false for padded particles.
        directory: of the split.
        boxes: periodic ones, box vectors as rows, float64 [S, frames, D, D], or [S, 1, D, D] if
            they stay the same; none without. Particles do not jump at their walls.
    """

    frames: Array
    description: DatasetDescription
    mask: Array
    directory: Path
    boxes: FloatArray | None = None


def load_trajectories(directory: str | Path, minimum_frames: int = 1) -> Trajectories:
    """Load and validate the trajectories of one split.

    Args:
        directory: a split, like `data/monopoles/train`; the folder above it holds `dataset.json`
            (see `socialmd.data.dataset_description`).
        minimum_frames: frames that every trajectory must have.

    Returns:
        The trajectories in the order of their file names.

    Raises:
        FileNotFoundError: the folder, its `dataset.json` or a file listed there is missing, or the
            split is empty.
        ValueError: the folder is no split; there are neither two nor three coordinates; a file is
            not listed in `dataset.json`, has another checksum than listed, lies in another split as
            well, or holds no finite float32 or float64 array [frames, N, F] with the described F,
            as many frames as the others, enough frames, and what can be positions and features. The
            message names the file.

    Example:
        >>> trajectories = load_trajectories("data/monopoles/train")
        >>> trajectories.frames.shape, trajectories.description.features
        ((100, 1000, 25, 4), ('x', 'y', 'mass', 'charge'))
    """
    directory = Path(os.path.abspath(directory))
    if directory.name not in SPLITS:
        raise ValueError(
            f"{directory}: expected the folder of one split, {' or '.join(SPLITS)}, "
            f"found {directory.name!r}"
        )
    description = read_description(directory.parent)
    if not directory.is_dir():
        raise FileNotFoundError(
            f"{directory}: there is no such folder; the data set has {_splits(description)}"
        )
    paths = _listed_files(directory, description)
    if (dims := description.spatial_dims) not in (2, 3):
        raise ValueError(
            f"{directory.parent / DESCRIPTION_FILE}: expected spatial_dims = 2 or 3, found {dims}"
        )
    found = _read_boxes(paths, description) if description.is_periodic else None
    layout = description.layout
    arrays = [
        read_trajectory(path, layout, None if found is None else found[number])
        for number, path in enumerate(paths)
    ]
    for path, array in zip(paths, arrays, strict=True):
        if len(array) < minimum_frames:
            raise ValueError(
                f"{path}: expected at least {minimum_frames} frames, enough for one window, "
                f"found {len(array)}"
            )
        if len(array) != len(arrays[0]):
            raise ValueError(
                f"{path}: expected as many frames as in {paths[0].name}, {len(arrays[0])}, "
                f"found {len(array)}"
            )
    boxes = None if found is None else _stack_boxes(found, len(arrays[0]))
    # The largest number of all splits, so that a model built for one of them can read the others;
    # a split that was left behind is none that anybody reads.
    names = [name for split in SPLITS for name in description.files_of(split)]
    stored = filter(Path.is_file, map(directory.parent.joinpath, names))
    shapes = [_map_array(path).shape for path in stored]
    frames, mask = pad_particles(arrays, max(shape[1] for shape in shapes if len(shape) == 3))
    return Trajectories(frames, description, mask, directory, boxes)


def _read_boxes(paths: Sequence[Path], description: DatasetDescription) -> list[FloatArray]:
    """Of every simulation, [D, D] or [frames, D, D]."""
    boxes = []
    for path in paths:
        file = box_file(path)
        name = file.relative_to(path.parent.parent).as_posix()
        if name not in description.files or not file.is_file():
            raise FileNotFoundError(f"{file}: missing, but other simulations have periodic boxes")
        if (found := checksum(file)) != description.files[name]:
            raise ValueError(f"{file}: expected SHA-256 {description.files[name]}, found {found}")
        boxes.append(read_box(file, description.spatial_dims))
    return boxes


def read_box(file: Path, spatial_dims: int) -> FloatArray:
    """Read the box of one trajectory, [D, D] or [frames, D, D]."""
    box = np.asarray(_map_array(file), np.float64)
    check_box(file, box, spatial_dims)
    return box


def _stack_boxes(boxes: Sequence[FloatArray], num_frames: int) -> FloatArray:
    """[S, frames, D, D], or [S, 1, D, D] if none of them changes."""
    if all(box.ndim == 2 for box in boxes):
        return np.stack(boxes)[:, None]
    shape = (num_frames, *boxes[0].shape[-2:])
    return np.stack([np.broadcast_to(box, shape) for box in boxes])


def _splits(description: DatasetDescription) -> str:
    """Which splits a data set has, in words: `"100 files in train, 20 in test"`, say."""
    counts = Counter(name.partition("/")[0] for name in description.files)
    found = [f"{counts[split]} files in {split}" for split in SPLITS if counts[split]]
    return ", ".join(found) or "no files in any split"


def _listed_files(directory: Path, description: DatasetDescription) -> list[Path]:
    """Check that exactly the listed files are there, unchanged; hidden files do not count."""
    root, split = directory.parent, directory.name
    listed = {name: description.files[name] for name in description.files_of(split)}
    others = (name for other in SPLITS if other != split for name in description.files_of(other))
    elsewhere = {description.files[name]: name for name in others}
    if not listed:
        raise FileNotFoundError(
            f"{directory}: {root / DESCRIPTION_FILE} lists no file in here, but "
            f"{_splits(description)}"
        )
    for path in sorted(directory.iterdir()):
        is_of_the_system = path.name.startswith(".") or path.name in OF_THE_SYSTEM
        if f"{split}/{path.name}" not in listed and not is_of_the_system:
            advice = "move it to another folder"
            if path.suffix == ".npy":
                advice += ", or list the files anew with `socialmd.data.describe_dataset`"
            raise ValueError(
                f"{path}: foreign file, expected only those listed in {root / DESCRIPTION_FILE}; "
                f"{advice}"
            )
    for name, sha in sorted(listed.items()):
        if not (root / name).is_file():
            raise FileNotFoundError(f"{root / name}: missing, but {DESCRIPTION_FILE} lists it")
        if (found := checksum(root / name)) != sha:
            _check_fetched(root / name)
            raise ValueError(f"{root / name}: expected SHA-256 {sha}, found {found}")
        if sha in elsewhere:
            raise ValueError(
                f"{root / name}: expected simulations that no other split has, "
                f"found the same one in {elsewhere[sha]}"
            )
    return [root / name for name in sorted(listed)]


def _check_fetched(path: Path) -> None:
    """Say so if a file of a repository stands for its content only."""
    with open(path, "rb") as file:
        start = file.read(200)
    for beginning, command in POINTERS.items():
        if start.startswith(beginning):
            raise ValueError(
                f"{path}: expected a trajectory, found a pointer to it; fetch it with `{command}`"
            )


def read_trajectory(
    path: str | Path, layout: FeatureLayout, box: FloatArray | None = None
) -> Array:
    """Read one trajectory [frames, N, F] and check whatever does not depend on others.

    Its numbers are float32 or float64 as stored, and such as `check_trajectory` expects. In a
    periodic box, [D, D] or [frames, D, D], particles that were wrapped are unwrapped.
    """
    mapped = _map_array(path)
    array = np.array(mapped, mapped.dtype.newbyteorder("="))  # whatever machine wrote it
    if array.dtype not in (np.float32, np.float64):
        raise ValueError(f"{path}: expected float32 or float64 numbers, found {array.dtype}")
    names = layout.features
    if array.ndim != 3 or array.shape[2] != len(names) or array.size == 0:
        raise ValueError(
            f"{path}: expected shape [frames, N, {len(names)}], F being {', '.join(names)}, "
            f"found {array.shape}"
        )
    finite = np.abs(array) <= LARGEST
    if not finite.all():
        frame, particle, feature = np.argwhere(~finite)[0]
        raise ValueError(
            f"{path}: expected finite float32 numbers, found {array[frame, particle, feature]} "
            f"at frame {frame}, particle {particle}, "
            f"feature {names[feature]}"
        )
    if box is not None:
        if box.ndim not in (2, 3) or box.shape[:-2] not in ((), array.shape[:1]):
            raise ValueError(
                f"box of {path}: expected [D, D], or [{len(array)}, D, D] as there are "
                f"frames, found shape {box.shape}"
            )
        array[..., : layout.spatial_dims] = _without_jumps(array[..., : layout.spatial_dims], box)
    check_trajectory(path, array, layout)
    return array


def _without_jumps(positions: Array, box: FloatArray) -> FloatArray:
    """Positions [frames, N, D], as they are if no particle jumps at a wall."""
    vectors = np.broadcast_to(box, (len(positions), *box.shape[-2:]))
    return np.asarray(unwrap(positions[None].astype(np.float64), vectors[None])[0])


def _map_array(path: str | Path) -> Array:
    """What a `.npy` file holds, its numbers read when they are used."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    # NumPy parses headers as Python; a damaged one fails in more ways than one.
    except (ValueError, TypeError, TokenError) as error:
        raise ValueError(f"{path}: not a .npy file of numbers: {error}") from None
