"""Distances from the centre, of forecasts whose distances are known."""

import numpy as np
import pytest

from socialmd.data import FeatureLayout, Windows
from socialmd.data.dataset_description import DatasetDescription
from socialmd.reporting import ForecastEvaluation, Forecasts
from socialmd.reporting.measures.radial_distributions import RadialDistributions


def evaluation(rng, centre="name AU", mask=None):
    """Eight windows of four simulations: OQL at 10 to 20, ONC at 30; a forecast that is 5 off."""
    radius = np.array([10.0, 15.0, 20.0, 30.0])
    directions = rng.normal(size=(8, 25, 4, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    places = radius[:, None] * directions
    names = np.broadcast_to(np.eye(2)[[1, 1, 1, 0]], (8, 5, 4, 2))
    windows = Windows(
        np.concatenate([places[:, :5], names], axis=-1), places[:, 5:], np.arange(8) // 2, mask
    )
    description = DatasetDescription(
        features=("x", "y", "z", "ONC", "OQL"),
        spatial_dims=3,
        blocks=FeatureLayout.of_scalars(("x", "y", "z", "ONC", "OQL"), 3, 2).blocks,
        frame_spacing=1.0,
        preprocessing={"settings": {"centre": centre}, "files": {}},
        versions={},
        files={},
    )
    positions = {"farther": places[:, 5:] + 5 * directions[:, 5:], "same": places[:, 5:]}
    found = ForecastEvaluation.__new__(ForecastEvaluation)
    found.forecasts = Forecasts(windows, description, 1.0, {}, {}, positions, {}, {})
    found.numbers = {}
    return found


def test_means_and_distributions_are_those_of_the_distances(rng):
    found = RadialDistributions().compute(evaluation(rng))["radial_distributions"]
    assert found.keys() == {"ONC", "OQL"}
    of_drugs = found["OQL"]
    np.testing.assert_allclose(of_drugs["truth"]["mean"], 15.0)
    np.testing.assert_allclose(of_drugs["farther"]["mean"], 20.0)
    np.testing.assert_allclose(of_drugs["truth"]["mean_error"], 0.0, atol=1e-9)
    assert of_drugs["farther"]["distance_from_truth"] == pytest.approx(5.0)
    assert of_drugs["same"]["distance_from_truth"] == 0.0
    assert (of_drugs["same"]["stay"], of_drugs["farther"]["stay"]) == (1.0, 0.0)
    widths = np.diff(of_drugs["truth"]["bin_edges"])
    assert np.sum(of_drugs["truth"]["density"] * widths) == pytest.approx(1.0)
    within = np.sum(of_drugs["farther"]["density"] * widths)
    assert within == pytest.approx(2 / 3)  # 15 and 20 of 15, 20 and 25 are distances of the truth


def test_padded_molecules_do_not_count(rng):
    mask = np.tile([True, False, True, True], (8, 1))
    found = RadialDistributions().compute(evaluation(rng, mask=mask))["radial_distributions"]
    np.testing.assert_allclose(found["OQL"]["truth"]["mean"], 15.0)
    mask[:, 2] = False
    found = RadialDistributions().compute(evaluation(rng, mask=mask))["radial_distributions"]
    np.testing.assert_allclose(found["OQL"]["truth"]["mean"], 10.0)


def test_a_fluid_has_no_centre(rng):
    assert RadialDistributions().compute(evaluation(rng, centre=None)) is None
