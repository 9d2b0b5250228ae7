"""A nanoparticle of a few atoms as PDB text, and a slow, obvious reader of it."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import MDAnalysis
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Residue name, and name and place of each atom relative to the molecule. In OQL the atom nearest to
# the centre is O3, in ONC C2.
GOLD = ("AU", {"AU": (0.0, 0.0, 0.0)})
DRUG = ("OQL", {"C1": (0, 0, 0), "N2": (1.5, 0, 0), "O3": (2.2, 1.1, 0), "C4": (4, 2, 1.5)})
BACKGROUND = ("ONC", {"C1": (0, 0, 0), "C2": (0, 1.4, 0.3), "N3": (0, 3, 0)})
WATER = ("WAT", {"O": (0, 0, 0), "H1": (0.8, 0.5, 0), "H2": (-0.8, 0.5, 0)})

# Each molecule and where it is. Of the gold atoms the second one is the nearest to their centre.
MOLECULES = (
    (GOLD, (-2.0, 1, 0)),
    (GOLD, (0.5, 0, 0.5)),
    (GOLD, (3.0, 0, 1)),
    (GOLD, (0, -2.5, 0)),
    (DRUG, (9, 1, -2)),
    (WATER, (12, 12, 12)),
    (BACKGROUND, (-4, 8, 3)),
    (DRUG, (1, -9, 4)),
    (WATER, (-11, 3, 7)),
)
NAMES = ("OQL", "ONC", "OQL")
REPRESENTATIVES = ("O3", "C2", "O3")


class Atom(NamedTuple):
    """One line of a PDB file."""

    name: str
    resname: str
    resid: str
    x: float
    y: float
    z: float


def make_atoms(resids: Sequence[int | str] = range(1, 10)) -> list[Atom]:
    """The atoms of the nanoparticle in water."""
    return [
        Atom(name, resname, str(resid), *np.add(place, offset))
        for resid, ((resname, atoms), place) in zip(resids, MOLECULES, strict=True)
        for name, offset in atoms.items()
    ]


def move(atoms: Sequence[Atom], rng: np.random.Generator, distance: float = 1.0) -> list[Atom]:
    """Every atom on its own, and all of them together."""
    steps = rng.normal(0, 0.3 * distance, (len(atoms), 3)) + rng.normal(0, distance, 3)
    return [
        atom._replace(x=atom.x + dx, y=atom.y + dy, z=atom.z + dz)
        for atom, (dx, dy, dz) in zip(atoms, steps, strict=True)
    ]


def to_text(atoms: Sequence[Atom], box: float | None = None, end: str = "END\n") -> str:
    """One frame."""
    lines = [] if box is None else [f"CRYST1{box:9.3f}{box:9.3f}{box:9.3f}  90.00  90.00  90.00\n"]
    for serial, atom in enumerate(atoms, 1):
        lines.append(
            f"ATOM  {serial:5d} {atom.name:<4} {atom.resname:<4} {atom.resid:>4}    "
            f"{atom.x:8.3f}{atom.y:8.3f}{atom.z:8.3f}  1.00  0.00\n"
        )
    return "".join(lines) + end


def make_frames(num_frames: int, rng: np.random.Generator) -> list[str]:
    """Frames in which the molecules move a little."""
    atoms = make_atoms()
    texts = []
    for _ in range(num_frames):
        texts.append(to_text(atoms))
        atoms = move(atoms, rng)
    return texts


def as_models(texts: Sequence[str]) -> str:
    """Frames in one file."""
    atoms = [text.removesuffix("END\n") for text in texts]
    models = (f"MODEL     {number:4d}\n{text}ENDMDL\n" for number, text in enumerate(atoms, 1))
    return "".join(models) + "END\n"


def write_series(folder: Path, texts: Sequence[str], name: str = "x.pdb.{}") -> Path:
    """Frames in files numbered from 1."""
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(texts, 1):
        (folder / name.format(number)).write_text(text)
    return folder


def write_frames(folder: Path, texts: Sequence[str], kind: str) -> str:
    """The frames in one of the formats; what to find them by."""
    if kind == "series":
        return str(write_series(folder / "series", texts))
    if kind == "models":
        (folder / "models.pdb").write_text(as_models(texts))
        return str(folder / "models.pdb")
    if kind == "ends":
        (folder / "ends.pdb").write_text("".join(texts))
        return str(folder / "ends.pdb")
    return write_trajectory(folder, texts, kind)


def write_trajectory(
    folder: Path, texts: Sequence[str], kind: str, times: Sequence[float] | None = None
) -> str:
    """The first frame as topology and all as trajectory; what to find them by.

    Times are in picoseconds, zero if none are given.
    """
    topology, trajectory = folder / "x.pdb.1", folder / f"x.{kind}"
    topology.write_text(texts[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = MDAnalysis.Universe(str(topology), topology_format="PDB", format="PDB")
        universe.dimensions = [80, 80, 80, 90, 90, 90]
        with MDAnalysis.Writer(str(trajectory), n_atoms=len(universe.atoms)) as writer:
            for number, text in enumerate(texts):
                universe.trajectory.ts.time = times[number] if times else 0.0
                universe.atoms.positions = [atom[3:] for atom in read_columns(text)]
                writer.write(universe.atoms)
    return f"{topology}:{trajectory}"


def read_columns(text: str) -> list[Atom]:
    """The atoms of one frame, character by character."""
    return [
        Atom(
            line[12:16].strip(),
            line[17:21].strip(),
            line[22:26].strip(),
            float(line[30:38]),
            float(line[38:46]),
            float(line[46:54]),
        )
        for line in text.splitlines()
        if line.startswith("ATOM")
    ]


def nearest_to_centre(atoms: Sequence[FloatArray]) -> int:
    """Which one it is, by its distance from the mean."""
    centre = sum(atoms) / len(atoms)
    distances = [float(np.linalg.norm(atom - centre)) for atom in atoms]
    return distances.index(min(distances))


def reference(
    texts: Sequence[str], every_frame: bool = False, names: Sequence[str] = ("OQL", "ONC")
) -> FloatArray:
    """Positions of the representatives relative to the central gold atom, [frames, N, 3]."""
    chosen: dict[str, int] = {}
    gold_chosen = None
    frames = []
    for text in texts:
        atoms = read_columns(text)
        gold = [np.array(atom[3:]) for atom in atoms if atom.name == "AU"]
        if gold_chosen is None:
            gold_chosen = nearest_to_centre(gold)
        molecules: dict[str, list[FloatArray]] = {}
        for atom in atoms:
            if atom.resname in names:
                molecules.setdefault(atom.resid, []).append(np.array(atom[3:]))
        for resid, places in molecules.items():
            if every_frame or resid not in chosen:
                chosen[resid] = nearest_to_centre(places)
        frames.append(
            [places[chosen[resid]] - gold[gold_chosen] for resid, places in molecules.items()]
        )
    return np.array(frames)
