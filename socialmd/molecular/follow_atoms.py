"""Places of the molecules in every frame, read by several processes."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from socialmd.molecular.check_imaging import box_vectors, find_broken
from socialmd.molecular.choose_atoms import (
    ChosenAtoms,
    check_no_alternate_locations,
    find_representatives,
)
from socialmd.molecular.frame import AtomLabels
from socialmd.molecular.pdb_frames import PdbFrames
from socialmd.molecular.trajectory_frames import TrajectoryFrames
from socialmd.types import Array, FloatArray, IntArray

__all__ = ["FollowedFrame", "check_places", "follow_atoms"]

# In angstrom. NetCDF fills what was never written with 1e37, CHARMM with 9999.
LARGEST_COORDINATE = 1e6
UNKNOWN_COORDINATE = 9999.0

# In a worker process: what to do with a frame, and the frames. Sent once, not with every frame.
_worker: tuple[Any, ...] = ()


class FollowedFrame(NamedTuple):
    """Positions of the representatives relative to the atom at the origin, [N, 3]; the time in
    picoseconds, if the file says it; what has a gap as if a periodic box had cut it, in words; what
    MDAnalysis has warned of; and the vectors of the periodic box, [3, 3], if there is one.
    """

    positions: FloatArray
    time: float | None
    broken: str | None
    warnings: tuple[str, ...]
    box: Array | None


def follow_atoms(
    frames: PdbFrames | TrajectoryFrames,
    indices: Sequence[int],
    molecules: ChosenAtoms,
    choose_anew: bool,
    num_workers: int,
) -> Iterator[FollowedFrame]:
    """Read these frames in this order, with so many processes; 1 is this one.

    Representatives are those of `molecules`, or chosen in each frame anew. Refused are frames that
    cannot be read, with other atoms, alternate locations or coordinates that are none.
    """
    follow = partial(_follow, molecules=molecules, choose_anew=choose_anew)
    num_workers = min(num_workers, len(indices))
    if num_workers == 1:
        yield from (follow(frames, index) for index in indices)
        return
    work = (follow, frames)
    try:
        with ProcessPoolExecutor(num_workers, _process_context(), _start_worker, work) as pool:
            yield from pool.map(_work, indices)
    except BrokenProcessPool as error:
        raise RuntimeError(
            "a process that read frames ended early. Each one imports the script that was started: "
            'what it runs must stand under `if __name__ == "__main__":`; or choose num_workers=1'
        ) from error


def check_places(universe: Any, labels: AtomLabels, tracked: IntArray | None, place: str) -> None:
    """Refuse coordinates of any atom that are not finite or not of sensible size, and tracked
    atoms (all if not given) that are where programs put those without a place, or all at one place.
    """
    positions = universe.atoms.positions
    wrong = ~(np.abs(positions) < LARGEST_COORDINATE).all(axis=1)
    unknown = np.zeros(len(positions), bool)
    checked = slice(None) if tracked is None else tracked
    unknown[checked] = (np.abs(positions[checked]) == UNKNOWN_COORDINATE).all(axis=1)
    if wrong.any() or unknown.any():
        atom = int((wrong | unknown).argmax())
        expected = "finite coordinates" if wrong[atom] else "coordinates"
        meaning = "" if wrong[atom] else ", which CHARMM writes for an atom without a place"
        raise ValueError(
            f"{place}: atom {atom + 1} ({labels.describe(atom)}): expected {expected}, found "
            f"{positions[atom].tolist()}{meaning}"
        )
    if len(positions[checked]) > 1 and (np.ptp(positions[checked], axis=0) == 0).all():
        raise ValueError(
            f"{place}: expected atoms at different places, found all of them at "
            f"{positions[checked][0].tolist()}, as in a frame that was never written"
        )


def _follow(
    frames: PdbFrames | TrajectoryFrames, index: int, molecules: ChosenAtoms, choose_anew: bool
) -> FollowedFrame:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        universe, labels, time = frames.read(index)
    place = frames.place(index)
    check_no_alternate_locations(universe, place)
    tracked = np.concatenate([molecules.atoms, molecules.core])
    molecules.labels.check_same(labels, tracked, (molecules.place, place))
    check_places(universe, labels, tracked, place)
    x = universe.atoms.positions
    chosen = molecules.representatives
    if choose_anew:
        chosen = find_representatives(x, molecules.atoms, molecules.starts)
    positions = x[chosen].astype(np.float64)
    if molecules.origin is not None:
        positions -= x[molecules.origin].astype(np.float64)
    messages = tuple(str(warning.message) for warning in caught)
    box = box_vectors(universe, place)
    return FollowedFrame(positions, time, _describe_broken(x, molecules), messages, box)


def _describe_broken(x: Array, molecules: ChosenAtoms) -> str | None:
    broken = find_broken(x, molecules.atoms, molecules.starts)
    if broken is not None:
        return molecules.describe(broken)
    core = molecules.core
    is_broken = len(core) and find_broken(x, core, np.zeros(1, np.int64)) is not None
    return "the core" if is_broken else None


def _process_context() -> Any:
    """How processes start: from a server that has imported what they need, once.

    Parsing holds Python's lock, so threads do not help; and a process forked from one that runs
    TensorFlow may hang. MDAnalysis' own pool (`AnalysisBase.run(backend="multiprocessing")`) is
    such a fork, waits for ever if one of its processes dies, and hands on neither progress nor
    warnings.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "MDAnalysis"])
    return context


def _start_worker(*work: Any) -> None:
    global _worker
    _worker = work


def _work(index: int) -> FollowedFrame:
    follow, frames = _worker
    return follow(frames, index)
