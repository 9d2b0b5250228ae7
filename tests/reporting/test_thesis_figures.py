"""Which forecasts are shown follows from rules; hand-placed particles, densities left out."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from socialmd.config import ModelConfig
from socialmd.data import Windows
from socialmd.evaluation import ConstantPosition, NotPossibleError, around_close_approaches
from socialmd.plots.style import FORECAST_COLOR, TRUTH_COLOR
from socialmd.reporting import Forecasts, thesis_figures

NUM_WINDOWS, NUM_STEPS, NUM_PARTICLES = 11, 9, 4
CELLS = 4
SIZES = (8.0, 2.0, 4.0)


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """Windows in the order in which forecasts are drawn."""
    windows = []

    def draw_forecast(ax, forecasts, name, window, title, *_, **__):
        ax.imshow(np.eye(40))
        ax.set_title(title)
        windows.append(window)

    monkeypatch.setattr(thesis_figures, "draw_forecast", draw_forecast)
    return windows


class Sigma:
    """A distribution of which nothing is known but the standard deviation, [W, T', N]."""

    def __init__(self, sigma):
        self.sigma = sigma

    def variance(self):
        return np.square(self.sigma)[..., None]


@pytest.fixture
def forecasts(rng):
    """Particles in a row, 5 apart; the error of window w is w, shuffled, in units of a tenth."""
    truth = np.zeros((NUM_WINDOWS, NUM_STEPS, NUM_PARTICLES, 2))
    truth[..., 0] = 5 * np.arange(NUM_PARTICLES)
    errors = 0.1 * rng.permutation(NUM_WINDOWS)[:, None, None, None]
    return Forecasts(
        windows=Windows(truth[:, :3], truth, np.arange(NUM_WINDOWS) // 2),
        description=None,
        spacing=1.0,
        models={"mine": SimpleNamespace(distribution=Sigma)},
        baselines={"constant position": ConstantPosition()},
        positions={"mine": truth + errors, "constant position": truth + 1},
        parameters={"mine": rng.uniform(0.1, 0.2, truth.shape[:3])},
        left_out={},
    )


@pytest.mark.parametrize(("quantile", "rank"), [(0.1, 1), (0.5, 5), (0.9, 9)])
def test_window_and_errors_are_those_at_the_quantile(forecasts, drawn, quantile, rank):
    drawing = thesis_figures.draw_window(forecasts, "rule", quantile)
    mae = 0.1 * rank
    expected = f"window at the rule of the error: MAE {mae:.3f} length units, 11 windows"
    assert drawing.rule == expected
    left, right = drawing.figure.axes[:2]
    assert left.get_title() == f"mine, test simulation {drawn[0] // 2}"
    np.testing.assert_allclose(right.lines[0].get_ydata(), mae)
    np.testing.assert_allclose(right.lines[1].get_ydata(), 1.0)


def test_errors_may_be_left_out(forecasts):
    drawing = thesis_figures.draw_window(forecasts, "median", 0.5, with_errors=False)
    assert len(drawing.figure.axes) == 2  # forecast and colour bar
    assert "Right" not in drawing.shows


def test_colour_bar_undoes_the_fourth_root(forecasts):
    drawing = thesis_figures.draw_window(forecasts, "median", 0.5, with_errors=False)
    drawing.figure.draw_without_rendering()
    bar = drawing.figure.axes[1].yaxis
    labelled = dict(zip(bar.get_ticklocs(), bar.get_ticklabels(), strict=True))
    for place, density in ((0.1**0.25, "0.1"), (1.0, "1")):
        nearest = min(labelled, key=lambda tick: abs(tick - place))
        assert nearest == pytest.approx(place)
        assert labelled[nearest].get_text() == density


def test_a_close_pair_is_marked_at_the_step_of_its_approach(forecasts, drawn):
    truth = forecasts.windows.truth
    truth[4, 5, 2] = [5.1, 0.0]  # particles 2 and 1
    truth[8, 4, 3] = [0.2, 0.0]  # particles 3 and 0, in another simulation
    drawing = thesis_figures.draw_close_approaches(forecasts, 3)
    assert drawn == [4, 8]
    *axes, color_bar = drawing.figure.axes
    assert [ax.get_title() for ax in axes] == [
        "Simulation 2, step 6: 0.1 length units",
        "Simulation 4, step 5: 0.2 length units",
    ]
    for ax, window, step, pair in zip(axes, (4, 8), (5, 4), ([1, 2], [0, 3]), strict=True):
        assert ax.images[0].get_clim() == color_bar.get_ylim()
        named = ((TRUTH_COLOR, truth), (FORECAST_COLOR, forecasts.positions["mine"]))
        for dots, (color, positions) in zip(ax.collections, named, strict=True):
            assert tuple(dots.get_facecolor()[0][:3]) == to_rgb(color)
            np.testing.assert_allclose(dots.get_offsets(), positions[window, step, pair])
        for line in ax.lines:
            assert len(line.get_xdata()) == NUM_STEPS


def test_one_particle_approaches_nobody(forecasts):
    windows = Windows(*(array[:, :, :1] for array in forecasts.windows[:2]), np.zeros(NUM_WINDOWS))
    with pytest.raises(NotPossibleError, match="no particle"):
        thesis_figures.draw_close_approaches(forecasts._replace(windows=windows))


def test_sigma_and_error_are_drawn_around_the_closest_third(forecasts):
    truth = forecasts.windows.truth
    for window in range(8):  # 17 of 44 particles
        truth[window, 4, 0] = truth[window, 4, 1] + [0.0, 0.1 * (window + 1)]
    truth[0, 4, 2] = truth[0, 4, 1] - [0.0, 0.15]
    positions = forecasts.positions["mine"]
    positions += 0.05 * np.arange(1, NUM_STEPS + 1)[:, None, None]  # a growing error
    drawing = thesis_figures.draw_around_close_approaches(forecasts)
    lines = {line.get_label(): line.get_data() for line in drawing.figure.axes[0].lines}
    errors = np.sqrt(np.square(positions - truth).mean(axis=-1))
    for name, values in (
        ("predicted sigma", forecasts.parameters["mine"]),
        ("actual error", errors),
    ):
        expected = around_close_approaches(values, truth, threshold=0.65, half_width=2)
        steps, median = lines[f"{name}: close approaches"]
        assert expected.count == 13  # 30 %
        np.testing.assert_array_equal(steps, [-2, -1, 0, 1, 2])
        np.testing.assert_allclose(median, expected.median)
        np.testing.assert_allclose(lines[f"{name}: control"][1], expected.control)


def test_without_an_approach_there_is_nothing_around_it(forecasts):
    with pytest.raises(NotPossibleError, match="found 0 approaches"):
        thesis_figures.draw_around_close_approaches(forecasts)


def windows_of(positions):
    """Windows [W, 1, N, 2] of two simulations."""
    inputs = np.asarray(positions, "float32")[:, None]
    return Windows(inputs, inputs, np.arange(len(inputs)) + 10)


def config(**keys):
    return ModelConfig(grid_cells=CELLS, kernel_size=2, filters=(2,), grid_sizes=SIZES, **keys)


@pytest.fixture
def windows():
    """In the second one the last particle has two neighbours within 1 of it, others at most one."""
    first = [[0, 0], [0.3, 0.3], [5, 5], [9, 0]]
    second = [[0.8, 0.1], [7.5, 0.1], [-0.9, -0.1], [0, 0]]
    return windows_of([first, second])


def panels(drawing):
    """Axes of the grids."""
    return [ax for ax in drawing.figure.axes if ax.images]


@pytest.mark.parametrize("circles", [True, False])
def test_cells_hold_the_neighbours_of_the_most_crowded_particle(windows, circles):
    drawing = thesis_figures.draw_pooling(config(distance_filter=circles), windows)
    assert "Particle 3 of test simulation 11" in drawing.shows
    offsets = windows.inputs[1, 0, :3]
    assert len(panels(drawing)) == len(SIZES)
    for ax, side in zip(panels(drawing), SIZES, strict=True):
        expected = np.zeros((CELLS, CELLS))
        for x, y in offsets:
            if (np.hypot(x, y) if circles else max(abs(x), abs(y))) <= side / 2:
                expected[int((x / side + 0.5) * CELLS), int((y / side + 0.5) * CELLS)] += 1
        assert expected.sum() == 2
        np.testing.assert_array_equal(ax.images[0].get_array().filled(0), expected.T)
        np.testing.assert_allclose(ax.collections[-2].get_offsets(), offsets)


def test_padded_particles_are_neither_chosen_nor_counted(windows):
    """Three of them, all at the origin, would be more crowded than any real particle."""
    padded = np.pad(windows.inputs, [(0, 0), (0, 0), (0, 3), (0, 0)])
    mask = np.array([[True] * 4 + [False] * 3] * 2)
    expected, found = (
        thesis_figures.draw_pooling(config(), each)
        for each in (windows, windows._replace(inputs=padded, truth=padded, mask=mask))
    )
    assert found.shows == expected.shows
    for ours, theirs in zip(panels(found), panels(expected), strict=True):
        np.testing.assert_array_equal(ours.images[0].get_array(), theirs.images[0].get_array())


def test_models_without_grids_and_lonely_particles_are_not_drawn(windows):
    without = config().model_copy(update={"grid_sizes": ()})
    with pytest.raises(NotPossibleError, match="no grids"):
        thesis_figures.draw_pooling(without, windows)
    with pytest.raises(NotPossibleError, match="no particle has a neighbour on its smallest"):
        thesis_figures.draw_pooling(config(), windows_of([[[0, 0], [0, 1.1]]]))
