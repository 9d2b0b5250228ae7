"""Walls of a periodic box: signs that a molecule was cut or moved by them, and following it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from socialmd.molecular.mdanalysis import MDAnalysis
from socialmd.periodic_box import PeriodicBox, unwrap
from socialmd.types import Array, FloatArray, IntArray

__all__ = [
    "box_vectors",
    "check_jumps",
    "find_broken",
    "follow_through_walls",
    "warn_of_broken_molecule",
    "warn_of_far_images",
]

# In angstrom. Along any axis atoms of a whole molecule follow each other at less than the length
# of a bond, 3 at most (5 between coarse-grained beads); parts on both sides of a box do not.
WIDEST_GAP = 10.0

# In angstrom. Programs centre molecules and the core, not their representatives and the origin, so
# that a molecule at the wall may be this much nearer on the other side.
NEARER_IMAGE = 10.0

# In units of the box: atoms that usually move so far between frames cannot be followed.
FARTHEST_STEP = 0.2

ADVICE = (
    "make molecules whole and centre the periodic box on the core first, with `autoimage` of "
    "cpptraj or MDAnalysis.transformations, say"
)
ADVICE_AGAINST_JUMPS = (
    "follow the molecules through the walls of the box first, with `unwrap` of cpptraj, "
    "`gmx trjconv -pbc nojump` or MDAnalysis.transformations.NoJump, say, or leave out those that "
    "are free"
)


def find_broken(positions: Array, atoms: IntArray, starts: IntArray) -> int | None:
    """Number of the first molecule with a gap wider than 10 angstrom along x, y or z, if any.

    It need not be a periodic box that has cut it, so none has to be known. Positions are those of
    all atoms, [all atoms, 3]; `atoms` and `starts` as in `ChosenAtoms`.
    """
    molecule = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(atoms)))
    broken: list[int] = []
    for x in positions[atoms].T:
        order = np.lexsort((x, molecule))
        gaps = np.diff(x[order])
        gaps[np.diff(molecule[order]) > 0] = 0
        broken.extend(molecule[order][1:][gaps > WIDEST_GAP])
    return int(min(broken)) if broken else None


def warn_of_broken_molecule(molecule: str, place: str, num_others: int) -> None:
    """Warn that a molecule consists of parts far apart, as one does in so many other frames."""
    warnings.warn(
        f"{place}: {molecule} has a gap of more than {WIDEST_GAP:g} angstrom between its atoms, as "
        f"if a periodic box had cut it, and in {num_others} other frames one has; {ADVICE}",
        stacklevel=3,
    )


def warn_of_far_images(
    positions: FloatArray, box: Array | None, names: Sequence[str], place: str
) -> bool:
    """Warn if an image of a molecule is nearer to the core, by more than 10 angstrom.

    Positions [N, 3] are relative to the core; the rows of `box` are the vectors of the periodic
    box, if it is known. Returns whether it warned.
    """
    if box is None:
        return False
    shifts = np.array(list(product((-1, 0, 1), repeat=3))) @ box  # [27, 3]
    images = np.linalg.norm(positions[:, None] + shifts, axis=-1).min(axis=1)  # [N]
    far = np.linalg.norm(positions, axis=-1) - images > NEARER_IMAGE
    if far.any():
        molecule = int(far.argmax())
        warnings.warn(
            f"{place}: molecule {molecule + 1} ({names[molecule]}) is more than {NEARER_IMAGE:g} "
            "angstrom further from the core than its nearest image in the periodic box, and so "
            f"are {int(far.sum()) - 1} others; {ADVICE}",
            stacklevel=3,
        )
    return bool(far.any())


def check_jumps(
    positions: FloatArray, box: Array | None, names: Sequence[str], frames: Sequence[str]
) -> None:
    """Refuse molecules that the walls of a periodic box have moved to its other side.

    A jump is a step of more than half the box along one of its vectors, or, if it is not known, of
    more than half the extent of all molecules and more than ten times what they usually move.
    Where molecules have left the box, as those in a fluid do that were followed through its walls,
    it has to be more than ten times what they usually move as well. Positions are [frames, N, 3],
    `box` as above.
    """
    if len(positions) < 2:
        return
    vectors = np.eye(3) if box is None else box
    x = positions @ np.linalg.inv(vectors)  # in units of the box's vectors, if it is known
    extent = np.ptp(x, axis=(0, 1))  # [3]
    steps = np.abs(np.diff(x, axis=0))  # [frames - 1, N, 3]
    usual = np.median(steps)
    if box is None:
        jumps = (steps > np.maximum(extent / 2, max(WIDEST_GAP, 10 * usual))).any(axis=-1)
        what = "half the extent of all molecules"
    else:
        jumps = ((steps > 0.5) & ((steps > 10 * usual) | (extent <= 1.25))).any(axis=-1)
        what = "half the periodic box"
    if jumps.any():  # [frames - 1, N]
        frame, molecule = map(int, np.argwhere(jumps)[0])
        raise ValueError(
            f"molecule {molecule + 1} ({names[molecule]}) moves by more than {what} between frames "
            f"{frames[frame]} and {frames[frame + 1]}, and so do "
            f"{int(jumps.any(axis=0).sum()) - 1} others; {ADVICE_AGAINST_JUMPS}"
        )


def follow_through_walls(positions: FloatArray, boxes: FloatArray, place: str) -> FloatArray:
    """Positions [frames, N, 3] without jumps at the walls of boxes [frames, 3, 3].

    They begin where the first frame has them. Every step is that to the nearest image.
    """
    backwards = unwrap(positions[None, ::-1], boxes[None, ::-1])[0]
    forward = np.asarray(backwards[::-1])
    steps = np.abs(np.diff(PeriodicBox.of(boxes).fractions(forward), axis=0))
    if steps.size and np.median(steps) > FARTHEST_STEP:
        raise ValueError(
            f"{place}: expected frames so close together that molecules can be followed through "
            f"the walls of the periodic box, found steps of usually {np.median(steps):.2g} boxes; "
            "give frames that are closer together, or trajectories that the program which made "
            "them has followed"
        )
    return forward


def box_vectors(universe: Any, place: str) -> Array | None:
    """The vectors of the periodic box, [3, 3], if there is one."""
    dimensions = universe.dimensions
    if dimensions is None or not (dimensions > 0).all():
        return None
    with np.errstate(invalid="ignore"):
        vectors = MDAnalysis.lib.mdamath.triclinic_vectors(dimensions, dtype=np.float64)
    if not np.isfinite(vectors).all() or not vectors.any():
        raise ValueError(
            f"{place}: expected lengths and angles of a periodic box, found "
            f"{' '.join(f'{number:g}' for number in dimensions)}, of which no box can be made; "
            "mend or remove it (CRYST1 in a PDB file)"
        )
    return vectors
