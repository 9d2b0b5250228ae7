import numpy as np
import pytest

from socialmd.evaluation import InputDependence

WINDOWS, STEPS, PARTICLES = 60, 8, 3


@pytest.fixture(params=[2, 3])
def truth(request, rng):
    """Random walks from random places, [W, T', N, D]."""
    shape = (WINDOWS, STEPS, PARTICLES, request.param)
    start = rng.normal(scale=5.0, size=(WINDOWS, 1, PARTICLES, request.param))
    return start + np.cumsum(rng.normal(size=shape), axis=1)


def test_the_truth_itself_depends_on_its_input_as_the_truth_does(truth):
    found = InputDependence.from_arrays(truth, truth)
    np.testing.assert_allclose(found.variance_ratio_per_step, 1.0)
    np.testing.assert_allclose(found.step_ratio_per_step, 1.0)
    assert found.distance_to_mean_per_step == found.true_distance_to_mean_per_step
    # Independent steps: two of them go sqrt(2) as far as one.
    assert found.two_step_ratio == pytest.approx(np.sqrt(2), rel=0.1)


def test_a_single_configuration_is_recognized(truth):
    """The mean of all, whatever the input: what squared error makes of a model that ignores it."""
    same = np.repeat(truth.mean(axis=(0, 1), keepdims=True), WINDOWS, axis=0)
    same = np.repeat(same, STEPS, axis=1)
    found = InputDependence.from_arrays(truth, same)
    np.testing.assert_allclose(found.variance_ratio_per_step, 0.0, atol=1e-20)
    np.testing.assert_allclose(found.step_ratio_per_step, 0.0, atol=1e-12)
    assert found.two_step_ratio is None  # nothing moves
    distances = np.array(found.distance_to_mean_per_step)
    assert (distances < 0.5 * np.array(found.true_distance_to_mean_per_step)).all()


def test_an_oscillation_between_two_configurations_is_recognized(truth, rng):
    two = rng.normal(size=(2, *truth.shape[2:]))
    forecast = np.broadcast_to(two[np.arange(STEPS) % 2], truth.shape)
    assert InputDependence.from_arrays(truth, forecast).two_step_ratio == pytest.approx(0.0)


def test_straight_lines_have_a_two_step_ratio_of_two(truth):
    velocity = np.ones(truth.shape[2:])
    forecast = truth[:, :1] + velocity * np.arange(STEPS)[:, None, None]
    assert InputDependence.from_arrays(truth, forecast).two_step_ratio == pytest.approx(2.0)


def test_numbers_are_those_of_loops_over_real_particles(truth, rng):
    """Written out: every mean over the windows in which a particle is real."""
    forecast = truth + rng.normal(size=truth.shape)
    mask = rng.random((WINDOWS, PARTICLES)) < 0.7
    found = InputDependence.from_arrays(truth, forecast, mask)
    variances = {"truth": 0.0, "forecast": 0.0}
    distance = 0.0
    for particle in range(PARTICLES):
        real = mask[:, particle]
        mean = truth[real, -1, particle].mean(axis=0)
        distance += np.square(forecast[real, -1, particle] - mean).sum()
        for name, positions in (("truth", truth), ("forecast", forecast)):
            each = positions[real, -1, particle]
            variances[name] += np.square(each - each.mean(axis=0)).sum()
    ratio = variances["forecast"] / variances["truth"]
    assert found.variance_ratio_per_step[-1] == pytest.approx(ratio)
    assert found.distance_to_mean_per_step[-1] == pytest.approx(np.sqrt(distance / mask.sum()))


def test_what_is_padded_does_not_matter(truth, rng):
    mask = np.ones((WINDOWS, PARTICLES), bool)
    mask[::2, 2] = False
    other = truth.copy()
    other[::2, :, 2] = rng.normal(scale=100.0, size=other[::2, :, 2].shape)
    assert InputDependence.from_arrays(truth, truth, mask) == InputDependence.from_arrays(
        truth, other, mask
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: (x[:1], x[:1], None), "truth: expected at least two windows, found 1"),
        (lambda x: (x, x[:, :2], None), "forecast: expected shape"),
        (lambda x: (x, x * np.nan, None), "forecast: expected finite"),
        (lambda x: (x, x, np.ones((2, 2), bool)), "mask: expected"),
        (lambda x: (x * 0, x, None), "truth: expected windows that differ"),
    ],
)
def test_wrong_arguments_are_refused(truth, change, message):
    with pytest.raises(ValueError, match=message):
        InputDependence.from_arrays(*change(truth))
