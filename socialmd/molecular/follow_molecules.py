"""Read where the molecules are in every frame, in several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from socialmd.molecular.atom_labels import AtomLabels
from socialmd.molecular.check_imaging import find_broken
from socialmd.molecular.check_molecules import check_no_alternate_locations
from socialmd.molecular.molecules import Molecules, find_representatives
from socialmd.molecular.pdb_frames import PdbFrames
from socialmd.molecular.trajectory_frames import TrajectoryFrames

__all__ = ["Followed", "check_finite", "follow_molecules"]

FloatArray = NDArray[np.float64]

# In angstrom. NetCDF fills what was never written with 1e37.
LARGEST_COORDINATE = 1e6

# In a worker process: what to do with a frame, and the frames. Sent once, not with every frame.
_worker: tuple[Any, ...] = ()


class Followed(NamedTuple):
    """One frame.

    Args:
        positions: of the representatives, relative to the atom at the origin, [N, 3].
        broken: what has a gap as if a periodic box had cut it, in words, if anything has.
    """

    positions: FloatArray
    broken: str | None


def follow_molecules(
    frames: PdbFrames | TrajectoryFrames,
    indices: Sequence[int],
    molecules: Molecules,
    choose_anew: bool,
    num_workers: int,
) -> Iterator[Followed]:
    """Read frames.

    Args:
        frames: of the simulation.
        indices: which of them.
        molecules: what is followed in them.
        choose_anew: whether the representatives are chosen in each frame.
        num_workers: processes that read; 1 is this one.

    Yields:
        The frames in this order.

    Raises:
        ValueError: a frame cannot be read, has other atoms or alternate locations of them, or
            coordinates that are not finite.
        RuntimeError: a process ended, because it cannot import the script that was started, say.
    """
    follow = partial(_follow, molecules=molecules, choose_anew=choose_anew)
    num_workers = min(num_workers, len(indices))
    if num_workers == 1:
        for index in indices:
            yield follow(frames, index)
        return
    try:
        with ProcessPoolExecutor(
            num_workers,
            mp_context=_process_context(),
            initializer=_start_worker,
            initargs=(follow, frames),
        ) as pool:
            yield from pool.map(_work, indices)
    except BrokenProcessPool as error:
        raise RuntimeError(
            "a process that read frames ended early. Each one imports the script that was started: "
            'what it runs must stand under `if __name__ == "__main__":`; or choose num_workers=1'
        ) from error


def check_finite(universe: Any, place: str) -> None:
    """Check the coordinates of all atoms of a frame.

    Args:
        universe: the frame.
        place: file and frame, for messages.

    Raises:
        ValueError: one is not a finite number of sensible size; the message names the atom.
    """
    positions = universe.atoms.positions
    wrong = ~(np.abs(positions) < LARGEST_COORDINATE).all(axis=1)
    if wrong.any():
        atom = int(wrong.argmax())
        raise ValueError(
            f"{place}: atom {atom + 1} ({AtomLabels.of(universe).describe(atom)}): expected finite "
            f"coordinates, found {positions[atom].tolist()}"
        )


def _follow(
    frames: PdbFrames | TrajectoryFrames, index: int, molecules: Molecules, choose_anew: bool
) -> Followed:
    universe = frames.read(index)
    place = frames.place(index)
    check_no_alternate_locations(universe, place)
    tracked = np.concatenate([molecules.atoms, molecules.core])
    molecules.labels.check_same(AtomLabels.of(universe), tracked, (molecules.place, place))
    check_finite(universe, place)
    x = universe.atoms.positions
    chosen = molecules.representatives
    if choose_anew:
        chosen = find_representatives(x, molecules.atoms, molecules.starts)
    positions = x[chosen].astype(np.float64) - x[molecules.origin].astype(np.float64)
    return Followed(positions, _describe_broken(x, molecules))


def _describe_broken(x: NDArray[Any], molecules: Molecules) -> str | None:
    broken = find_broken(x, molecules.atoms, molecules.starts)
    if broken is not None:
        return molecules.describe(broken)
    if find_broken(x, molecules.core, np.zeros(1, np.intp)) is not None:
        return "the core"
    return None


def _process_context() -> Any:
    """How processes start.

    Parsing holds Python's lock, so threads do not help; and a process forked from one that runs
    TensorFlow may hang. They are forked from a server that has imported what they need, once.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "MDAnalysis"])
    return context


def _start_worker(*work: Any) -> None:
    global _worker
    _worker = work


def _work(index: int) -> Followed:
    follow, frames = _worker
    return follow(frames, index)
