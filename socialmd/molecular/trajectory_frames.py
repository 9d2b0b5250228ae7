"""Frames of a trajectory that comes with a topology."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from socialmd.molecular.mdanalysis import read_trajectory, without_harmless_warnings

__all__ = ["TrajectoryFrames"]


class TrajectoryFrames:
    """Frames of a DCD, XTC, TRR or NetCDF trajectory, or another that MDAnalysis reads.

    MDAnalysis keeps the trajectory open, and writes hidden files of frame offsets beside XTC and
    TRR files. Opened in another process, it is opened anew.

    Args:
        topology: names of the atoms.
        trajectory: their coordinates.

    Raises:
        ValueError: a file cannot be read, the trajectory is cut short, or its number of atoms is
            not the topology's.
    """

    def __init__(self, topology: Path, trajectory: Path):
        self._topology = topology
        self._trajectory = trajectory
        try:
            self._universe = read_trajectory(topology, trajectory)
        except (ValueError, TypeError, OSError, EOFError, IndexError, KeyError) as error:
            raise ValueError(
                f"{topology}, {trajectory}: MDAnalysis cannot read them: {error}"
            ) from error
        _check_complete(self._universe.trajectory, trajectory)

    def __reduce__(self) -> tuple[Any, ...]:
        return TrajectoryFrames, (self._topology, self._trajectory)

    def __len__(self) -> int:
        return len(self._universe.trajectory)

    def label(self, index: int) -> str:
        """Number of the frame, counted from 0."""
        return str(index)

    def place(self, index: int) -> str:
        """Where the frame is, for messages."""
        return f"{self._trajectory}, frame {index}"

    def read(self, index: int) -> Any:
        """Go to a frame.

        Returns:
            The `Universe`, which is the same one for all frames.

        Raises:
            ValueError: the frame cannot be read; the message names it.
        """
        try:
            with without_harmless_warnings():
                self._universe.trajectory[index]
        except (ValueError, OSError, EOFError) as error:
            raise ValueError(
                f"{self.place(index)}: MDAnalysis cannot read it, "
                f"the file may be cut short: {error}"
            ) from error
        return self._universe

    def close(self) -> None:
        """Close the trajectory."""
        self._universe.trajectory.close()


def _check_complete(reader: Any, path: Path) -> None:
    """DCD: MDAnalysis drops a last frame that is not complete without a word."""
    if reader.format != "DCD":
        return
    file = reader._file
    rest = os.path.getsize(path) - file._header_size - file._firstframesize
    if rest % file._framesize:
        raise ValueError(
            f"{path}, frame {len(reader)}: expected {file._framesize} bytes as in every frame, "
            f"found {rest % file._framesize}; the file is cut short"
        )
