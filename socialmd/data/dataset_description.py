"""The data set on disk: what simulation and preprocessing write and the input pipeline reads.

    monopoles/
        dataset.json                      how it was made, and a checksum for every other file
        train/simulation_00000.npy ...    float64 [frames, N, F], coordinates first
        validation/simulation_00100.npy ...
        test/simulation_00120.npy ...
        boxes/train/simulation_00000.npy ... if there are walls that particles come back through:
                                          float64 box vectors as rows, [D, D] or [frames, D, D]

Anybody's trajectories become a data set by being laid out like that and described with
`describe_dataset`. Every file is written under a temporary name and renamed, so an interrupted job
leaves no half-written file behind.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from socialmd.config.section import ConfigSection, describe_faults
from socialmd.data.feature_layout import FeatureBlock, FeatureLayout
from socialmd.files import read_text, write_atomically, write_text
from socialmd.types import Array

__all__ = [
    "BOXES",
    "DESCRIPTION_FILE",
    "SPLITS",
    "DatasetDescription",
    "box_file",
    "checksum",
    "describe_dataset",
    "file_names",
    "read_description",
    "save_array",
    "simulation_name",
]

DESCRIPTION_FILE = "dataset.json"
SPLITS = ("train", "validation", "test")
BOXES = "boxes"  # folder of periodic boxes, which holds folders of splits

# As it will be read back: tuples become lists.
Json = Annotated[
    dict[str, Any], AfterValidator(lambda value: json.loads(json.dumps(value, allow_nan=False)))
]


class DatasetDescription(ConfigSection):
    """What `dataset.json` says.

    Args:
        features: names of the F numbers per particle; the first `spatial_dims` are coordinates.
        spatial_dims: D, how many of the features are coordinates.
        blocks: what the features are (see `FeatureLayout`). In files that do not say it, those
            after the coordinates are scalars that never change, or one-hot names of molecules.
        frame_spacing: time between two stored frames.
        law: constants of the force law (fields of `ManyBodySystem`), where it is known.
        simulation: how the frames were simulated (fields of `SimulationConfig`), likewise.
        preprocessing: how they were made from other files (see `socialmd.molecular`), likewise.
        radii: of molecules of each species, as balls, in units of length, where they are known.
        length_unit, time_unit: `"angstrom"` and `"nanosecond"`, say; consistent units of no name if
            there is none.
        versions: Python and packages that made the files.
        files: SHA-256 of each file, by its path relative to the folder.
    """

    model_config = ConfigDict(strict=False)

    format: Literal["socialmd-trajectories-1"] = "socialmd-trajectories-1"
    features: Annotated[tuple[str, ...], Field(min_length=1)]
    spatial_dims: Annotated[int, Field(ge=1, le=3)] = 2
    blocks: tuple[FeatureBlock, ...] = ()
    frame_spacing: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    law: Json | None = None
    simulation: Json | None = None
    preprocessing: Json | None = None
    radii: dict[str, float] | None = None
    length_unit: str | None = None
    time_unit: str | None = None
    versions: dict[str, str]
    files: dict[str, str]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.spatial_dims > len(self.features):
            raise ValueError(
                f"features: expected at least spatial_dims = {self.spatial_dims} names, "
                f"found {list(self.features)}"
            )
        if not self.blocks:
            of_molecules = "files" in (self.preprocessing or {})
            species = len(self.features) - self.spatial_dims if of_molecules else 0
            layout = FeatureLayout.of_scalars(self.features, self.spatial_dims, species)
            object.__setattr__(self, "blocks", layout.blocks)  # old files compare as new ones
        if self.layout.spatial_dims != self.spatial_dims:
            raise ValueError(
                f"blocks: expected spatial_dims = {self.spatial_dims} coordinates, "
                f"found {self.layout.spatial_dims}"
            )
        return self

    def files_of(self, split: str) -> list[str]:
        """Paths of the trajectories of one split, in their order."""
        return sorted(name for name in self.files if name.startswith(f"{split}/"))

    @property
    def is_periodic(self) -> bool:
        """Whether simulations have periodic boxes."""
        return any(name.startswith(f"{BOXES}/") for name in self.files)

    @property
    def layout(self) -> FeatureLayout:
        """What the columns of all files are."""
        return FeatureLayout(features=self.features, blocks=self.blocks)

    def first_difference(self, other: DatasetDescription) -> str | None:
        """Name of the first field that differs from another's, if one does.

        But for versions, and radii, which follow from the rest, and which old files do not name.
        """
        exclude = {"versions", "radii"}
        here, there = (each.model_dump(exclude=exclude) for each in (self, other))
        return next((key for key in here if here[key] != there[key]), None)

    def name_units(self, text: str) -> str:
        """A text with the names of the units, if they have any, for "length units" and the like.

        Example:
            >>> description.name_units("mean absolute error (length units)")
            'mean absolute error (angstrom)'
        """
        if self.length_unit is not None:
            for name in ("length units", "units of length"):
                text = text.replace(name, self.length_unit)
            text = text.replace("per unit of area", f"per square {self.length_unit}")
        return text if self.time_unit is None else text.replace("time units", self.time_unit)


def box_file(path: Path) -> Path:
    """Where the periodic box of a trajectory is, if it has one."""
    return path.parent.parent / BOXES / path.parent.name / path.name


def simulation_name(index: int) -> str:
    """File name of simulation number `index`, counted through all splits."""
    return f"simulation_{index:05d}.npy"


def file_names(counts: Mapping[str, int]) -> list[str]:
    """Paths of so many simulations of each split in a data set's folder, numbered through all."""
    splits = (split for split, count in counts.items() for _ in range(count))
    return [f"{split}/{simulation_name(index)}" for index, split in enumerate(splits)]


def checksum(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_array(path: str | Path, array: Array) -> None:
    """Write an array as `.npy`, whole or not at all."""
    write_atomically(path, lambda file: np.save(file, array, allow_pickle=False))


def describe_dataset(
    directory: str | Path,
    *,
    features: Sequence[str] = (),
    frame_spacing: float,
    spatial_dims: int = 2,
    layout: FeatureLayout | None = None,
    law: dict[str, Any] | None = None,
    simulation: dict[str, Any] | None = None,
    preprocessing: dict[str, Any] | None = None,
    radii: dict[str, float] | None = None,
    length_unit: str | None = None,
    time_unit: str | None = None,
    versions: Sequence[str] = ("numpy", "numba"),
) -> DatasetDescription:
    """Write `dataset.json` for the `.npy` files that lie in `train/`, `validation/` and `test/`.

    Args:
        directory: the folder that holds the splits.
        features, frame_spacing, spatial_dims, law, simulation, preprocessing, radii, length_unit,
            time_unit: what it says of them (see `DatasetDescription`).
        layout: instead of `features` and `spatial_dims`, if features are anything but scalars that
            never change.
        versions: packages that made the files; their versions are noted beside Python's.

    Returns:
        What was written.

    Raises:
        FileNotFoundError: no split holds a `.npy` file.
        ModuleNotFoundError: one of `versions` is not installed.
        ValueError: a value is impossible.

    Example:
        >>> describe_dataset("data/mine", features=["x", "y", "radius"], frame_spacing=0.5)

        >>> place = FeatureBlock(name="position", size=2, kind="coordinate", predicted=True)
        >>> velocity = FeatureBlock(name="velocity", size=2, kind="vector", given=False)
        >>> names = ("x", "y", "vx", "vy")
        >>> layout = FeatureLayout(features=names, blocks=(place, velocity))
        >>> describe_dataset("data/mine", layout=layout, frame_spacing=0.5)
    """
    directory = Path(directory)
    paths = [path for split in SPLITS for path in sorted((directory / split).glob("[!.]*.npy"))]
    if not paths:
        raise FileNotFoundError(f"{directory}: found no .npy file in any of {', '.join(SPLITS)}")
    paths += [box for path in paths if (box := box_file(path)).is_file()]
    description = DatasetDescription(
        features=tuple(features) if layout is None else layout.features,
        spatial_dims=spatial_dims if layout is None else layout.spatial_dims,
        blocks=() if layout is None else layout.blocks,
        frame_spacing=frame_spacing,
        law=law,
        simulation=simulation,
        preprocessing=preprocessing,
        radii=radii,
        length_unit=length_unit,
        time_unit=time_unit,
        versions={
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in versions},
        },
        files={path.relative_to(directory).as_posix(): checksum(path) for path in paths},
    )
    write_text(directory / DESCRIPTION_FILE, description.model_dump_json(indent=2) + "\n")
    return description


def read_description(directory: str | Path) -> DatasetDescription:
    """Read and validate the `dataset.json` of the folder that holds the splits."""
    path = Path(directory) / DESCRIPTION_FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: not found; a data set needs one, "
            "`socialmd.data.describe_dataset` writes it for trajectories of your own"
        )
    try:
        return DatasetDescription.model_validate_json(read_text(path))
    except ValidationError as error:
        faults = "; ".join(describe_faults(error))
        raise ValueError(f"{path}: not a data set's description: {faults}") from None
