"""Frames of a trajectory that comes with a topology."""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from socialmd.molecular.frame import AtomLabels, Frame
from socialmd.molecular.mdanalysis import read_trajectory, without_noise
from socialmd.molecular.pdb_frames import atom_records, first_frame

__all__ = ["PDB", "TrajectoryFrames"]

PDB = re.compile(r".*\.(pdb|ent)(\.\d+)?", re.IGNORECASE)
# Whose files say when each frame was written. DCD has a time step, which many programs leave at
# whatever; all others have frames only.
WITH_TIMES = {"XTC", "TRR", "NCDF", "H5MD"}
FORMATS = (
    "a topology with names of atoms and residues is needed (PDB, GRO, PSF, PRMTOP) and a "
    "trajectory of the same atoms (DCD, XTC, TRR, NetCDF)"
)


class TrajectoryFrames:
    """Frames of a DCD, XTC, TRR or NetCDF trajectory, or another that MDAnalysis reads.

    MDAnalysis keeps the trajectory open, and writes hidden files of frame offsets beside XTC and
    TRR files. Opened in another process, it is opened anew.
    """

    def __init__(self, topology: Path, trajectory: Path):
        self._topology = topology
        self._trajectory = trajectory
        place = f"{topology}, {trajectory}"
        pdb_text = first_frame(topology) if PDB.fullmatch(topology.name) else None
        try:
            self._universe = read_trajectory(topology, trajectory, pdb_text)
        except Exception as error:  # MDAnalysis' readers fail in every way there is
            reason = textwrap.shorten(str(error) or type(error).__name__, 300, placeholder=" ...")
            reason += _hint(error)
            raise ValueError(f"{place}: MDAnalysis cannot read them: {reason}") from error
        reader = self._universe.trajectory
        _check_complete(reader, trajectory)
        self.has_times = bool(
            WITH_TIMES.intersection(np.atleast_1d(reader.format))
            and getattr(reader, "has_time", True)
        )
        if pdb_text is None:
            self._labels = AtomLabels.of(self._universe, str(topology))
        else:
            records = atom_records(pdb_text, str(topology))
            self._labels = AtomLabels.of_pdb(self._universe, records, str(topology))

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

    def read(self, index: int) -> Frame:
        """Go to a frame, whose `Universe` is the same one for all."""
        try:
            with without_noise():
                step = self._universe.trajectory[index]
        except (ValueError, OSError, EOFError) as error:
            raise ValueError(
                f"{self.place(index)}: MDAnalysis cannot read it, "
                f"the file may be cut short: {error}"
            ) from error
        time = float(step.time) if self.has_times else None
        return Frame(self._universe, self._labels, time)

    def close(self) -> None:
        """Close the trajectory."""
        self._universe.trajectory.close()


def _hint(error: Exception) -> str:
    """What may help where MDAnalysis' message does not say it."""
    if isinstance(error, NotImplementedError):
        return "; convert the trajectory to angstrom and picoseconds, with cpptraj, say"
    return "" if isinstance(error, OSError) else f"; {FORMATS}"


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
