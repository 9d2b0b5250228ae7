"""g(r) against MDAnalysis' own analysis, loops, and crystals."""

import MDAnalysis
import numpy as np
import pytest
from MDAnalysis.analysis.rdf import InterRDF

from socialmd.molecular.pair_distribution import pair_distribution
from tests.reference import nearest_image

TRICLINIC = np.array([[11.0, 0.0, 0.0], [3.0, 12.0, 0.0], [-2.0, 4.0, 13.0]])


def test_it_is_that_of_mdanalysis(rng):
    x = rng.uniform(0, 20, (4, 30, 3))
    universe = MDAnalysis.Universe.empty(30, trajectory=True)
    universe.load_new(x.astype("float32"), dimensions=[20, 20, 20, 90, 90, 90])
    first, rest = universe.atoms[:10], universe.atoms[10:]
    known = InterRDF(first, rest, nbins=20, range=(0, 10)).run().results.rdf
    boxes = np.tile(20 * np.eye(3), (4, 1, 1))
    found = pair_distribution(x, boxes, ["A"] * 10 + ["B"] * 20, num_bins=20)
    np.testing.assert_allclose(found.pairs["A", "B"], known, rtol=1e-4)


@pytest.mark.parametrize("dims", [2, 3])
def test_neighbours_are_those_of_a_search_among_images(rng, dims):
    """In a box of any orientation, particles anywhere."""
    turned = np.linalg.qr(rng.normal(size=(dims, dims)))[0]
    box = TRICLINIC[:dims, :dims] @ turned
    x = rng.uniform(-1, 2, (1, 8, dims)) @ box
    found = pair_distribution(x, box[None], ["X"] * 8, reach=4.0, num_bins=4)
    distances = [
        np.linalg.norm(nearest_image(x[0, j] - x[0, i], box))
        for i in range(8)
        for j in range(8)
        if i != j
    ]
    expected = [np.sum(np.array(distances) <= edge) / 8 for edge in (1, 2, 3, 4)]
    np.testing.assert_allclose(found.neighbours, expected)
    nearest = np.reshape(distances, (8, 7)).min(axis=1)
    touching = [np.mean(nearest <= edge) for edge in (1, 2, 3, 4)]
    np.testing.assert_allclose(found.in_contact, touching)


@pytest.mark.parametrize("dims", [2, 3])
def test_without_order_it_is_one(rng, dims):
    gas = rng.uniform(0, 10, (10, 400, dims))
    found = pair_distribution(gas, [10 * np.eye(dims)] * 10, ["A", "B"] * 200, num_bins=10)
    assert sorted(found.pairs) == [("A", "A"), ("A", "B"), ("B", "B")]
    for g in found.pairs.values():
        np.testing.assert_allclose(g[3:], 1.0, atol=0.1)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"found shape .* and 2 kinds"):
        pair_distribution(np.zeros((1, 3, 3)), [np.eye(3)], ["A", "B"])
