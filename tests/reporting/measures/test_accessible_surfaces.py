"""Surfaces of molecules whose neighbours are known."""

import numpy as np
import pytest

from socialmd.data import FeatureLayout, Windows
from socialmd.data.dataset_description import DatasetDescription
from socialmd.reporting import FigureFolder, ForecastEvaluation, Forecasts
from socialmd.reporting.measures.accessible_surfaces import AccessibleSurfaces

RADII = {"ONC": 3.0, "OQL": 2.0}
ALONE = {name: 4 * np.pi * (radius + 1.4) ** 2 for name, radius in RADII.items()}


def evaluation(centre="name AU", mask=None, radii=RADII):
    """Four windows of two simulations: all alone at first; in the truth, one OQL hides at the end.

    It is inside of the ONC then; in the forecast, nobody ever moves.
    """
    places = np.zeros((4, 13, 4, 3))
    places[..., 0] = [0.0, 20.0, 40.0, 60.0]
    places[:, -1, 1, 0] = 0.5
    names = np.broadcast_to(np.eye(2)[[0, 1, 1, 1]], (4, 3, 4, 2))
    inputs = np.concatenate([places[:, :3], names], axis=-1)
    windows = Windows(inputs, places[:, 3:], np.arange(4) // 2, mask)
    features = ("x", "y", "z", "ONC", "OQL")
    made = {
        "settings": {"centre": centre},
        "simulations": [{"mean_radius": radii}, {"mean_radius": {"OQL": radii.get("OQL")}}],
        "files": {},
    }
    description = DatasetDescription(
        features=features,
        spatial_dims=3,
        blocks=FeatureLayout.of_scalars(features, 3, 2).blocks,
        frame_spacing=2.0,
        preprocessing=made if radii else {"settings": {"centre": centre}, "files": {}},
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


def test_fluids_and_points_have_none():
    assert AccessibleSurfaces().compute(evaluation(centre=None)) is None
    assert AccessibleSurfaces().compute(evaluation(radii={})) is None
