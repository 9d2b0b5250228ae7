"""Measured on models that nobody has trained: the numbers are to be right, not good."""

import numpy as np
import pytest

from socialmd.data import Windows
from socialmd.evaluation import Calibration, PredictiveDensity
from socialmd.models import SequenceLSTM
from socialmd.training.forecast_summaries import ForecastSummaries
from tests.tiny_models import interacting_model, tiny_inputs, tiny_model

STEPS = 7


pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def windows(rng):
    inputs = tiny_inputs(rng, batch=3)
    truth = inputs[:, -1:, :, :2] + rng.normal(scale=0.5, size=(3, STEPS, 4, 2)).astype("float32")
    return Windows(inputs, truth, np.arange(3))


def with_padding(windows):
    """The last window has three particles, the others four."""
    mask = np.ones((3, 4), bool)
    mask[2, 3] = False
    inputs, truth = (np.where(mask[:, None, :, None], each, 0.0) for each in windows[:2])
    return Windows(inputs.astype("float32"), truth.astype("float32"), windows.simulations, mask)


def test_errors_are_those_at_some_steps_ahead(rng, windows):
    model = tiny_model(rng, target_steps=STEPS, prediction="acceleration")
    summaries = ForecastSummaries(windows)
    scalars, figures = summaries.measure(model)
    positions, _ = model.rollout(windows.inputs)
    last, step = windows.inputs[:, -1], windows.inputs[:, -1] - windows.inputs[:, -2]
    for ahead in (1, 2, 4, 7):
        tag = f"forecast/mae_{ahead}_steps_ahead"
        truth = windows.truth[:, ahead - 1]
        expected = np.abs(np.array(positions)[:, ahead - 1] - truth).mean()
        assert scalars[tag] == pytest.approx(expected, rel=1e-5)
        simple = [np.abs((last + n * step)[..., :2] - truth).mean() for n in (0, ahead)]
        assert summaries.best_baseline[tag] == pytest.approx(min(simple), rel=1e-5)
    assert len(summaries.best_baseline) == 4
    (ax,) = figures["forecast/error_by_step"][0].axes
    labels = [line.get_label() for line in ax.lines]
    assert labels == ["model", "constant position", "constant velocity"]
    drawn = ax.lines[0].get_ydata()
    assert drawn[[0, 6]] == pytest.approx(
        [scalars[f"forecast/mae_{ahead}_steps_ahead"] for ahead in (1, 7)]
    )


def test_the_best_simple_forecast_may_be_another_one_at_each_step(rng):
    """Particles turn back halfway, which is what the training split shows as well."""
    inputs = tiny_inputs(rng, batch=3)
    velocity = (inputs[:, -1:] - inputs[:, -2:-1])[..., :2]
    ahead = np.array([1, 2, 3, 2.5, 1.5, 0.5, 0])[:, None, None]
    windows = Windows(inputs, inputs[:, -1:, :, :2] + ahead * velocity, np.arange(3))
    summaries = ForecastSummaries(windows)
    found = list(summaries.best_baseline.values())  # at steps 1, 2, 4 and 7
    each = float(np.abs(velocity).mean())
    assert found == pytest.approx([0, 0, 1.5 * each, 0], rel=1e-4, abs=1e-5 * each)
    summaries = ForecastSummaries(windows, [(inputs, windows.truth)])
    assert max(summaries.best_baseline.values()) < 1e-4 * each
    _, figures = summaries.measure(tiny_model(rng, target_steps=STEPS))
    (ax,) = figures["forecast/error_by_step"][0].axes
    assert ax.lines[-1].get_label() == "linear autoregression"


@pytest.mark.parametrize("distribution", ["gaussian", "mixture"])
def test_coverage_is_that_of_the_evaluation(rng, windows, distribution):
    model = tiny_model(rng, target_steps=STEPS, distribution=distribution)
    scalars, figures = ForecastSummaries(windows).measure(model)
    _, parameters = model.rollout(windows.inputs)
    log_weights, means, factors = map(np.array, model.components(parameters))
    covariances = np.einsum("...ij,...kj->...ik", factors.astype(float), factors.astype(float))
    calibration = Calibration.from_density(
        PredictiveDensity(log_weights, means, covariances), windows.truth
    )
    found = [scalars[f"forecast/coverage_of_{percent}_percent"] for percent in (50, 80, 95)]
    assert found == pytest.approx(calibration.overall_coverage)
    assert 0 < min(found) < max(found) < 1
    (ax,) = figures["forecast/coverage_by_step"][0].axes
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 100 * np.array(calibration.coverage[0]))


def test_padded_particles_are_neither_measured_nor_drawn(rng, windows):
    padded = with_padding(windows)
    model = tiny_model(rng, target_steps=STEPS)
    scalars, figures = ForecastSummaries(padded).measure(model)
    positions, _ = model.rollout(padded.past)
    error = np.abs(np.array(positions) - padded.truth)[:, 0]  # [3, 4, 2]
    assert scalars["forecast/mae_1_steps_ahead"] == pytest.approx(
        error[padded.mask].mean(), rel=1e-5
    )
    far = padded._replace(truth=np.where(padded.mask[:, None, :, None], padded.truth, 1e3))
    again, _ = ForecastSummaries(far).measure(model)
    assert again == pytest.approx(scalars)
    ends = [figure.axes[0].collections[-1].get_offsets() for figure in figures["forecast/example"]]
    assert [len(each) for each in ends] == [4, 4]
    (alone,) = ForecastSummaries(padded.at(np.array([2]))).measure(model)[1]["forecast/example"]
    assert len(alone.axes[0].collections[-1].get_offsets()) == 3


@pytest.mark.parametrize("dims", [2, 3])
def test_a_sequence_model_has_no_coverage_and_may_live_in_space(rng, windows, dims):
    inputs, truth = windows.inputs[..., : dims + 1], np.zeros((3, STEPS, 4, dims), "float32")
    truth[:] = inputs[:, -1:, :, :dims]
    model = SequenceLSTM(STEPS, dims, mlp_units=(5,), lstm_units=(4,))
    model.build(inputs.shape)
    scalars, figures = ForecastSummaries(Windows(inputs, truth, np.arange(3))).measure(model)
    positions, _ = model.rollout(inputs)
    expected = np.abs(np.array(positions)[:, -1] - truth[:, -1]).mean()
    assert scalars["forecast/mae_7_steps_ahead"] == pytest.approx(expected, rel=1e-5)
    assert not any("coverage" in tag for tag in [*scalars, *figures])
    assert len(figures["forecast/example"]) == 2


def test_the_interaction_that_was_learned_is_drawn_beside_the_law(rng, windows):
    model = interacting_model(rng)

    def doubled(*pair):
        return 2 * np.array(model.pair_acceleration(*pair))

    (figure,) = ForecastSummaries(windows, law=doubled).measure(model)[1]["interaction/learned"]
    curves, errors = figure.axes
    learned, law = np.array_split([line.get_ydata() for line in curves.lines[:-1]], 2)
    np.testing.assert_allclose(law, 2 * learned)
    np.testing.assert_allclose(errors.lines[0].get_ydata(), 0.5, rtol=1e-5)
    (figure,) = ForecastSummaries(windows).measure(model)[1]["interaction/learned"]
    assert len(figure.axes) == 1
    alone = Windows(windows.inputs[:, :, :1], windows.truth[:, :, :1], windows.simulations)
    assert "interaction/learned" not in ForecastSummaries(alone).measure(model)[1]
    tiny = tiny_model(rng, target_steps=STEPS)
    assert "interaction/learned" not in ForecastSummaries(windows).measure(tiny)[1]
