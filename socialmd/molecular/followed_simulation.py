"""One simulation between reading and writing: its molecules, its slices, its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from socialmd.molecular.slices import Slice, turn_into_plane
from socialmd.molecular.split_frames import Part
from socialmd.molecular.write_molecular_dataset import TrajectoryFile
from socialmd.types import FloatArray

__all__ = ["FollowedSimulation"]


class FollowedSimulation(NamedTuple):
    """What was read of one simulation (see `MoleculeTrajectories`), and its slices.

    Args:
        source: where it comes from.
        positions: of the molecules, in angstrom, relative to the centre, [frames, N, 3].
        names: of the N molecules.
        atoms: names of the atoms that stand for them.
        radii: of the molecules, as balls, in angstrom, [N].
        frames: labels of the frames.
        slices: cut through the particle; none in three dimensions.
        boxes: periodic ones of a fluid, [frames, 3, 3], if it has any.
        anchors: of the molecules' strands, like positions, [N, 3], if they hang on any.

    Example:
        >>> simulation = FollowedSimulation("run_1", positions, names, atoms, radii, frames)
        >>> files = [file for part in split_frames([300]) for file in simulation.make_files(part)]
    """

    source: str
    positions: FloatArray
    names: Sequence[str]
    atoms: Sequence[str]
    radii: FloatArray
    frames: Sequence[str]
    slices: Sequence[Slice] = ()
    boxes: FloatArray | None = None
    anchors: FloatArray | None = None

    def make_files(self, part: Part) -> list[TrajectoryFile]:
        """The files of one part of the frames: one for each slice, or one with all molecules.

        Their origin names the atoms, the numbers of simulation and slice (`None` without slices),
        and the frames as [start, stop].
        """
        arrays = [
            (piece.positions, piece.molecules, self._anchors_in(piece)) for piece in self.slices
        ]
        arrays = arrays or [(self.positions, np.arange(len(self.names)), self.anchors)]
        return [
            TrajectoryFile(
                split=part.split,
                positions=positions[part.start : part.stop],
                names=[self.names[molecule] for molecule in molecules],
                origin={
                    "atoms": [self.atoms[molecule] for molecule in molecules],
                    "simulation": part.simulation,
                    "slice": index if self.slices else None,
                    "frames": [part.start, part.stop],
                },
                anchors=anchors,
                box=None if self.boxes is None else self.boxes[part.start : part.stop],
            )
            for index, (positions, molecules, anchors) in enumerate(arrays)
        ]

    def _anchors_in(self, piece: Slice) -> FloatArray | None:
        """Those of a slice's molecules, flattened as they are."""
        if self.anchors is None:
            return None
        return turn_into_plane(self.anchors[piece.molecules], piece.normal)[:, :2]

    def make_record(self) -> dict[str, Any]:
        """What `dataset.json` says about the simulation: frames, molecules, slices; JSON."""
        return {
            "source": self.source,
            "num_frames": len(self.frames),
            "first_frame": self.frames[0],
            "last_frame": self.frames[-1],
            "num_molecules": self.count_molecules(),
            "slices": [
                {
                    "normal": piece.normal.tolist(),
                    "num_molecules": len(piece.molecules),
                    "rms_distance": _over_time(piece.rms_distance),
                    "largest_distance": _over_time(piece.largest_distance),
                }
                for piece in self.slices
            ],
        }

    def count_molecules(self) -> dict[str, int]:
        """How many molecules have each name."""
        return dict(sorted(Counter(self.names).items()))


def _over_time(values: FloatArray) -> dict[str, float]:
    first, last, mean = map(float, (values[0], values[-1], values.mean()))
    return {"first_frame": first, "last_frame": last, "mean": mean}
