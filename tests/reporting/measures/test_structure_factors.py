"""Density waves of crystals, in boxes of two sizes."""

import numpy as np
import pytest

from socialmd.data import FeatureLayout, Windows
from socialmd.data.dataset_description import DatasetDescription
from socialmd.reporting import FigureFolder, ForecastEvaluation, Forecasts
from socialmd.reporting.measures.structure_factors import StructureFactors

SPACING = 3.0


@pytest.fixture
def evaluation(rng):
    """Two windows of crystals, a forecast as they are, and one of a gas."""
    places, boxes = [], []
    for sides in ((6, 6, 6), (4, 6, 9)):
        lattice = np.indices(sides).reshape(3, -1).T + np.array(sides) * rng.integers(-2, 3, 3)
        places.append(SPACING * np.tile(lattice, (6, 1, 1)))
        boxes.append(SPACING * np.tile(np.diag(sides), (6, 1, 1)))
    places, boxes = np.array(places), np.array(boxes)  # [W, T + T', N, D], [W, T + T', D, D]
    windows = Windows(places[:, :2], places[:, 2:], np.arange(2), None, boxes)
    gas = rng.uniform(size=windows.truth.shape) @ boxes[:, 2:]
    description = DatasetDescription(
        features=tuple("xyz"),
        spatial_dims=3,
        blocks=FeatureLayout.of_scalars(tuple("xyz"), 3).blocks,
        frame_spacing=1.0,
        versions={},
        files={},
    )
    positions = {"same": places[:, 2:], "gas": gas}
    found = ForecastEvaluation.__new__(ForecastEvaluation)
    found.forecasts = Forecasts(windows, description, 1.0, {}, {}, positions, {}, {})
    found.numbers = {}
    return found


def test_crystals_have_a_peak_and_gases_have_none(evaluation, tmp_path):
    found = StructureFactors().compute(evaluation)["structure_factors"]
    k = np.array(found["wave_numbers"])
    crystal, gas = (np.array(found["values"][name]) for name in ("truth", "gas"))
    width = k[1] - k[0]
    assert width == pytest.approx(np.pi / (4 * SPACING))  # half of what fits into the narrowest
    assert k[crystal.argmax()] == pytest.approx(2 * np.pi / SPACING, abs=width)
    assert crystal[k < 2 * np.pi / SPACING - width].max() < 1e-3
    assert gas == pytest.approx(1.0, abs=0.4)
    assert gas.mean() == pytest.approx(1.0, abs=0.1)
    assert found["deviation"]["same"] == pytest.approx(found["deviation"]["truth"])
    assert found["deviation"]["gas"] > 2 * found["deviation"]["truth"]
    evaluation.numbers["structure_factors"] = found
    [section] = StructureFactors().sections(evaluation, FigureFolder(tmp_path))
    of_truth = section.tables[0].rows[0]
    assert of_truth[0] == "truth"
    assert of_truth[2] == crystal.max()


def test_only_fluids_in_space_have_one(evaluation):
    forecasts = evaluation.forecasts
    evaluation.forecasts = forecasts._replace(windows=forecasts.windows._replace(boxes=None))
    assert StructureFactors().compute(evaluation) is None
