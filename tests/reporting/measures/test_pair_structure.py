"""The structure of crystals, whose neighbours are known, in boxes of two sizes."""

import numpy as np
import pytest

from socialmd.data import FeatureLayout, Windows
from socialmd.data.dataset_description import DatasetDescription
from socialmd.reporting import ForecastEvaluation, Forecasts
from socialmd.reporting.measures.nearest_neighbours import NearestNeighbours
from socialmd.reporting.measures.pair_structure import PairStructure

SPACING = 3.02
LATTICES = {2: ((6, 6), (4, 9)), 3: ((6, 6, 4), (4, 4, 9))}  # of equally many particles


def evaluation(dims, rng):
    """Two windows, each a lattice in its own box, and a forecast in which all overlap."""
    places, boxes = [], []
    for sides in LATTICES[dims]:
        lattice = np.indices(sides).reshape(dims, -1).T
        moved = lattice + np.array(sides) * rng.integers(-2, 3, lattice.shape)  # whatever image
        places.append(SPACING * np.tile(moved, (6, 1, 1)))
        boxes.append(SPACING * np.tile(np.diag(sides), (6, 1, 1)))
    places, boxes = np.array(places), np.array(boxes)  # [W, T + T', N, D], [W, T + T', D, D]
    windows = Windows(places[:, :2], places[:, 2:], np.arange(2), None, boxes)
    names = tuple("xyz"[:dims])
    description = DatasetDescription(
        features=names,
        spatial_dims=dims,
        blocks=FeatureLayout.of_scalars(names, dims).blocks,
        frame_spacing=1.0,
        versions={},
        files={},
    )
    positions = {"collapsed": 0.1 * places[:, 2:]}
    found = ForecastEvaluation.__new__(ForecastEvaluation)
    found.forecasts = Forecasts(windows, description, 1.0, {}, {}, positions, {}, {})
    found.numbers = {"long_positions": {}}
    return found


@pytest.mark.parametrize("dims", [2, 3])
def test_a_lattice_has_its_neighbours(dims, rng):
    found = PairStructure().compute(evaluation(dims, rng))["pair_structure"]
    assert found["distances"][-1] < 2 * SPACING  # half of the narrowest box
    assert SPACING < found["contact_distance"] < SPACING * 2**0.5
    assert found["neighbours"]["truth"] == pytest.approx(2 * dims)
    assert found["in_contact"]["truth"] == 1.0
    assert found["overlaps"]["truth"] == 0.0
    assert found["overlaps"]["collapsed"] > 0.3
    assert found["deviation"]["collapsed"] > found["deviation"]["truth"]


@pytest.mark.parametrize("dims", [2, 3])
def test_nearest_neighbours_are_nearest_images(dims, rng):
    [found] = NearestNeighbours().compute(evaluation(dims, rng))["nearest_distances"]
    np.testing.assert_allclose(found["truth"], SPACING)
