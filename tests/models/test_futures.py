"""Futures: what is drawn frame by frame, and learned from what becomes of the draws."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.losses import EnergyScore
from socialmd.metrics import PositionError
from socialmd.models import InteractionLSTM
from tests.models.test_interaction_lstm import Reference, feed_forward, numbers
from tests.run_eagerly import run_eagerly
from tests.tiny_models import (
    A_SCALE,
    interacting_inputs,
    interacting_model,
    tiny_inputs,
    tiny_model,
)


def test_draws_move_places_and_velocities_as_the_equations_say(rng):
    """In NumPy, along the places that were drawn."""
    model, inputs = interacting_model(rng), interacting_inputs(rng, batch=1)
    model.densities = ("conditional",)
    positions, parameters = (
        numbers(each)[0] for each in model.rollout(inputs, feedback="sample", seed=3)
    )
    reference, frames = Reference(model), inputs[0].astype(float)
    features, given = (frames[-1, :, 2:] - 0.2) / 1.5, frames[..., :2]
    zeros = np.zeros((4, model.cell.units))
    state = (given[0], given[1] - given[0], (zeros, zeros), zeros[:, :2])
    for step, following in enumerate((*given[1:], *positions), start=1 - len(given)):
        expected = reference.frame(state, features)
        x, _, _, moments, _ = expected
        kick, kept = None, 0.0
        if step >= 0:
            known = np.concatenate([moments, features, state[2][0]], axis=-1)
            ahead = np.full((4, 1), np.log1p(step))
            change = feed_forward(model.disturbance, np.concatenate([known, ahead], axis=-1))
            raw = feed_forward(model.conditional, known)
            centre = x + np.tanh(raw[:, -1:]) * state[3]
            raw = raw[:, :-1] + (step > 0) * change[:, :-2]
            density = reference.parameters(raw, centre + A_SCALE * raw[:, :2], A_SCALE)
            np.testing.assert_allclose(parameters[step], density, rtol=2e-3, atol=2e-4)
            kick = centre - x + 2 * np.exp(change[:, -2:-1]) * (following - centre)
            kept = np.tanh(change[:, -1:])
        *state, residual = reference.follow(state, expected, following, features, kick, kept)
        state = (*state, residual * (step > 1 - len(given)))


@pytest.mark.parametrize(("sigma", "is_kept"), [(0.0, False), (9.0, True)])
def test_pushes_may_turn_velocities_without_changing_their_size(rng, sigma, is_kept):
    """Particles that are hardly moved by draws, but turned by them."""
    inputs = drifting(rng, 2, 4, 0.0)
    model = free_model(3, spread=1e-5)
    model.disturbance.linear.bias.assign([0.0, 0.0, 0.0, 0.0, 0.0, 8.0, sigma])
    futures, _ = model.rollout(inputs, 2, feedback="sample", num_samples=20, seed=1)
    before = inputs[:, -1] - inputs[:, -2]
    after = numbers(futures)[:, :, 1] - numbers(futures)[:, :, 0]
    assert np.median(np.linalg.norm(after - before, axis=-1)) > 0.02
    speeds = np.linalg.norm(after, axis=-1) / np.linalg.norm(before, axis=-1)
    assert np.allclose(speeds, 1.0, atol=0.05) == is_kept


def drifting(rng, systems, frames, spread):
    """Free particles whose force is wrong by chance: it moves velocities by twice as much."""
    x, w = rng.normal(size=(2, systems, 8, 2))
    path = []
    for _ in range(frames):
        kick = spread * rng.normal(size=x.shape)
        x, w = x + 0.1 * w + kick, w + 10 * 2 * kick
        path.append(x)
    return np.stack(path, axis=1).astype("float32")


def free_model(target_steps, spread):
    model = InteractionLSTM(
        target_steps, distribution="gaussian", units=0, channels=2, hidden_units=2, substeps=1
    )
    model.build((None, None, None, 2))
    model.cell.law.mixing.assign(np.zeros(model.cell.law.mixing.shape))
    model.cell.acceleration_scale.assign(spread)
    model.is_adapted.assign(1.0)
    return model


def test_futures_too_narrow_by_half_learn_to_spread(rng):
    path = drifting(rng, 1024, 8, 0.05)
    inputs, targets = path[:, :4], path[:, 4:]
    model = free_model(4, spread=0.025)
    model.begin_training("sample", num_samples=4)
    model.cell.trainable = False
    rate = keras.optimizers.schedules.CosineDecay(0.01, 15 * 16)
    # With the larger exponent alone, the first step, whose errors are smallest, is learned last.
    loss = EnergyScore([0.25, 1.0])
    model.compile(keras.optimizers.Adam(rate), loss, metrics=[PositionError("gaussian")])
    test = drifting(rng, 128, 8, 0.05)

    def coverage():
        """Of the central 16 of 20 intervals between 19 futures, by steps ahead."""
        futures, _ = model.rollout(test[:, :4], feedback="sample", num_samples=19, seed=1)
        ranks = (numbers(futures) < test[:, 4:]).sum(axis=0)
        return ((ranks >= 2) & (ranks <= 17)).mean(axis=(0, 2, 3))

    assert coverage().max() < 0.65
    history = model.fit(inputs, targets, batch_size=64, epochs=15, verbose=0).history
    assert np.isfinite(history["mae"]).all()
    model.end_training()
    assert model.densities == ("conditional",)
    np.testing.assert_allclose(coverage(), 0.8, atol=0.06)


def test_gradients_through_draws_are_those_of_free_particles(rng):
    """Against finite differences; forces are none here, and taken as given elsewhere."""
    path = drifting(rng, 8, 7, 0.05)
    inputs, targets = path[:, :4], path[:, 4:]
    model = free_model(3, spread=0.05)
    bias = model.disturbance.linear.bias
    model.begin_training("sample", num_samples=2)
    model.cell.trainable = False

    def loss():
        return EnergyScore()(targets, model(inputs))

    bias.assign([0.0, 0.0, 0.1, -0.2, 0.3, 0.2, 0.4])
    with tf.GradientTape() as tape:
        value = loss()
    gradient = numbers(tape.gradient(value, bias.value))
    at, epsilon = numbers(bias).copy(), 1e-2
    for index in range(2, len(at)):  # of the mean, whose scale is a
        ends = []
        for sign in (1, -1):
            bias.assign(at + sign * epsilon * np.eye(len(at))[index])
            ends.append(float(loss()))
        expected = (ends[0] - ends[1]) / (2 * epsilon)
        assert gradient[index] == pytest.approx(expected, rel=0.02, abs=2e-5)


def slope_of_futures(model, inputs):
    """Of all futures together by the last given positions."""
    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        futures = model(inputs)
    return numbers(tape.gradient(futures, inputs)[:, -1, :, :2])


def test_with_a_frozen_law_no_gradient_flows_through_forces(rng):
    """Such as those of two particles at the same place, which are steep as nothing else is."""
    model, inputs = interacting_model(rng, units=0), interacting_inputs(rng)
    for weight in (*model.conditional.weights, *model.disturbance.weights):
        weight.assign(0 * weight)  # draws move velocities by twice themselves, whatever came before
    inputs[:, :, 1, :2] = inputs[:, :, 0, :2] + 1e-4
    model.begin_training("sample", num_samples=2)
    model.cell.trainable = False
    # A free particle's: of x, and of w, which the last residual corrects.
    steps = np.arange(1, 4)
    expected = 2 * (1 + steps).sum()
    np.testing.assert_allclose(slope_of_futures(model, inputs), expected, rtol=1e-4)
    model.cell.trainable = True
    assert np.abs(slope_of_futures(model, inputs) - expected).max() > 1.0


@pytest.mark.parametrize("feedback", ["truth", "mean"])
def test_with_a_frozen_law_no_gradient_flows_from_densities_into_the_motion(rng, feedback):
    """Not even into the gain of corrections, if h, which densities read, does not depend on it."""
    model, inputs = interacting_model(rng), interacting_inputs(rng)
    for weight in (model.cell.lstm.kernel, model.cell.lstm.recurrent_kernel):
        weight.assign(0 * weight)
    model.begin_training(feedback)
    model.cell.law.trainable = False
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(inputs))
    gradient = tape.gradient(
        total, model.cell.inertia.bias.value, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    np.testing.assert_array_equal(gradient, 0.0)


@pytest.mark.parametrize("prediction", ["position", "acceleration"])
def test_other_models_learn_from_futures_too(rng, prediction):
    arguments = {"prediction": prediction, "grid_sizes": (), "feedback": "sample"}
    model, inputs = tiny_model(rng, **arguments), tiny_inputs(rng)
    model.begin_training("sample", num_samples=3)
    assert model(inputs).shape == (2, 3, 4, 3, 2)
    with run_eagerly():
        model.compile("nadam", EnergyScore(), metrics=[PositionError()])
        losses = model.fit(inputs, inputs[:, -3:, :, :2], verbose=0).history
    assert np.isfinite(losses["loss"] + losses["mae"]).all()
    model.end_training()
    assert model.densities == ("conditional",)


def test_padded_particles_have_no_part_in_it(rng):
    model, inputs = interacting_model(rng), interacting_inputs(rng)
    targets = inputs[:, 1:, :, :2]
    padded, padded_targets = (
        np.pad(each, [(0, 0), (0, 0), (0, 2), (0, 0)]) for each in (inputs, targets)
    )
    padded_targets[:, :, 4:] = 100.0
    mask = np.arange(6) < np.full((2, 1), 4)
    model.begin_training("sample", num_samples=2)
    model.compile("nadam", EnergyScore(), metrics=[PositionError("student_t")])
    with run_eagerly():
        errors = model.evaluate({"inputs": padded, "mask": mask}, padded_targets, verbose=0)
    assert max(errors) < 10.0


def test_impossible_futures_are_refused(rng):
    model = interacting_model(rng)
    with pytest.raises(ValueError, match=r"num_samples: expected begin_training.*, found none"):
        model.begin_training("sample")
    with pytest.raises(ValueError, match=r"num_samples: expected begin_training.*, found none"):
        interacting_model(rng, feedback="sample").fit(interacting_inputs(rng))
    for arguments in (("sample", None, 1), ("mean", None, 4)):
        with pytest.raises(ValueError, match=r"num_samples: expected at least 2, and feedback="):
            model.begin_training(*arguments)
    mixture = interacting_model(rng, distribution="mixture")
    with pytest.raises(ValueError, match=r"distribution: expected one through .* found 'mixture'"):
        mixture.begin_training("sample", num_samples=4)
