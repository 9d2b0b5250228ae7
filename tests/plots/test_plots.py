"""What figures show, read back from their artists; pictures are looked at by people."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from PIL import Image

from socialmd import plots
from socialmd.plots.forecast import add_legend
from socialmd.plots.style import FORECAST_COLOR, TRUTH_COLOR


@pytest.fixture
def paths():
    rng = np.random.default_rng(0)
    walk = rng.normal(size=(12, 3, 2)).cumsum(axis=0)
    return walk[:5], walk[5:], walk[5:] + 0.1


def lines_of(ax, color):
    """Segments drawn in one colour, [segments, 2, 2]."""
    return np.concatenate(
        [
            np.asarray(collection.get_segments())
            for collection in ax.collections
            if isinstance(collection, LineCollection)
            and np.allclose(collection.get_colors()[-1][:3], to_rgb(color))
        ]
    )


def visible_labels(axis):
    """Of its ticks; Matplotlib has some beyond both ends."""
    low, high = axis.get_view_interval()
    texts = [text.get_text() for text in axis.get_ticklabels()]
    ticks = sorted(zip(axis.get_ticklocs(), texts, strict=True))
    return [text for place, text in ticks if low <= place <= high]


def test_forecast_shows_truth_and_forecast_in_their_colours(paths):
    past, truth, forecast = paths
    _, ax = plots.new_figure(4, 4)
    plots.plot_forecast(ax, past, truth, forecast)
    for color, expected in ((TRUTH_COLOR, truth), (FORECAST_COLOR, forecast)):
        ends = lines_of(ax, color)[:, 1].reshape(3, len(expected), 2)
        np.testing.assert_allclose(ends, expected.swapaxes(0, 1))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "given",
        "truth",
        "forecast",
    ]
    assert "length units" in ax.get_xlabel()
    assert "length units" in ax.get_ylabel()


def test_a_figure_may_have_one_legend_for_all(paths):
    figure, axes = plots.new_figure(8, 4, columns=2)
    for ax in axes:
        plots.plot_forecast(ax, *paths, legend=False)
        assert ax.get_legend() is None
    add_legend(figure, ("truth", "forecast"))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["truth", "forecast"]
    figure.draw_without_rendering()
    assert legend.get_window_extent().y1 < axes[0].get_tightbbox().y0  # below both


def test_density_is_drawn_with_y_upwards(paths):
    past, truth, forecast = paths
    density = np.zeros((4, 4))
    density[3, 0] = 1.0  # large y, small x
    _, ax = plots.new_figure(4, 4)
    plots.plot_forecast(ax, past, truth, forecast, density, (-2.0, 2.0, -3.0, 3.0))
    image = ax.images[0]
    assert image.origin == "lower"
    assert tuple(image.get_extent()) == (-2.0, 2.0, -3.0, 3.0)
    assert np.argmax(image.get_array()) == np.argmax(density)


def test_truth_may_be_unknown(paths):
    past, _, forecast = paths
    _, ax = plots.new_figure(4, 4)
    plots.plot_forecast(ax, past, None, forecast)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["given", "forecast"]


def test_trajectories_end_in_a_dot(paths):
    past, _, _ = paths
    _, ax = plots.new_figure(4, 4)
    plots.plot_trajectories(ax, past)
    np.testing.assert_allclose(ax.collections[-1].get_offsets(), past[-1])


def test_losses_mark_the_best_epoch():
    _, ax = plots.new_figure(4, 4)
    plots.plot_losses(ax, {"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 1.5, 2.0]})
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[2, 1.5]])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [3.0, 2.0, 1.0])


def test_losses_of_phases_are_not_joined_and_the_best_is_of_the_last():
    _, ax = plots.new_figure(4, 4)
    history = {"loss": [9.0, 8.0, -7.0, 3.0, 2.0, 4.0], "val_loss": [9.0, 8.0, -7.0, 3.0, 1.0, 2.0]}
    plots.plot_losses(ax, {**history, "phase": [0.0, 0.0, 1.0, 2.0, 2.0, 2.0]})
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[5, 1.0]])
    (line,) = [line for line in ax.lines if line.get_label().startswith("validation")]
    nan = np.nan
    np.testing.assert_array_equal(line.get_ydata(), [9.0, 8.0, nan, -7.0, nan, 3.0, 1.0, 2.0])
    assert [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"] == [2.5, 3.5]
    assert ax.get_ylabel() == "loss of each phase"


def test_losses_may_have_another_scale():
    _, ax = plots.new_figure(4, 4)
    plots.plot_losses(ax, {"loss": [120.0, -1.0], "val_loss": [1.5, -1.0]}, scale="symlog")
    assert ax.get_yscale() == "symlog"


def test_one_epoch_has_one_tick_and_losses_have_plain_numbers():
    figure, ax = plots.new_figure(4, 4)
    plots.plot_losses(ax, {"loss": [36.0], "val_loss": [-1.6]}, scale="symlog")
    figure.draw_without_rendering()
    assert visible_labels(ax.xaxis) == ["1"]
    numbers = ["\N{MINUS SIGN}2", "\N{MINUS SIGN}1", "0", "1", "2", "5", "10", "20", "50"]
    assert visible_labels(ax.yaxis) == numbers


def test_first_epochs_do_not_crush_the_others():
    _, ax = plots.new_figure(4, 4)
    losses = [500.0, 3.0, 2.0, 1.0, 1.5, 1.2]
    plots.plot_losses(ax, {"loss": losses, "val_loss": losses}, "loss")
    low, high = ax.get_ylim()
    assert low < 1.0
    assert 3.0 < high < 7.0
    assert [text.get_text() for text in ax.texts] == ["first epochs above"]
    for all_alike in ([3.0, 2.5, 2.0, 1.5, 1.0, 0.5], [500.0, 1.0]):
        _, ax = plots.new_figure(4, 4)
        plots.plot_losses(ax, {"loss": all_alike, "val_loss": all_alike})
        assert ax.get_ylim()[1] >= all_alike[0]
        assert not ax.texts


def test_particles_have_numbers_where_their_paths_end(paths):
    past, truth, forecast = paths
    _, ax = plots.new_figure(4, 4)
    plots.plot_forecast(ax, past, truth, forecast)
    number = len(past[-1])
    assert [text.get_text() for text in ax.texts] == 2 * [str(index) for index in range(number)]
    ends = [text.xy for text in ax.texts]
    np.testing.assert_allclose(ends, [*forecast[-1], *truth[-1]])


def test_losses_refuse_a_history_without_validation():
    _, ax = plots.new_figure(4, 4)
    with pytest.raises(ValueError, match="val_loss"):
        plots.plot_losses(ax, {"loss": [1.0]})


def test_learning_curves_show_every_seed_and_the_mean():
    _, ax = plots.new_figure(4, 4)
    curves = {"reference": [[3.0, 1.0], [5.0, 2.0]], "other": [[4.0, 4.0]]}
    plots.plot_learning_curves(ax, curves, "NLL (nats)", {"constant velocity": 2.5})
    expected = [[3.0, 1.0], [5.0, 2.0], [4.0, 1.5], [4.0, 4.0], [4.0, 4.0], [2.5, 2.5]]
    assert [list(line.get_ydata()) for line in ax.lines] == expected
    assert list(ax.lines[2].get_xdata()) == [1, 2]
    seed, mean, other = ax.lines[0], ax.lines[2], ax.lines[4]
    assert mean.get_linewidth() > 2 * seed.get_linewidth()
    assert seed.get_color() == mean.get_color() == FORECAST_COLOR != other.get_color()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["reference", "other", "constant velocity"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "NLL (nats)")


@pytest.mark.parametrize("curve", [[1.0, 2.0], np.zeros((0, 2)), np.zeros((1, 0))])
def test_learning_curves_refuse_another_shape(curve):
    _, ax = plots.new_figure(4, 4)
    with pytest.raises(ValueError, match="mono-grid: expected curves"):
        plots.plot_learning_curves(ax, {"mono-grid": curve}, "NLL (nats)")


def test_errors_are_drawn_against_steps_with_the_model_first():
    _, ax = plots.new_figure(4, 4)
    plots.plot_errors(ax, {"model": [0.1, 0.2], "constant velocity": [0.2, 0.4]})
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[1, 0.1], [2, 0.2]])
    assert ax.lines[0].get_color() == FORECAST_COLOR
    assert ax.get_legend().get_texts()[1].get_text() == "constant velocity"


def test_baselines_keep_their_look_beside_any_number_of_trained_models():
    baselines = ("constant position", "constant velocity", "known law")
    looks = []
    for models in (["model"], ["model", "second", "third"]):
        _, ax = plots.new_figure(4, 4)
        names = [*models, "known law", "constant velocity"]
        plots.plot_errors(ax, {name: [0.1, 0.2] for name in names}, baselines=baselines)
        assert ax.lines[0].get_color() == FORECAST_COLOR
        look = {
            line.get_label(): (line.get_color(), line.get_linestyle(), line.get_linewidth())
            for line in ax.lines
        }
        assert len(set(look.values())) == len(names)  # told apart
        thickest_baseline = max(look[name][2] for name in names if name in baselines)
        assert thickest_baseline < min(look[name][2] for name in models)
        looks.append(look)
    for name in ("model", "known law", "constant velocity"):
        assert looks[0][name] == looks[1][name]


def test_spread_is_a_band_in_the_colour_of_its_curve():
    _, ax = plots.new_figure(4, 4)
    errors = {"model": [0.1, 0.2], "other": [0.2, 0.4]}
    plots.plot_errors(ax, errors, spread={"other": [[0.1, 0.3], [0.3, 0.5]]})
    (band,) = ax.collections
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
    assert corners == {(1, 0.1), (2, 0.3), (1, 0.3), (2, 0.5)}
    assert to_rgb(band.get_facecolor()[0][:3]) == to_rgb(ax.lines[1].get_color())
    assert ax.get_legend().get_texts()[-1].get_text() == "other"  # the band has no entry


@pytest.mark.parametrize(
    ("spread", "message"),
    [
        ({"model": [[0.1, 0.2]]}, r"spread: expected shape \(2, 2\), found \(1, 2\)"),
        ({"other": [[0.1, 0.2]] * 2}, "spread: expected names of .*'model'.*, found 'other'"),
    ],
)
def test_a_spread_that_fits_no_curve_is_refused(spread, message):
    _, ax = plots.new_figure(4, 4)
    with pytest.raises(ValueError, match=message):
        plots.plot_errors(ax, {"model": [0.1, 0.2]}, spread=spread)


def test_animation_has_every_step(paths, tmp_path):
    past, truth, forecast = paths
    path = tmp_path / "forecast.gif"
    plots.animate_forecast(path, past, truth, forecast, (-5, 5, -5, 5))
    with Image.open(path) as image:
        # Matplotlib's writer merges the frames that stand still at both ends.
        assert image.n_frames >= len(truth) + 1
        first = np.asarray(image.convert("RGB"), int)
        image.seek(image.n_frames - 1)
        last = np.asarray(image.convert("RGB"), int)
    assert np.abs(first - last).max() > 100
