"""Which windows are shown follows from rules: hand-placed particles, pictures not drawn."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from socialmd.data import Windows
from socialmd.data.dataset_description import DatasetDescription
from socialmd.reporting import FigureFolder, Forecasts
from socialmd.reporting.measures import forecast_gallery

NUM_WINDOWS, NUM_STEPS = 11, 9


@pytest.fixture
def shown(monkeypatch):
    """Windows and extents in the order in which they are drawn; the animation's past at the end."""
    drawn = []

    def draw_forecast(ax, forecasts, name, window, title, extent=None, plane="xy"):
        if name == "mine":
            drawn.append((window, extent))

    def animate_forecast(path, past, *_, **__):
        drawn.append(past)

    monkeypatch.setattr(forecast_gallery, "draw_forecast", draw_forecast)
    monkeypatch.setattr(forecast_gallery, "animate_forecast", animate_forecast)
    monkeypatch.setattr(FigureFolder, "save", lambda folder, _, name: folder.path / f"{name}.png")
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
        baselines={},
        positions={"mine": truth + errors[:, None, None, None], "other": truth},
        parameters={},
        left_out={},
    )


def captions_of(forecasts):
    """Of the gallery's pictures, by name of the file."""
    numbers = {"forecasts": {"mine": SimpleNamespace(mae_per_step=[1.0, 2.0])}}
    evaluation = SimpleNamespace(forecasts=forecasts, numbers=numbers)
    summary, section = forecast_gallery.ForecastGallery().sections(
        evaluation, FigureFolder(Path("folder"))
    )
    assert [picture.image.name for picture in summary.pictures] == ["forecast.png"]
    return {picture.image.stem: picture.caption for picture in section.pictures}


def test_windows_are_chosen_by_the_first_model_s_error(forecasts, shown):
    captions = captions_of(forecasts)
    errors = np.abs(forecasts.positions["mine"] - forecasts.windows.truth).mean(axis=(1, 2, 3))
    by_error = np.argsort(errors)
    windows = [window for window, extent in shown[:6]]
    # Those of the overview, and those of the gallery.
    assert windows == [by_error[rank] for rank in (5, 9, 0, 5, 9, 10)]
    assert captions["gallery_median"] == "Chosen by rule: window of median error of mine."
    assert shown[-1][0, 0, 1] == by_error[5]  # the one that moves


def test_in_space_forecasts_are_projected_onto_three_planes(forecasts, rng, monkeypatch):
    planes = []
    monkeypatch.setattr(FigureFolder, "save", lambda folder, _, name: folder.path / f"{name}.png")
    monkeypatch.setattr(forecast_gallery, "animate_forecast", lambda *_, **__: None)
    inputs, truth = rng.normal(size=(11, 3, 2, 3)), rng.normal(size=(11, 9, 2, 3))
    windows = Windows(inputs, truth, np.arange(11))
    positions = {"mine": truth + 0.1, "other": truth}
    in_space = forecasts._replace(windows=windows, positions=positions)

    def draw(ax, past, truth, forecast, density, sides, title, legend, plane):
        columns = ["xyz".index(axis) for axis in plane]
        assert density is None
        [window] = np.flatnonzero((inputs[..., columns] == past).all(axis=(1, 2, 3)))
        np.testing.assert_array_equal(truth, windows.truth[window][..., columns])
        if len(planes) < 26:
            assert (np.abs(truth) < sides[1]).all()
        else:  # close approaches show a part only, around one of the pair
            middle = np.add(sides[1::2], sides[::2]) / 2
            assert np.abs(truth - middle).max(axis=-1).min() < 1e-9
        planes.append(plane)

    monkeypatch.setattr(forecast_gallery, "plot_forecast", draw)
    captions = captions_of(in_space)
    three = ["xy", "xy", "xz", "xz", "yz", "yz"]  # of both models
    assert planes == ["xy"] * 2 + three * 6  # the overview, four by error, two close approaches
    assert captions["forecast"].endswith("step by step, x and y.")


def test_close_approaches_are_the_closest_ones_of_different_simulations(forecasts, shown):
    truth = forecasts.windows.truth
    truth[4, 5, 0] = [4.9, 0.0]  # 0.1 from the other one, in simulation 2
    truth[5, 4, 0] = [4.8, 0.0]  # in simulation 2 as well
    truth[9, 3, 0] = [4.7, 0.0]  # in simulation 4
    truth[0, 0, 0] = [4.99, 0.0]  # nothing is seen of what comes before
    captions = captions_of(forecasts)
    close = [item for item in shown[:-1] if item[1] is not None]
    assert [window for window, _ in close] == [4, 9]
    for (_, (left, right, bottom, top)), x in zip(close, (4.9, 4.7), strict=True):
        assert left < x < right
        assert bottom < 0 < top
        assert right - left == pytest.approx(top - bottom)
    assert "0.1000 length units" in captions["gallery_close_approach_1"]
    assert "0.3000 length units" in captions["gallery_close_approach_2"]
