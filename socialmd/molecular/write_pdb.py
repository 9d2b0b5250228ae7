"""Trajectories of molecules as PDB files of several models, for ChimeraX, VMD and PyMOL."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from socialmd.files import write_bytes
from socialmd.molecular.mdanalysis import MDAnalysis
from socialmd.periodic_box import check_box
from socialmd.types import FloatArray

__all__ = ["write_pdb"]

# What the fixed columns of the format hold: F8.3 of coordinates, F6.2 of B-factors, 4 digits.
SMALLEST_COORDINATE, LARGEST_COORDINATE = -999.999, 9999.999
LARGEST_B_FACTOR = 999.99
LARGEST_NUMBER = 9999


def write_pdb(
    path: str | Path,
    positions: ArrayLike,
    names: Sequence[str],
    times: ArrayLike,
    b_factors: ArrayLike | None = None,
    remark: str = "",
    atoms: Sequence[str] | None = None,
    box: ArrayLike | None = None,
) -> None:
    """Write a trajectory in two or three dimensions as a PDB file, one model per frame.

    Every molecule is a residue of one atom, numbered from 1 on, in chain A. It is a HETATM, which
    no viewer takes for a link of a polymer, of the unknown element `X`. There is no unit cell but
    for a periodic box. The format has no place for times: remarks at the top list them.

        TITLE     MDANALYSIS FRAMES FROM 0, STEP 1: SOCIALMD
        REMARK     B-FACTOR: MEAN ERROR OVER ALL MODELS
        REMARK     MODEL 1 TIME 0.5
        MODEL        1
        HETATM    1  X   OQL A   1       1.250  -0.500   0.000  1.00  0.37           X
        ENDMDL
        END

    B-factors are written as they are: viewers colour by them. There is one for each molecule, the
    same in all models, because VMD and PyMOL, which read models as frames, keep only one.

    Args:
        path: the file.
        positions: in angstrom, [frames, N, 2] or [frames, N, 3]; z is zero in two dimensions.
        names: of the N molecules, one to four ASCII characters without white space; the standard
            has three, and OVITO reads no more.
        times: [frames].
        b_factors: [N], in whatever unit; zero if not given.
        remark: what the B-factors are, say; ASCII text for the top of the file.
        atoms: names of the atoms that stand for the N molecules, as `names`; `X` if not given.
        box: vectors of a periodic box as rows, in angstrom, [3, 3], written as lengths and angles
            (CRYST1), which say nothing of how it is turned. The format has one for all models.

    Raises:
        ModuleNotFoundError: MDAnalysis is not installed.
        ValueError: an array is of another shape or has a number that is not finite or too large
            for its columns (coordinates -999.999 to 9999.999, B-factors 0 to 999.99); there are
            more than 9999 frames or molecules; a name or the remark is not as above.
        OSError: the file cannot be written; nothing is left behind then.

    Example:
        >>> write_pdb("pair.pdb", np.zeros((10, 2, 3)), ["OQL", "ONC"], np.arange(10))
    """
    x = _checked_positions(positions)
    atoms = ["X"] * x.shape[1] if atoms is None else atoms
    for what, given in (("names", names), ("atoms", atoms)):
        _check_names(what, given, x.shape[1])
    t = np.asarray(times, np.float64)
    if t.shape != x.shape[:1] or not np.isfinite(t).all():
        raise ValueError(f"times: expected {len(x)} finite numbers, found {t}")
    factors = _checked_b_factors(b_factors, x.shape[1])
    if not remark.isascii():
        raise ValueError(f"remark: expected ASCII text, found {remark!r}")

    universe = _universe(x, names, atoms, factors, box)
    # The writer makes REMARK records of these.
    models = [f"MODEL {index} TIME {time:.9g}" for index, time in enumerate(t, start=1)]
    universe.trajectory.remarks = [remark, *models]
    text = io.StringIO()
    stream = MDAnalysis.lib.util.NamedStream(text, str(path))  # not closed with the writer
    with MDAnalysis.coordinates.PDB.PDBWriter(
        stream, bonds=None, remarks="SOCIALMD", multiframe=True
    ) as writer:
        if box is None:
            # The writer would put a cube of one angstrom, which viewers draw.
            writer.CRYST1 = lambda *_: None
        for _ in universe.trajectory:
            writer.write(universe.atoms)
    write_bytes(path, text.getvalue().encode("ascii"))


def _universe(
    x: FloatArray,
    names: Sequence[str],
    atoms: Sequence[str],
    b_factors: FloatArray,
    box: ArrayLike | None,
) -> Any:
    """MDAnalysis' representation, with everything that its writer would otherwise warn about."""
    count = len(names)
    universe = MDAnalysis.Universe.empty(count, n_residues=count, atom_resindex=np.arange(count))
    for attribute, values in {
        "resnames": names,
        "resids": np.arange(1, count + 1),
        "names": atoms,
        "elements": ["X"] * count,
        "record_types": ["HETATM"] * count,
        "chainIDs": ["A"] * count,
        "segids": [""],
        "altLocs": [" "] * count,
        "icodes": [" "] * count,
        "occupancies": np.ones(count),
        "tempfactors": b_factors,
        "formalcharges": np.zeros(count, int),
    }.items():
        universe.add_TopologyAttr(attribute, values)
    padded = np.zeros((*x.shape[:2], 3), np.float32)
    padded[..., : x.shape[2]] = x
    # Without a box, any cell will do to keep the writer from warning that there is none.
    cell = [1, 1, 1, 90, 90, 90]
    if box is not None:
        check_box("box", box, spatial_dims=3)
        cell = MDAnalysis.lib.mdamath.triclinic_box(*np.asarray(box, np.float64))
    universe.load_new(padded, dimensions=cell)
    return universe


def _checked_positions(positions: ArrayLike) -> FloatArray:
    x = np.asarray(positions, np.float64)
    if x.ndim != 3 or x.shape[2] not in (2, 3) or x.size == 0:
        raise ValueError(f"positions: expected shape [frames, N, 2 or 3], found {x.shape}")
    most = LARGEST_NUMBER
    for what, count in zip(("frames", "molecules"), x.shape, strict=False):
        if count > most:
            raise ValueError(f"positions: a PDB file holds at most {most} {what}, found {count}")
    fits = (x >= SMALLEST_COORDINATE) & (x <= LARGEST_COORDINATE)
    if not fits.all():
        place = frame, particle, _ = tuple(np.argwhere(~fits)[0])
        raise ValueError(
            f"positions: expected {SMALLEST_COORDINATE} to {LARGEST_COORDINATE} angstrom, which a "
            f"PDB file holds, found {x[place]} at frame {frame}, particle {particle}"
        )
    return x


def _check_names(what: str, names: Sequence[str], count: int) -> None:
    if isinstance(names, str) or len(names) != count:
        raise ValueError(f"{what}: expected {count}, one for each molecule, found {len(names)}")
    for name in names:
        if not re.fullmatch("[!-~]{1,4}", name):
            raise ValueError(
                f"{what}: expected one to four ASCII characters without white space, which a PDB "
                f"file holds, found {name!r}"
            )


def _checked_b_factors(b_factors: ArrayLike | None, count: int) -> FloatArray:
    if b_factors is None:
        return np.zeros(count)
    factors = np.asarray(b_factors, np.float64)
    if factors.shape != (count,):
        raise ValueError(f"b_factors: expected shape {(count,)}, found {factors.shape}")
    fits = (factors >= 0) & (factors <= LARGEST_B_FACTOR)
    if not fits.all():
        particle = np.flatnonzero(~fits)[0]
        raise ValueError(
            f"b_factors: expected 0 to {LARGEST_B_FACTOR}, which a PDB file holds, found "
            f"{factors[particle]} at particle {particle}"
        )
    return factors
