"""Autoregressive prediction: any number of steps and particles, mean or samples fed back."""

import numpy as np
import pytest
import tensorflow as tf

from tests import reference
from tests.tiny_models import tiny_inputs, tiny_model


@pytest.fixture(scope="module")
def model():
    return tiny_model(np.random.default_rng(5), prediction="displacement")


def numpy_rollout(model, *arguments, **options):
    return tuple(np.asarray(array) for array in model.rollout(*arguments, **options))


def test_rollout_of_the_mean_is_the_model_s_forecast(model, rng):
    inputs = tiny_inputs(rng)
    positions, parameters = numpy_rollout(model, inputs)
    np.testing.assert_allclose(parameters, model(inputs), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(positions, parameters[..., :2])
    assert parameters.dtype == "float32"


@pytest.mark.parametrize(("num_steps", "particles"), [(1, 1), (2, 4), (9, 6)])
def test_any_number_of_steps_and_particles(model, rng, num_steps, particles):
    """Steps that two rollouts share are the same: no prediction depends on the future."""
    inputs = tiny_inputs(rng, particles=particles)
    positions, parameters = numpy_rollout(model, inputs, num_steps)
    assert positions.shape == (2, num_steps, particles, 2)
    assert parameters.shape == (2, num_steps, particles, 5)
    shared = min(num_steps, model.target_steps)
    forecast = np.asarray(model(inputs))
    np.testing.assert_allclose(parameters[:, :shared], forecast[:, :shared], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("feedback", ["mean", "sample"])
def test_what_is_fed_back_is_the_next_step_s_input(rng, feedback):
    """The second step equals the first step of a rollout that was given the first as a frame.

    So do their densities, if they are conditional: then a step is as uncertain whatever came
    before.
    """
    model = tiny_model(rng, prediction="displacement")
    model.densities = ("conditional",)
    inputs = tiny_inputs(rng)
    positions, parameters = numpy_rollout(model, inputs, 3, feedback=feedback, seed=4)
    first = np.concatenate([positions[:, :1], inputs[:, -1:, :, 2:]], axis=-1)
    _, continued = numpy_rollout(model, np.concatenate([inputs, first], axis=1), 3)
    np.testing.assert_allclose(continued[:, 0], parameters[:, 1], rtol=1e-4, atol=1e-5)


def test_samples_repeat_with_the_seed_only(model, rng):
    inputs = tiny_inputs(rng)
    first, again, other, unseeded, unseeded_again = (
        numpy_rollout(model, inputs, 3, feedback="sample", seed=seed)[0]
        for seed in (1, 1, 2, None, None)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).min() > 0
    assert np.abs(unseeded - unseeded_again).min() > 0


def test_every_step_and_particle_draws_its_own_noise(model, rng):
    inputs = np.repeat(tiny_inputs(rng, batch=1), 2, axis=0)
    positions, parameters = numpy_rollout(model, inputs, 4, feedback="sample", seed=0)
    noise = (positions - parameters[..., :2])[..., 0] / parameters[..., 2]
    assert len(np.unique(noise.round(4))) == noise.size


def test_first_step_s_samples_have_the_predicted_distribution(model, rng):
    count = 4000
    inputs = np.repeat(tiny_inputs(rng, batch=1), count, axis=0)
    positions, parameters = numpy_rollout(model, inputs, 1, feedback="sample", seed=11)
    samples, predicted = positions[:, 0], parameters[0, 0].astype(float)
    np.testing.assert_allclose(
        parameters, np.broadcast_to(parameters[:1], parameters.shape), rtol=1e-3
    )
    for particle in range(4):
        mean, sigma = predicted[particle, :2], predicted[particle, 2:4]
        assert (np.abs(samples[:, particle].mean(0) - mean) < 5 * sigma / np.sqrt(count)).all()
        covariance = reference.covariance_matrix(predicted[particle])
        difference = np.cov(samples[:, particle].T) - covariance
        # The standard error of a variance is sqrt(2 / count) of it, 2 %.
        assert (np.abs(difference) < 0.12 * np.outer(sigma, sigma)).all()


def test_padded_particles_change_nothing(model, rng):
    inputs = tiny_inputs(rng)
    padded = np.concatenate([inputs, tiny_inputs(rng, particles=2)], axis=2)
    mask = np.array([[True] * 4 + [False] * 2] * 2)
    positions, _ = numpy_rollout(model, {"inputs": padded, "mask": mask}, 5)
    expected, _ = numpy_rollout(model, inputs, 5)
    np.testing.assert_allclose(positions[:, :, :4], expected, rtol=1e-4, atol=1e-5)


def test_distribution_is_that_of_the_parameters(model, rng):
    _, parameters = numpy_rollout(model, tiny_inputs(rng))
    distribution = model.distribution(parameters)
    assert distribution.batch_shape == (2, 3, 4)
    np.testing.assert_array_equal(distribution.mean(), parameters[..., :2])
    x = parameters[..., :2] + 0.1
    expected = reference.gaussian_log_density(x, parameters)
    np.testing.assert_allclose(distribution.log_prob(x), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("number", [2, 2.0, np.int32(2), np.array(2), tf.constant(2)])
def test_numbers_of_steps_of_any_type(model, rng, number):
    positions, _ = model.rollout(tiny_inputs(rng), number)
    assert positions.shape[1] == 2


def test_forecast_that_becomes_infinite_is_an_error(rng):
    model = tiny_model(rng)
    model.cell.output_layer.kernel.assign(np.full((12, 5), 1e30))
    with pytest.raises(FloatingPointError, match="within 4 steps"):
        model.rollout(tiny_inputs(rng), 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_steps": 0}, "num_steps: expected a whole number .*found 0"),
        ({"num_steps": 2.5}, "num_steps: expected"),
        ({"num_steps": "2"}, "num_steps: expected a whole number .*found '2'"),
        ({"num_steps": np.inf}, "num_steps: expected a whole number .*found inf"),
        ({"num_steps": 2**31}, "num_steps: expected a whole number .*found 2147483648"),
        ({"feedback": "median"}, "feedback: expected one of .*'median'"),
        ({"inputs": np.zeros((2, 3, 4))}, "inputs: expected .*found shape"),
        ({"inputs": np.zeros((2, 1, 4, 4))}, "inputs: expected at least two time steps, found 1"),
        ({"inputs": np.zeros((2, 3, 4, 3))}, "inputs: expected 4 features per particle, found 3"),
        ({"inputs": np.full((2, 3, 4, 4), np.nan)}, "inputs: expected finite numbers"),
        ({"inputs": np.full((2, 3, 4, 4), np.inf)}, "inputs: expected finite numbers"),
        (
            {"inputs": {"inputs": np.zeros((2, 3, 4, 4)), "mask": np.ones((2, 3), bool)}},
            "mask: expected",
        ),
    ],
)
def test_impossible_arguments_are_refused_by_name(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.rollout(**{"inputs": np.zeros((2, 3, 4, 4)), **options})
