"""Which windows are shown follows from rules: hand-placed particles, pictures not drawn."""

from pathlib import Path

import numpy as np
import pytest

from socialmd.data import Windows
from socialmd.data.dataset_description import DatasetDescription
from socialmd.reporting import Forecasts, draw_gallery, gallery

NUM_WINDOWS, NUM_STEPS = 11, 9


@pytest.fixture
def shown(monkeypatch):
    """Windows and extents in the order in which they are drawn; the animation's past at the end."""
    drawn = []
    monkeypatch.setattr(
        gallery, "_side_by_side", lambda forecasts, window, extent: drawn.append((window, extent))
    )
    monkeypatch.setattr(gallery, "save_png_and_pdf", lambda figure, folder, name, *_: folder / name)
    monkeypatch.setattr(
        gallery, "animate_forecast", lambda path, past, *_, **__: drawn.append(past)
    )
    return drawn


@pytest.fixture
def forecasts(rng):
    """Two particles far apart; the error of window w is w, shuffled, in units of a tenth."""
    inputs = np.zeros((NUM_WINDOWS, 3, 2, 4))
    inputs[:, :, 1, 0] = 5.0
    inputs[:, 0, 0, 1] = np.arange(NUM_WINDOWS)  # to recognize them by
    truth = np.zeros((NUM_WINDOWS, NUM_STEPS, 2, 2))
    truth[:, :, 1, 0] = 5.0
    errors = 0.1 * rng.permutation(NUM_WINDOWS)
    simulations = np.arange(NUM_WINDOWS) // 2
    return Forecasts(
        windows=Windows(inputs, truth, simulations),
        description=DatasetDescription(
            features=("x",), spatial_dims=1, frame_spacing=1, versions={}, files={}
        ),
        spacing=1.0,
        models={"mine": None, "other": None},
        positions={"mine": truth + errors[:, None, None, None], "other": truth},
        parameters={},
        left_out={},
    )


def test_windows_are_chosen_by_the_first_model_s_error(forecasts, shown):
    pictures = draw_gallery(forecasts, Path("folder"))
    errors = np.abs(forecasts.positions["mine"] - forecasts.windows.truth).mean(axis=(1, 2, 3))
    by_error = np.argsort(errors)
    windows = [window for window, extent in shown[:4]]
    assert windows == [by_error[0], by_error[5], by_error[9], by_error[10]]
    assert pictures["gallery_median"].rule == "window of median error of mine"
    assert shown[-1][0, 0, 1] == by_error[5]  # the one that moves


def test_close_approaches_are_the_closest_ones_of_different_simulations(forecasts, shown):
    truth = forecasts.windows.truth
    truth[4, 5, 0] = [4.9, 0.0]  # 0.1 from the other one, in simulation 2
    truth[5, 4, 0] = [4.8, 0.0]  # in simulation 2 as well
    truth[9, 3, 0] = [4.7, 0.0]  # in simulation 4
    truth[0, 0, 0] = [4.99, 0.0]  # nothing is seen of what comes before
    pictures = draw_gallery(forecasts, Path("folder"))
    close = [item for item in shown[:-1] if item[1] is not None]
    assert [window for window, _ in close] == [4, 9]
    for (_, (left, right, bottom, top)), x in zip(close, (4.9, 4.7), strict=True):
        assert left < x < right
        assert bottom < 0 < top
        assert right - left == pytest.approx(top - bottom)
    assert "0.1000 length units" in pictures["gallery_close_approach_1"].rule
    assert "0.3000 length units" in pictures["gallery_close_approach_2"].rule
