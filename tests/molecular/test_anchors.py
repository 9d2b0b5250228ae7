"""Where strands stand on the core: molecules that hang on chains, placed by hand."""

import numpy as np
import pytest

from socialmd.molecular import MoleculeTrajectories, SimulationFiles
from tests.molecular.small_pdb import Atom, to_text, write_series

CORE = [(5.0, 0, 0), (-5.0, 0, 0), (0, 5.0, 0), (0, -5.0, 0), (0.5, 0, 0)]  # the last is the centre
# The second chain stands on the third gold atom and leans over to the first one's side.
STRAIGHT, LEANING = [(7.0, 0, 0), (9.0, 0, 0)], [(0, 7.0, 0), (2.0, 8.0, 0), (5.0, 7.5, 0)]
HEADS = {"OQL": [(11.0, 0, 0), (12.0, 0, 0)], "ONC": [(7.0, 7.0, 0), (8.0, 6.0, 0)]}


def beads(name, resname, number, places):
    return [Atom(f"{name}{k}", resname, str(number), *place) for k, place in enumerate(places)]


@pytest.fixture
def files(tmp_path, rng):
    """Three frames; in the second and third everything has moved."""
    atoms = [atom._replace(name="AU") for atom in beads("A", "AU", 1, CORE)]
    atoms += beads("C", "CHN", 2, STRAIGHT) + beads("C", "OQL", 3, HEADS["OQL"])
    atoms += beads("C", "CHM", 4, LEANING) + beads("C", "ONC", 5, HEADS["ONC"])
    frames = [atoms]
    for _ in range(2):
        steps = rng.normal(0, 0.3, (len(atoms), 3))
        frames.append(
            [
                a._replace(x=a.x + s[0], y=a.y + s[1], z=a.z + s[2])
                for a, s in zip(atoms, steps, strict=True)
            ]
        )
    return SimulationFiles.find(write_series(tmp_path / "run", map(to_text, frames)))


def follow(files, **options):
    return MoleculeTrajectories(files, names=["OQL", "ONC"], num_workers=1, **options).run().results


def test_a_molecule_is_tied_where_its_strand_stands(files):
    results = follow(files, strands="resname CHN CHM")
    assert results.names == ("OQL", "ONC")
    np.testing.assert_allclose(results.anchors, [[4.5, 0, 0], [-0.5, 5.0, 0]], atol=1e-3)


def test_molecules_may_be_their_own_strands(files):
    """The gold atoms that they are nearest to themselves."""
    results = follow(files, strands="resname OQL ONC")
    np.testing.assert_allclose(results.anchors, [[4.5, 0, 0], [4.5, 0, 0]], atol=1e-3)


def test_without_strands_there_are_no_anchors(files):
    assert follow(files).anchors is None


def test_strands_are_told_apart_where_molecules_are(tmp_path):
    """Heads that share a residue number are molecules, and strands, of their own."""
    atoms = [atom._replace(name="AU") for atom in beads("A", "AU", 1, CORE)]
    for places in ([(9.0, 0, 0), (10.0, 0, 0)], [(-9.0, 0, 0), (-10.0, 0, 0)]):
        atoms += beads("C", "OQL", 2, places)
    files = SimulationFiles.find(write_series(tmp_path / "run", [to_text(atoms)]))
    results = follow(files, strands="resname OQL")
    np.testing.assert_allclose(results.anchors, [[4.5, 0, 0], [-5.5, 0, 0]], atol=1e-3)


def test_strands_that_are_none_are_refused(files):
    with pytest.raises(ValueError, match="strands: expected no atoms of the core"):
        follow(files, strands="resname CHN AU")
    with pytest.raises(ValueError, match="found one, on which all 2 molecules would hang"):
        follow(files, strands="resname CHN")
    with pytest.raises(ValueError, match=r"strands: expected atoms, found none of 'resname XYZ'"):
        follow(files, strands="resname XYZ")
    with pytest.raises(ValueError, match="strands: expected none without a centre"):
        MoleculeTrajectories(files, centre=None, strands="all")
