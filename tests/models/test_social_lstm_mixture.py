"""The mixture density head within the model: what is fed back, and many futures for one past."""

import keras
import numpy as np
import pytest

from socialmd.distributions import GaussianMixture
from socialmd.losses import NegativeLogLikelihood
from socialmd.metrics import PositionError
from socialmd.models import SocialLSTM
from tests.tiny_models import TINY, tiny_inputs, tiny_model

HEADS = pytest.mark.parametrize("distribution", ["mixture", "correlated_mixture"])


@pytest.fixture(scope="module")
def model():
    return tiny_model(np.random.default_rng(5), prediction="acceleration", distribution="mixture")


def test_thesis_head_has_25_outputs():
    """Section 4.4: five components of two means, two deviations and a weight."""
    model = SocialLSTM(distribution="mixture")
    model.build((None, None, None, 4))
    assert model.cell.output_dim == 25
    # 20 outputs more than the Gaussian head's five, each reading 160 values, without bias.
    assert sum(weight.shape.num_elements() for weight in model.trainable_weights) == (
        140_768 + 20 * 160
    )


@pytest.mark.parametrize(
    ("distribution", "feedback"),
    [
        ("correlated_mixture", "mean"),
        ("mixture", "mean"),
        ("mixture", "most_likely"),
        ("mixture", "sample"),
    ],
)
def test_every_head_trains_with_every_feedback(rng, distribution, feedback):
    options = {"distribution": distribution, "feedback": feedback, "grid_sizes": ()}
    model = tiny_model(rng, prediction="displacement", **options)
    inputs = tiny_inputs(rng, batch=8, steps=6)
    inputs, targets = inputs[:, :3], inputs[:, 3:, :, :2]
    model.compile(
        keras.optimizers.Nadam(0.02),
        NegativeLogLikelihood(distribution),
        metrics=[PositionError(distribution)],
        run_eagerly=feedback != "sample",  # compiling takes longer than these few steps
    )
    losses = model.fit(inputs, targets, epochs=6, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("feedback", ["mean", "most_likely"])
def test_rollout_feeds_back_what_the_option_says(model, rng, feedback):
    inputs = tiny_inputs(rng)
    positions, parameters = model.rollout(inputs, 4, feedback=feedback)
    mixture = GaussianMixture()
    expected = {"mean": mixture.mean, "most_likely": mixture.most_likely_mean}[feedback](parameters)
    np.testing.assert_allclose(positions, expected, rtol=1e-5)


def test_without_being_asked_rollout_feeds_back_what_training_did(rng):
    model = tiny_model(rng, distribution="mixture", feedback="most_likely")
    inputs = tiny_inputs(rng)
    positions, parameters = model.rollout(inputs)
    np.testing.assert_array_equal(positions, model.rollout(inputs, feedback="most_likely")[0])
    assert np.abs(positions - model.rollout(inputs, feedback="mean")[0]).max() > 1e-3
    np.testing.assert_allclose(model(inputs), parameters, rtol=1e-4, atol=1e-5)


def test_a_model_trained_on_samples_is_recalibrated_with_its_mean(rng):
    model = tiny_model(rng, prediction="displacement", feedback="sample")
    inputs = tiny_inputs(rng, batch=64)
    parameters = np.asarray(model.rollout(inputs, feedback="mean")[1])
    noise = rng.normal(size=parameters[..., :2].shape)
    rho = np.tanh(parameters[..., 4])
    noise[..., 1] = rho * noise[..., 0] + np.sqrt(1 - rho**2) * noise[..., 1]
    model.recalibrate([(inputs, parameters[..., :2] + 2.0 * parameters[..., 2:4] * noise)])
    np.testing.assert_allclose(model.sigma_factors, 2.0, rtol=0.2)


def test_training_on_samples_draws_afresh_and_validation_does_not(rng):
    keras.utils.set_random_seed(3)
    model = tiny_model(rng, distribution="mixture", feedback="sample")
    inputs = tiny_inputs(rng)
    first, second = (np.asarray(model(inputs, training=True)) for _ in range(2))
    assert np.abs(first - second)[:, 1:].max() > 1e-3
    np.testing.assert_array_equal(first[:, 0], second[:, 0])  # of the given past
    np.testing.assert_array_equal(model(inputs), model(inputs))


@HEADS
def test_many_futures_for_one_past(rng, distribution):
    model = tiny_model(rng, distribution=distribution, num_components=2)
    inputs = tiny_inputs(rng)
    positions, parameters = model.rollout(inputs, 3, "sample", seed=1, num_samples=64)
    assert positions.shape == (64, 2, 3, 4, 2)
    assert parameters.shape == (64, 2, 3, 4, model.cell.output_dim)
    # All start from the same past: the same density in the first step, others after it.
    parameters = np.asarray(parameters)
    np.testing.assert_allclose(parameters[:, :, 0], parameters[:1, :, 0].repeat(64, 0), rtol=1e-3)
    assert np.ptp(parameters[:, :, 1], axis=0).min(axis=-1).max() > 0
    density = model.distribution(parameters[0, :, 0])
    sigma = np.sqrt(density.variance())
    error = np.asarray(positions)[:, :, 0].mean(0) - density.mean()
    assert (np.abs(error) < 5 * sigma / np.sqrt(64)).all()

    again = model.rollout(inputs, 3, "sample", seed=1, num_samples=64)[0]
    np.testing.assert_array_equal(positions, again)
    other = model.rollout(inputs, 3, "sample", seed=2, num_samples=64)[0]
    assert np.abs(positions - other).min() > 0


def test_padding_reaches_every_future(model, rng):
    inputs = tiny_inputs(rng)
    padded = np.concatenate([inputs, tiny_inputs(rng, particles=2)], axis=2)
    mask = np.array([[True] * 4 + [False] * 2] * 2)
    _, parameters = model.rollout(
        {"inputs": padded, "mask": mask}, 1, "sample", seed=0, num_samples=3
    )
    _, expected = model.rollout(inputs, 1)
    np.testing.assert_allclose(parameters[2, :, :, :4], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_samples": 3}, "num_samples: expected .* feedback=\"sample\", found 3 and 'mean'"),
        ({"num_samples": 0, "feedback": "sample"}, "num_samples: expected at least 1"),
        ({"num_samples": 2.5, "feedback": "sample"}, "num_samples: expected .*whole.*found 2.5"),
        ({"recalibrated": True, "feedback": "sample"}, "recalibrated: .*at least 2.*found None"),
        (
            {"recalibrated": True, "feedback": "sample", "num_samples": 2},
            "recalibrated: expected a model whose futures have been recalibrated, found none",
        ),
        ({"feedback": "mode"}, "feedback: expected one of .*'mode'"),
    ],
)
def test_impossible_arguments_of_rollout_are_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.rollout(np.zeros((2, 3, 4, 4)), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_components": 0}, "num_components: expected at least 1, found 0"),
        ({"feedback": "median"}, "feedback: expected one of .*'median'"),
        ({"distribution": "student"}, "distribution: expected one of .*'student'"),
    ],
)
def test_impossible_heads_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SocialLSTM(**TINY, **options)


@HEADS
def test_a_loaded_mixture_forecasts_the_same(rng, distribution, tmp_path):
    model = tiny_model(rng, distribution=distribution, num_components=3, feedback="sample")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    inputs = tiny_inputs(rng)
    np.testing.assert_array_equal(loaded(inputs), model(inputs))
