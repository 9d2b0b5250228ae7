"""Density waves of crystals, in boxes of two sizes."""

import numpy as np
import pytest

from socialmd.data import FeatureLayout, Windows
from socialmd.data.dataset_description import DatasetDescription
from socialmd.evaluation import NotPossibleError
from socialmd.reporting import FigureFolder, ForecastEvaluation, Forecasts
from socialmd.reporting.measures import structure_factors
from socialmd.reporting.measures.structure_factors import StructureFactors

SPACINGS = 3.0, 3.3


@pytest.fixture
def evaluation(rng):
    """Two windows of crystals, a forecast as they are, and one of a gas."""
    places, boxes = [], []
    for sides, spacing in zip(((6, 6, 6), (4, 6, 9)), SPACINGS, strict=True):  # 216 particles
        lattice = np.indices(sides).reshape(3, -1).T + np.array(sides) * rng.integers(-2, 3, 3)
        places.append(spacing * np.tile(lattice, (6, 1, 1)))
        boxes.append(spacing * np.tile(np.diag(sides), (6, 1, 1)))
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
    assert width == pytest.approx(np.pi / (4 * 3.3))  # half of what fits into the narrowest
    assert k[-1] + width / 2 == pytest.approx(2 * np.pi / (0.4 * 3.0), abs=2 * width)
    first = 2 * np.pi / np.array(SPACINGS)
    rest = crystal[k < first.min() - width]
    assert rest.max() < 1e-9
    peaks = crystal[len(rest) : np.abs(k - first.max()).argmin() + 1]
    assert peaks.max() > 1.5  # beside waves that are not there
    np.testing.assert_allclose(gas, 1.0, atol=0.4)
    assert gas.mean() == pytest.approx(1.0, abs=0.1)
    assert found["deviation"]["same"] == pytest.approx(found["deviation"]["truth"])
    assert found["deviation"]["gas"] > 1.2 * found["deviation"]["truth"]
    evaluation.numbers["structure_factors"] = found
    [section] = StructureFactors().sections(evaluation, FigureFolder(tmp_path))
    of_truth = section.tables[0].rows[0]
    assert of_truth[0] == "truth"
    assert of_truth[2] == crystal.max()


def with_windows(evaluation, **changes):
    forecasts = evaluation.forecasts
    evaluation.forecasts = forecasts._replace(windows=forecasts.windows._replace(**changes))
    return evaluation


def test_only_fluids_have_one(evaluation):
    assert StructureFactors().compute(with_windows(evaluation, boxes=None)) is None


def test_only_fluids_in_space_have_one(evaluation):
    windows = evaluation.forecasts.windows
    in_plane = {"truth": windows.truth[..., :2], "boxes": windows.boxes[..., :2, :2]}
    assert StructureFactors().compute(with_windows(evaluation, **in_plane)) is None


def test_systems_of_different_sizes_and_large_ones_are_left_out(evaluation, monkeypatch):
    monkeypatch.setattr(structure_factors, "MOST_PARTICLES", 215)
    with pytest.raises(NotPossibleError, match="expected at most 215 particles, found 216"):
        StructureFactors().compute(evaluation)
    some = with_windows(evaluation, mask=np.ones((2, 216), bool))
    with pytest.raises(NotPossibleError, match="expected equally many particles"):
        StructureFactors().compute(some)
