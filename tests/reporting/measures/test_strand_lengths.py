"""Lengths of strands in forecasts that are known."""

import types

import numpy as np
import pytest

from socialmd.config import ManyBodySystem, StrandsConfig
from socialmd.data import DatasetDescription, Windows
from socialmd.plots import new_figure, plot_strands
from socialmd.reporting import FigureFolder, Forecasts
from socialmd.reporting.measures.strand_lengths import StrandLengths
from socialmd.simulation import layout_of_law

STEPS = 10


@pytest.fixture
def evaluation(rng):
    """Strands of one length in truth, which a forecast makes twice as long."""
    layout = layout_of_law(ManyBodySystem(strands=StrandsConfig(stiffness=1.0)))
    angles = rng.uniform(0, 6, size=(4, STEPS + 2, 5))
    anchors = rng.normal(size=(4, 1, 5, 2)).repeat(STEPS + 2, axis=1)
    arms = 1.5 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    constants = np.ones((4, STEPS + 2, 5, 2))
    frames = np.concatenate([anchors + arms, constants, anchors], axis=-1)
    windows = Windows(frames[:, :2], frames[:, 2:, :, :2], np.arange(4) // 2)
    description = DatasetDescription(
        features=layout.features,
        spatial_dims=2,
        blocks=layout.blocks,
        frame_spacing=1.0,
        versions={},
        files={},
    )
    long = anchors[:, 2:] + 2 * arms[:, 2:]
    found = types.SimpleNamespace(numbers={})
    models = {"long": types.SimpleNamespace()}
    found.forecasts = Forecasts(windows, description, 1.0, models, {}, {"long": long}, {}, {})
    return found


def test_lengths_are_those_of_the_last_steps(evaluation):
    found = StrandLengths().compute(evaluation)["strands"]
    assert found.keys() == {"truth", "long"}
    for name, length in (("truth", 1.5), ("long", 3.0)):
        assert found[name]["mean"] == pytest.approx(length)
        assert found[name]["deviation"] == pytest.approx(0.0, abs=1e-9)
    assert found["long"]["distance_from_truth"] == pytest.approx(1.5)
    widths = np.diff(found["truth"]["bin_edges"])
    assert (widths * found["truth"]["density"]).sum() == pytest.approx(1.0)


def test_the_report_shows_the_hybrid_model(evaluation, tmp_path):
    evaluation.numbers |= StrandLengths().compute(evaluation)
    (section,) = StrandLengths().sections(evaluation, FigureFolder(tmp_path))
    assert [row[0] for row in section.tables[0].rows] == ["truth", "long"]
    assert (tmp_path / "strands.png").is_file()
    assert "figure 35" in section.pictures[0].caption


def test_data_without_anchors_have_no_strands(evaluation):
    layout = layout_of_law(ManyBodySystem())
    plain = evaluation.forecasts.description.model_copy(
        update={"features": layout.features, "blocks": layout.blocks}
    )
    evaluation.forecasts = evaluation.forecasts._replace(description=plain)
    assert StrandLengths().compute(evaluation) is None


def test_springs_reach_from_anchors_to_particles():
    _, ax = new_figure(4, 4)
    ends = np.array([[0.0, 2.0], [3.0, 0.0]])
    plot_strands(ax, np.zeros((2, 2)), ends, ends + 0.1)
    drawn = [line.get_xydata() for line in ax.lines]
    assert len(drawn) == 4
    for line, end in zip(drawn[:2], ends, strict=True):
        np.testing.assert_allclose(line[[0, -1]], [[0.0, 0.0], end])
