"""Errors and calibration of orientations, of angles that are known."""

import numpy as np
import pytest

from socialmd.distributions import DirectionDensity, stateless_seed
from socialmd.evaluation import OrientationMetrics, angles_between


def on_circle(angles):
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=-1)


def test_angles_are_those_between_the_vectors(rng):
    angles = rng.uniform(-180, 180, size=(2, 3, 4))
    turns = rng.uniform(0, 180, size=angles.shape)
    found = angles_between(on_circle(angles), on_circle(angles + turns))
    np.testing.assert_allclose(found, turns, atol=1e-9)
    assert angles_between([1.0, 0.0, 0.0], [1.0, 1e-9, 0.0]) == pytest.approx(np.degrees(1e-9))


def test_means_are_over_windows_and_particles_and_by_simulation():
    truth = on_circle(np.zeros((2, 2, 1)))
    forecast = on_circle(np.array([[[10.0], [20.0]], [[30.0], [60.0]]]))
    found = OrientationMetrics.from_arrays(truth, forecast, simulations=[7, 3])
    assert found.mean_angle == pytest.approx(30.0)
    assert found.median_angle == pytest.approx(25.0)
    np.testing.assert_allclose(found.mean_angle_per_step, [20.0, 40.0])
    np.testing.assert_allclose(found.median_angle_per_step, [20.0, 40.0])
    np.testing.assert_allclose(found.mean_angle_per_simulation, [45.0, 15.0])  # in their order
    assert (found.nll, found.coverage) == (None, None)


@pytest.mark.parametrize("dims", [2, 3])
def test_densities_that_are_right_are_calibrated_and_others_are_not(rng, dims):
    shape = (40, 2, 30)
    mean = rng.normal(size=(*shape, dims))
    mean /= np.linalg.norm(mean, axis=-1, keepdims=True)
    right, narrow = (
        DirectionDensity(mean, np.full((*shape, 1), sigma), np.full((*shape, 1), 5.0))
        for sigma in (0.2, 0.1)
    )
    truth = np.asarray(right.sample(seed=stateless_seed(0, 1)))
    found, overconfident = (
        OrientationMetrics.from_arrays(truth, mean, density) for density in (right, narrow)
    )
    np.testing.assert_allclose(found.overall_coverage, found.levels, atol=0.03)
    assert np.shape(found.coverage) == (3, 2)
    assert (np.array(overconfident.overall_coverage) < np.array(found.levels) - 0.05).all()
    assert found.nll < overconfident.nll
    assert np.mean(found.nll_per_step) == pytest.approx(found.nll)


def test_arrays_of_other_shapes_are_refused():
    truth = on_circle(np.zeros((2, 2, 1)))
    with pytest.raises(ValueError, match="forecast: expected"):
        OrientationMetrics.from_arrays(truth, truth[:1])
