"""Densities on circle and sphere against integrals, TensorFlow Probability, and their own draws."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import stats

from socialmd.distributions import Direction, DirectionDensity, stateless_seed
from socialmd.evaluation.orientation_metrics import cone_levels

NORTH = {2: np.array([0.0, 1.0], "float32"), 3: np.array([0.0, 0.6, 0.8], "float32")}


def make(dims, sigma, freedom, shape=()):
    ones = np.ones((*shape, 1), "float32")
    return DirectionDensity(ones * NORTH[dims], sigma * ones, freedom * ones)


def numbers(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor), float)


@pytest.mark.parametrize(("sigma", "freedom"), [(0.1, 3.5), (0.1, 100.0), (1.0, 4.0)])
def test_in_the_plane_it_integrates_to_one(sigma, freedom):
    angles = np.linspace(-np.pi, np.pi, 20001)[:-1]
    points = np.stack([np.cos(angles), np.sin(angles)], -1)
    total = numbers(make(2, sigma, freedom).prob(points)).mean() * 2 * np.pi
    assert total == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("sigma", "freedom"), [(0.1, 3.5), (0.1, 100.0), (0.9, 4.0)])
def test_in_space_it_integrates_to_one(sigma, freedom):
    cosine = 1 - np.linspace(0, 1, 4001) ** 2 * 2  # finely about the mean
    middle = (cosine[1:] + cosine[:-1]) / 2
    east = np.array([1.0, 0.0, 0.0])
    points = middle[:, None] * NORTH[3] + np.sqrt(1 - middle**2)[:, None] * east
    density = numbers(make(3, sigma, freedom).prob(points))
    assert 2 * np.pi * (density * -np.diff(cosine)).sum() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("dims", [2, 3])
def test_narrow_ones_with_light_tails_are_von_mises_fishers(dims):
    sigma = 0.02
    theirs = tfp.distributions.VonMisesFisher(NORTH[dims].astype(float), np.float64(sigma**-2))
    points = numbers(theirs.sample(200, seed=1))
    points = points[numbers(theirs.log_prob(points)) > theirs.log_prob(NORTH[dims]) - 3]
    found = numbers(make(dims, sigma, 1e6).log_prob(points))
    # In space, the density of the stereographic projection's own curvature.
    np.testing.assert_allclose(found, numbers(theirs.log_prob(points)), atol=5e-3)


def test_as_many_degrees_of_freedom_as_the_plane_has_make_a_spherical_cauchy_distribution(rng):
    """Kato and McCullagh (2020), equation 1, with rho from sigma; not one that networks reach."""
    sigma = 0.3
    rho = (2 - np.sqrt(2) * sigma) / (2 + np.sqrt(2) * sigma)  # 2 (1 - rho) / (1 + rho)
    points = rng.normal(size=(50, 3))
    points /= np.linalg.norm(points, axis=-1, keepdims=True)
    cosine = points @ NORTH[3].astype(float)
    expected = ((1 - rho**2) / (1 + rho**2 - 2 * rho * cosine)) ** 2 / (4 * np.pi)
    found = numbers(make(3, sigma, 2.0 + 1e-6).prob(points))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("sigma", [1e-4, 0.1, 0.9])
def test_draws_are_unit_vectors_that_cones_hold_as_often_as_they_say(dims, sigma):
    density = make(dims, sigma, 4.0, (4000,))
    draws = numbers(density.sample(seed=stateless_seed(3, 0)))
    np.testing.assert_allclose(np.linalg.norm(draws, axis=-1), 1.0, atol=1e-6)
    levels = cone_levels(density, draws)
    assert stats.kstest(levels, "uniform").pvalue > 1e-3
    mean = draws.mean(axis=0)
    np.testing.assert_allclose(mean / np.linalg.norm(mean), NORTH[dims], atol=6 * sigma / 60)


@pytest.mark.parametrize("dims", [2, 3])
def test_gradients_are_finite_at_the_mean_and_opposite_to_it(dims):
    for point in (NORTH[dims], -NORTH[dims]):
        with tf.GradientTape() as tape:
            mean, sigma = tf.constant(NORTH[dims]), tf.constant([0.1])
            tape.watch([mean, sigma])
            found = DirectionDensity(mean, sigma, tf.constant([4.0])).log_prob(point)
        for each in (found, *tape.gradient(found, [mean, sigma])):
            assert np.isfinite(numbers(each)).all()


def test_draws_have_gradients():
    with tf.GradientTape() as tape:
        sigma = tf.constant([0.1])
        tape.watch(sigma)
        density = DirectionDensity(tf.constant(NORTH[3]), sigma, tf.constant([4.0]))
        drawn = density.sample(seed=stateless_seed(1, 2))
        across = tf.norm(drawn - NORTH[3])
    # Distances from the mean grow as sigma does.
    assert float(tape.gradient(across, sigma)[0]) == pytest.approx(float(across) / 0.1, rel=0.05)
    assert "FULLY" in density.reparameterization_type


@pytest.mark.parametrize("dims", [2, 3])
def test_raw_outputs_become_unit_vectors_and_bounded_widths(rng, dims):
    direction = Direction(dims)
    raw = rng.normal(scale=30.0, size=(200, dims + 2)).astype("float32")
    origin = numbers(make(dims, 0.1, 4.0, (200,)).mean()).astype("float32")
    found = numbers(direction.to_parameters(raw, origin, 0.1, 1.0))
    np.testing.assert_allclose(np.linalg.norm(found[:, :dims], axis=-1), 1.0, atol=1e-6)
    assert (found[:, dims] <= np.sqrt(2 / (dims - 1)) * (1 + 1e-6)).all()
    assert (found[:, dims + 1] >= 3.0).all()
    # However wide, the mean is likelier than what is a little away from it.
    density = direction.from_parameters(found)
    away = numbers(density.mean()) + rng.normal(scale=0.1, size=(200, dims))
    away /= np.linalg.norm(away, axis=-1, keepdims=True)
    assert (numbers(density.log_prob(density.mean()) - density.log_prob(away)) > -1e-4).all()


def test_the_narrowest_widths_have_gradients():
    with tf.GradientTape() as tape:
        raw = tf.constant([0.0, 0.0, -40.0, 0.0])
        tape.watch(raw)
        found = Direction(2).to_parameters(raw, NORTH[2], 1e-4, 1e-4)
    assert np.isfinite(numbers(tape.gradient(found, raw))).all()


def test_widths_are_scaled_as_they_were_before_their_bound():
    direction, raw = Direction(3), np.array([0.0, 0.0, 0.0, 0.3, 0.0], "float32")
    narrow, wide = (direction.to_parameters(raw, NORTH[3], 1.0, size) for size in (0.2, 0.6))
    np.testing.assert_allclose(direction.scale_sigma(narrow, 3.0), wide, rtol=1e-5)
