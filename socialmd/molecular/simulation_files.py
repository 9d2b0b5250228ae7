"""Files that hold the frames of one simulation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Self

from socialmd.molecular.pdb_frames import PdbFrames
from socialmd.molecular.trajectory_frames import PDB, TrajectoryFrames

__all__ = ["SimulationFiles"]

TOPOLOGIES = {".gro", ".prmtop", ".parm7", ".top", ".psf", ".pdb", ".tpr"}
TRAJECTORIES = {".dcd", ".h5md", ".mdcrd", ".nc", ".ncdf", ".netcdf", ".trr", ".xtc"}
COMPRESSED = {".bz2", ".gz", ".xz", ".zip", ".zst"}
MOST_LISTED = 10
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
                `x_001.pdb` at equal intervals, or one topology and one trajectory; or a PDB file,
                whose frames are models (MODEL) or end with END; or `"TOPOLOGY:TRAJECTORY"`, two
                files that MDAnalysis reads. Other files in the folder do not matter.

        Raises:
            FileNotFoundError: a file or folder does not exist, or the folder holds no series.
            ValueError: the folder holds several series, or one in which numbers are missing, occur
                twice or go on under another suffix; or the file is no PDB file.
        """
        path = Path(source)
        if path.is_dir():
            return cls._find_in(path)
        if path.is_file() and PDB.fullmatch(path.name):
            return cls((path,))
        if path.is_file():
            advice = "; decompress it" if path.suffix.lower() in COMPRESSED else ""
            raise ValueError(
                f"{path}: expected a folder, a PDB file or TOPOLOGY:TRAJECTORY, "
                f"found another file{advice}"
            )
        parts = str(source).split(":")  # a path may have a colon in it as well
        pairs = [(":".join(parts[:i]), ":".join(parts[i:])) for i in range(1, len(parts))]
        if not pairs:
            raise FileNotFoundError(f"{source}: there is no such file or folder")
        found = [pair for pair in pairs if all(Path(part).is_file() for part in pair)]
        topology, trajectory = (found or pairs)[0]
        if len(found) != 1:
            missing = trajectory if Path(topology).is_file() else topology
            raise FileNotFoundError(f"{source}: there is no file {missing!r}")
        return cls((Path(trajectory),), Path(topology))

    @classmethod
    def _find_in(cls, folder: Path) -> Self:
        series = _series(folder)
        files = [path for path in sorted(folder.iterdir()) if path.is_file()]
        topologies = [path for path in files if path.suffix.lower() in TOPOLOGIES]
        trajectories = [path for path in files if path.suffix.lower() in TRAJECTORIES]
        if len(series) > 1 or (series and not trajectories):
            return cls(series)
        if len(topologies) == len(trajectories) == 1:
            return cls((trajectories[0],), topologies[0])
        if trajectories:
            names = ", ".join(path.name for path in (*topologies, *trajectories))
            raise ValueError(
                f"{folder}: expected one topology and one trajectory, found {names}; "
                "say which: TOPOLOGY:TRAJECTORY, two paths with a colon between them"
            )
        compressed = [path.name for path in files if path.suffix.lower() in COMPRESSED]
        advice = f"; decompress {compressed[0]} and others" if compressed else ""
        raise FileNotFoundError(
            f"{folder}: found no PDB files that are numbered like x.pdb.1 or x_001.pdb, and no "
            f"trajectory{advice}"
        )

    def open(self) -> PdbFrames | TrajectoryFrames:
        """The frames, to be read one at a time; to be closed."""
        if self.topology is None:
            return PdbFrames(self.paths)
        return TrajectoryFrames(self.topology, self.paths[0])


def _series(folder: Path) -> tuple[Path, ...]:
    """The PDB files of a folder that differ in a number only, sorted by it; none if it has none."""
    series: dict[tuple[str, str], list[tuple[int, Path]]] = {}
    others: list[Path] = []
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        matches = (pattern.fullmatch(path.name) for pattern in NUMBERED_PDB)
        match = next(filter(None, matches), None)
        if match and path.is_file():
            before, number, after = match.groups()
            series.setdefault((before, after), []).append((int(number), path))
        else:
            others.append(path)
    if not series:
        return ()
    if len(series) > 1:
        found = " and ".join(f"{a}*{z} ({len(files)})" for (a, z), files in series.items())
        raise ValueError(f"{folder}: expected one series of PDB files, found {found}")
    [((before, after), files)] = series.items()
    files.sort()
    _check_no_continuation(before, after, {number for number, _ in files}, others)
    _check_numbering(folder, files)
    return tuple(path for _, path in files)


def _check_numbering(folder: Path, files: list[tuple[int, Path]]) -> None:
    """Refuse numbers that are not equally spaced; the files are sorted by them."""
    for (number, path), (next_number, next_path) in pairwise(files):
        if number == next_number:
            raise ValueError(
                f"{folder}: expected different numbers, found {path.name} and {next_path.name}"
            )
    numbers = [number for number, _ in files]
    spacing = min((b - a for a, b in pairwise(numbers)), default=1)
    gaps = [range(a + spacing, b, spacing) for a, b in pairwise(numbers)]
    num_missing = sum(map(len, gaps))
    if num_missing:
        listed = ", ".join(map(str, islice(chain.from_iterable(gaps), MOST_LISTED)))
        raise ValueError(
            f"{folder}: expected files numbered in steps of {spacing} from {files[0][1].name} to "
            f"{files[-1][1].name}, found {num_missing} missing: {listed}"
            + (", ..." if num_missing > MOST_LISTED else "")
        )


def _check_no_continuation(before: str, after: str, numbers: set[int], others: list[Path]) -> None:
    """Refuse frames that would be left out because their names have one more suffix, say."""
    further = re.compile(rf"{re.escape(before)}(\d+){re.escape(after)}", re.IGNORECASE)
    for path in others:
        match = further.match(path.name)
        if match and int(match[1]) not in numbers:
            found = "another suffix" if path.is_file() else "no file (a folder or a broken link)"
            raise ValueError(
                f"{path}: goes on with the series {before}*{after}, expected a PDB file, found "
                f"{found}; decompress it, or have it fetched, or rename it if it is no frame"
            )
