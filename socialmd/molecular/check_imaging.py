"""Check that no molecule was cut or moved by the walls of a periodic box."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_broken", "warn_of_broken_molecule", "warn_of_far_images", "warn_of_jumps"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

# In angstrom. Along any axis atoms of a whole molecule follow each other at less than the length
# of a bond, 3 at most (5 between coarse-grained beads); parts on both sides of a box do not.
WIDEST_GAP = 10.0

# In angstrom. Programs centre molecules and the core, not their representatives and the origin, so
# that a molecule at the wall may be this much nearer on the other side.
NEARER_IMAGE = 10.0

ADVICE = (
    "make molecules whole and centre the periodic box on the core first, with `autoimage` of "
    "cpptraj or MDAnalysis.transformations, say"
)


def find_broken(positions: NDArray[Any], atoms: IntArray, starts: IntArray) -> int | None:
    """Find a molecule that consists of parts far apart.

    It need not be a periodic box that does it, so none has to be known.

    Args:
        positions: of all atoms, in angstrom, [all atoms, 3].
        atoms: indices of the molecules' atoms, one molecule after the other, [A].
        starts: where each molecule begins in `atoms`, [N].

    Returns:
        Number of the first such molecule, or none. One with a gap wider than 10 angstrom between
        its atoms along x, y or z is.

    Example:
        >>> find_broken(np.array([[0.0, 0, 0], [39, 0, 0]]), np.arange(2), np.array([0]))
        0
    """
    molecule = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(atoms)))
    broken: list[int] = []
    for x in positions[atoms].T:
        order = np.lexsort((x, molecule))
        gaps = np.diff(x[order])
        gaps[np.diff(molecule[order]) > 0] = 0
        broken.extend(molecule[order][1:][gaps > WIDEST_GAP])
    return int(min(broken)) if broken else None


def warn_of_broken_molecule(molecule: str, place: str) -> None:
    """Warn that a molecule consists of parts far apart.

    Args:
        molecule: its name.
        place: file and frame.
    """
    warnings.warn(
        f"{place}: {molecule} has a gap of more than {WIDEST_GAP:g} angstrom between its atoms, "
        f"as if a periodic box had cut it; {ADVICE}",
        stacklevel=3,
    )


def warn_of_far_images(
    positions: FloatArray, box: NDArray[Any] | None, names: Sequence[str], place: str
) -> bool:
    """Warn if a molecule is on the far side of the box: an image of it is nearer to the core.

    Args:
        positions: of the molecules relative to the core, in the first frame, [N, 3].
        box: the three vectors of the periodic box, [3, 3], if it is known.
        names: of the molecules.
        place: file and frame.

    Returns:
        Whether it warned: an image is nearer by more than 10 angstrom.
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


def warn_of_jumps(
    positions: FloatArray, box: NDArray[Any] | None, names: Sequence[str], frames: Sequence[str]
) -> None:
    """Warn if a molecule moves by more than half the box from one frame to the next.

    Args:
        positions: [frames, N, 3].
        box: the three vectors of the periodic box, [3, 3], if it is known.
        names: of the molecules.
        frames: labels of the frames.
    """
    if box is None or len(positions) < 2:
        return
    steps = np.diff(positions, axis=0) @ np.linalg.inv(box)  # in units of the box's vectors
    jumps = (np.abs(steps) > 0.5).any(axis=-1)  # [frames - 1, N]
    if jumps.any():
        frame, molecule = map(int, np.argwhere(jumps)[0])
        warnings.warn(
            f"molecule {molecule + 1} ({names[molecule]}) moves by more than half the periodic box "
            f"between frames {frames[frame]} and {frames[frame + 1]}, and so do "
            f"{int(jumps.any(axis=0).sum()) - 1} others; {ADVICE}",
            stacklevel=3,
        )
