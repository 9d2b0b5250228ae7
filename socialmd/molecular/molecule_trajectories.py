"""Trajectories of molecules from files of molecular dynamics (thesis section 3.2)."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Self, get_args

import numpy as np

from socialmd.molecular.check_imaging import (
    box_vectors,
    check_jumps,
    follow_through_walls,
    warn_of_broken_molecule,
    warn_of_far_images,
)
from socialmd.molecular.choose_atoms import choose_atoms
from socialmd.molecular.follow_atoms import FollowedFrame, check_places, follow_atoms
from socialmd.molecular.frame_times import at_equal_intervals
from socialmd.molecular.mdanalysis import MDAnalysis
from socialmd.molecular.simulation_files import SimulationFiles
from socialmd.types import FloatArray

__all__ = ["MoleculeTrajectories"]

Representative = Literal["first_frame", "every_frame"]


class Results(NamedTuple):
    """What a run found (see `MoleculeTrajectories`)."""

    positions: FloatArray
    names: tuple[str, ...]
    atoms: tuple[str, ...]
    radii: FloatArray
    anchors: FloatArray | None
    frames: list[str]
    boxes: FloatArray | None


@dataclass(eq=False)
class MoleculeTrajectories:
    """Where every molecule is in every frame, seen from the core (thesis section 3.2).

    A molecule is a residue. It is represented by the one of its atoms nearest to its geometric
    centre. The origin is an atom, too: among those of the core, the one nearest to their geometric
    centre in the first frame, and the same atom in all frames. Nothing is rotated.

    Use and results are those of MDAnalysis' analyses. Nothing is kept of a run that fails.

    Args:
        files: of one simulation.
        selection: the molecules, in MDAnalysis' language; what it leaves out of a residue does not
            count for its centre.
        centre: the atoms of the core, likewise; none for a fluid, which has no core: positions are
            those of the files then, but for jumps at the walls of a periodic box that they know.
        names: residue names that the molecules may have; any if not given. Not every one need
            occur.
        strands: what ties molecules to the core, likewise: residues, of which each molecule hangs
            on the nearest one; or the molecules themselves, if they reach down to it.
        representative: when it is chosen. `"first_frame"` of the run, and kept then;
            `"every_frame"`, which stays nearer to the centre, but flexible molecules change their
            representative in up to 66 % of the frames, which adds jumps to the trajectories.
        ignore_times: whether the times that files say are wrong, and frames equally spaced in spite
            of them.
        num_workers: processes that read; all cores if not given, this process alone if 1. A
            script that uses several must be importable (`if __name__ == "__main__":`).

    Attributes:
        results: after `run`,
            `positions`: in angstrom, float64 [frames, N, 3];
            `names`: residue name of each molecule, N, in the order of the files;
            `atoms`: name of the representative in the first frame, N;
            `radii`: in angstrom, [N], of uniform balls with the radius of gyration that the
            molecules' atoms, all counting alike, have in the first frame;
            `anchors`: with strands, the atom of the core that each molecule's strand is nearest to,
            relative to the origin, in the first frame, in angstrom, [N, 3];
            `frames`: of each frame, the file's name in a series or the number, counted from 0;
        `boxes`: of a fluid in a periodic box, its vectors as rows, in angstrom, [frames, 3, 3].

    Raises:
        ValueError: an option is none of the above.

    Example:
        >>> files = SimulationFiles.find("simulation_1")
        >>> results = MoleculeTrajectories(files, names=["OQL", "ONC"]).run().results
        >>> results.positions.shape
        (300, 120, 3)
    """

    files: SimulationFiles
    selection: str = "resname OQL ONC"
    centre: str | None = "name AU Au"
    names: Sequence[str] | None = None
    strands: str | None = None
    representative: Representative = "first_frame"
    ignore_times: bool = False
    num_workers: int | None = None
    results: Results = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.names, str):
            raise ValueError(f"names: expected a sequence of names, found {self.names!r}")
        if self.representative not in get_args(Representative):
            raise ValueError(
                f"representative: expected {' or '.join(get_args(Representative))}, "
                f"found {self.representative!r}"
            )
        if self.strands is not None and self.centre is None:
            raise ValueError("strands: expected none without a centre, found some")
        if self.num_workers is not None and self.num_workers < 1:
            raise ValueError(f"num_workers: expected at least 1, found {self.num_workers}")

    def run(
        self,
        start: int | None = None,
        stop: int | None = None,
        step: int | None = None,
        verbose: bool = False,
    ) -> Self:
        """Read the frames `start:stop:step`, all if not given.

        Args:
            start, stop, step: of the frames, as in a slice.
            verbose: whether to show a progress bar.

        Returns:
            This object, with `results`.

        Raises:
            ModuleNotFoundError: MDAnalysis is not installed.
            ValueError: there is no such frame; a selection finds nothing; molecules have other
                names than given, or other atoms than those of the same name; a frame cannot be
                read, has other atoms than the first, or a time that does not follow; or a molecule
                was moved by the walls of a periodic box. The message names file, frame and atom.
            RuntimeError: a process that reads ended early; see `num_workers`.

        Warns:
            UserWarning: a molecule seems to be cut by the walls of a periodic box, or is far from
                the core; or what MDAnalysis warns of, once for all frames.
        """
        self.__dict__.pop("results", None)
        with closing(self.files.open()) as frames:
            indices = range(len(frames))[start:stop:step]
            if not indices:
                raise ValueError(
                    f"{self.files.paths[0]}: start, stop, step: expected some of {len(frames)} "
                    f"frames, found {start}, {stop}, {step}"
                )
            place = frames.place(indices[0])
            with warnings.catch_warnings(action="ignore"):  # they come when it is read with others
                first = frames.read(indices[0])
            check_places(first.universe, first.labels, None, place)
            molecules = choose_atoms(
                first, self.selection, self.centre, self.names, place, self.strands
            )
            box = box_vectors(first.universe, place)
            choose_anew = self.representative == "every_frame"
            num_workers = self.num_workers or os.cpu_count() or 1
            followed = follow_atoms(frames, indices, molecules, choose_anew, num_workers)
            bar = MDAnalysis.lib.log.ProgressBar(followed, total=len(indices), verbose=verbose)
            places = [frames.place(index) for index in indices]
            read = list(bar if self.ignore_times else at_equal_intervals(bar, places))
            labels = [frames.label(index) for index in indices]
        positions, boxes = np.stack([frame.positions for frame in read]), None
        if self.centre is None and all(frame.box is not None for frame in read):
            boxes = np.stack([frame.box for frame in read])
            positions = follow_through_walls(positions, boxes, places[0])
        results = Results(
            positions=positions,
            names=molecules.names,
            atoms=tuple(map(str, molecules.labels.names[molecules.representatives])),
            radii=molecules.radii,
            anchors=molecules.anchors,
            frames=labels,
            boxes=boxes,
        )
        _warn_once_of_each_kind(read, places)
        broken = [(f.broken, place) for f, place in zip(read, places, strict=True) if f.broken]
        if broken:
            warn_of_broken_molecule(*broken[0], len(broken) - 1)
        elif self.centre is not None:
            warn_of_far_images(results.positions[0], box, results.names, places[0])
        if boxes is None:
            check_jumps(results.positions, box, results.names, results.frames)
        self.results = results
        return self


def _warn_once_of_each_kind(read: Sequence[FollowedFrame], places: Sequence[str]) -> None:
    """What MDAnalysis has warned of, numbers aside."""
    kinds: dict[str, list[str]] = {}
    for frame, place in zip(read, places, strict=True):
        for message in frame.warnings:
            kinds.setdefault(re.sub(r"\d+", "0", message), []).append(f"{place}: {message}")
    for found in kinds.values():
        others = f" (and {len(found) - 1} more like it)" if len(found) > 1 else ""
        warnings.warn(f"{found[0]}{others}", stacklevel=3)
