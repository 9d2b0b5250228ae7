"""Which files hold the frames of one simulation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from socialmd.molecular.check_numbering import check_numbering
from socialmd.molecular.pdb_frames import PdbFrames
from socialmd.molecular.trajectory_frames import TrajectoryFrames

__all__ = ["SimulationFiles"]

PDB = re.compile(r".*\.pdb(\.\d+)?", re.IGNORECASE)
# Text before the number, number, text after it: x.pdb.7 and x_007.pdb.
NUMBERED_PDB = (
    re.compile(r"(.*\.pdb\.)(\d+)()", re.IGNORECASE),
    re.compile(r"(.*?)(\d+)(\.pdb)", re.IGNORECASE),
)


@dataclass(frozen=True)
class SimulationFiles:
    """The files of one simulation, in the order of time.

    Args:
        paths: PDB files of one frame each, one PDB file of several models, or one trajectory.
        topology: what a trajectory (DCD, XTC, NetCDF, ...) does not say about its atoms.

    Example:
        >>> SimulationFiles.find("simulation_1").paths[:2]
        (PosixPath('simulation_1/x.pdb.1'), PosixPath('simulation_1/x.pdb.2'))
    """

    paths: tuple[Path, ...]
    topology: Path | None = None

    @classmethod
    def find(cls, source: str | Path) -> Self:
        """Find them.

        Args:
            source: a folder that holds one PDB file per frame, numbered like `x.pdb.1` or
                `x_001.pdb`; or a PDB file, whose frames are models (MODEL) or end with END; or
                `"TOPOLOGY:TRAJECTORY"`, two files that MDAnalysis reads. Other files in the folder
                do not matter. Numbers need not start at 1, but must be equally spaced.

        Returns:
            The files; a series is sorted by number.

        Raises:
            FileNotFoundError: a file or folder does not exist, or the folder holds no series.
            ValueError: the folder holds several series, or one in which numbers are missing or
                occur twice; or the file is no PDB file.
        """
        path = Path(source)
        if path.is_dir():
            return cls(_series(path))
        if path.is_file():
            if not PDB.fullmatch(path.name):
                raise ValueError(
                    f"{path}: expected a folder, a PDB file or TOPOLOGY:TRAJECTORY, "
                    "found another file"
                )
            return cls((path,))
        topology, colon, trajectory = str(source).partition(":")
        if not colon:
            raise FileNotFoundError(f"{source}: there is no such file or folder")
        for part in (topology, trajectory):
            if not Path(part).is_file():
                raise FileNotFoundError(f"{source}: there is no file {part!r}")
        return cls((Path(trajectory),), Path(topology))

    def open(self) -> PdbFrames | TrajectoryFrames:
        """The frames, to be read one at a time; to be closed.

        Raises:
            ValueError: a file is empty or cannot be read.
        """
        if self.topology is None:
            return PdbFrames(self.paths)
        return TrajectoryFrames(self.topology, self.paths[0])


def _series(folder: Path) -> tuple[Path, ...]:
    """The PDB files of a folder that differ in a number only, sorted by it."""
    series: dict[str, list[tuple[int, Path]]] = {}
    for path in sorted(folder.iterdir()):
        matches = (pattern.fullmatch(path.name) for pattern in NUMBERED_PDB)
        match = next(filter(None, matches), None)
        if match and not path.name.startswith(".") and path.is_file():
            before, number, after = match.groups()
            series.setdefault(f"{before}*{after}", []).append((int(number), path))
    if not series:
        raise FileNotFoundError(
            f"{folder}: found no PDB files that are numbered like x.pdb.1 or x_001.pdb"
        )
    if len(series) > 1:
        found = " and ".join(f"{name} ({len(files)})" for name, files in series.items())
        raise ValueError(f"{folder}: expected one series of PDB files, found {found}")
    [files] = series.values()
    files.sort()
    check_numbering(folder, files)
    return tuple(path for _, path in files)
