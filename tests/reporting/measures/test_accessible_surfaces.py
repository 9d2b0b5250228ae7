"""Surfaces of molecules whose neighbours are known."""

import numpy as np
import pytest

from socialmd.data import FeatureLayout, Windows
from socialmd.data.dataset_description import DatasetDescription
from socialmd.evaluation import NotPossibleError
from socialmd.reporting import FigureFolder, ForecastEvaluation, Forecasts
from socialmd.reporting.measures.accessible_surfaces import AccessibleSurfaces

RADII = {"ONC": 3.0, "OQL": 2.0}
ALONE = {name: 4 * np.pi * (radius + 1.4) ** 2 for name, radius in RADII.items()}


def evaluation(centre="name AU", mask=None, radii=RADII, dims=3, boxes=None):
    """Four windows of two simulations: all alone at first; in the truth, one OQL hides at the end.

    It is inside of the ONC then; in the forecast, nobody ever moves.
    """
    places = np.zeros((4, 13, 4, 3))
    places[..., 0] = [0.0, 20.0, 40.0, 60.0]
    places[:, -1, 1, 0] = 0.5
    names = np.broadcast_to(np.eye(2)[[0, 1, 1, 1]], (4, 3, 4, 2))
    inputs = np.concatenate([places[:, :3], names], axis=-1)
    inputs, places = inputs[..., 3 - dims :], places[..., :dims]
    windows = Windows(inputs, places[:, 3:], np.arange(4) // 2, mask, boxes)
    features = (*"xyz"[:dims], "ONC", "OQL")
    description = DatasetDescription(
        features=features,
        spatial_dims=dims,
        blocks=FeatureLayout.of_scalars(features, dims, 2).blocks,
        frame_spacing=2.0,
        preprocessing={"settings": {"centre": centre}, "files": {}},
        radii=radii,
        versions={},
        files={},
    )
    still = {"still": np.repeat(places[:, 2:3], 10, axis=1)}
    found = ForecastEvaluation.__new__(ForecastEvaluation)
    found.forecasts = Forecasts(windows, description, 2.0, {}, {}, still, {}, {})
    found.numbers = {}
    return found


def test_hidden_molecules_have_less_surface(tmp_path):
    given = evaluation()
    found = AccessibleSurfaces().compute(given)["accessible_surfaces"]
    assert found["radii"] == RADII
    assert found["steps"] == list(range(1, 11))
    drugs = found["kinds"]["OQL"]
    np.testing.assert_allclose(drugs["still"]["mean"], ALONE["OQL"], rtol=1e-5)
    np.testing.assert_allclose(drugs["truth"]["mean"][:-1], ALONE["OQL"], rtol=1e-5)
    assert drugs["truth"]["mean"][-1] == pytest.approx(2 / 3 * ALONE["OQL"])
    assert drugs["still"]["absolute_error"] == pytest.approx(ALONE["OQL"] / 3)
    assert drugs["truth"]["absolute_error"] == 0.0
    assert drugs["still"]["absolute_error_error"] == pytest.approx(0.0, abs=1e-9)
    others = found["kinds"]["ONC"]
    assert others["truth"]["mean"][-1] == pytest.approx(ALONE["ONC"])  # of what is inside of it
    given.numbers["accessible_surfaces"] = found
    [section] = AccessibleSurfaces().sections(given, FigureFolder(tmp_path))
    assert [row[0] for row in section.tables[0].rows] == [
        *("ONC: truth", "ONC: still", "OQL: truth", "OQL: still")
    ]


def test_padded_molecules_cover_nothing():
    """The molecule that would hide the other is not there."""
    found = AccessibleSurfaces().compute(
        evaluation(mask=np.tile([False, True, True, True], (4, 1)))
    )
    kinds = found["accessible_surfaces"]["kinds"]
    assert kinds.keys() == {"OQL"}
    np.testing.assert_allclose(kinds["OQL"]["truth"]["mean"], ALONE["OQL"], rtol=1e-5)


def test_fluids_and_slices_have_none():
    for given in (
        evaluation(centre=None),
        evaluation(dims=2),
        evaluation(boxes=np.tile(90 * np.eye(3), (4, 13, 1, 1))),
    ):
        assert AccessibleSurfaces().compute(given) is None


@pytest.mark.parametrize("radii", [None, {"ONC": 2.0}, {"ONC": 0.0, "OQL": 2.0}])
def test_radii_that_are_not_known_are_told(radii):
    with pytest.raises(NotPossibleError, match=r"expected radii of molecules in dataset\.json"):
        AccessibleSurfaces().compute(evaluation(radii=radii))
