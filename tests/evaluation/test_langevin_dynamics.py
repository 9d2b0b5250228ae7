"""Langevin dynamics as a baseline: fitted to motion whose memory is known."""

import numpy as np
import pytest

from socialmd.data import FeatureLayout
from socialmd.evaluation import ConstantPosition, ConstantVelocity, KnownData, LangevinDynamics
from socialmd.evaluation.checks import NotPossibleError

LAYOUT = FeatureLayout.of_scalars(["x", "y", "z", "AR", "XE"], 3, num_species=2)


def moving(rng, phis, windows=30, steps=40, particles=20):
    """Displacements of an autoregressive process, two species in turn: [W, T, N, 5]."""
    species = np.arange(particles) % 2
    d = np.zeros((windows, steps, particles, 3))
    d[:, 0] = rng.normal(size=d[:, 0].shape)
    phi = np.array(phis)[species][:, None]
    for step in range(1, steps):
        noise = np.sqrt(1 - phi**2) * rng.normal(size=d[:, 0].shape)
        d[:, step] = phi * d[:, step - 1] + noise
    one_hot = np.broadcast_to(np.eye(2)[species], (windows, steps, particles, 2))
    return np.concatenate([d.cumsum(axis=1), one_hot], axis=-1)


def fitted(frames, layout=LAYOUT):
    made = LangevinDynamics(layout)
    made.fit([(frames[:, :10], frames[:, 10:, :, :3])])
    return made


def test_memory_is_that_of_the_motion_for_each_species(rng):
    found = fitted(moving(rng, (0.8, 0.3))).memory
    np.testing.assert_allclose(found[0], [0.8, 0.8], atol=0.03)
    np.testing.assert_allclose(found[1], [0.3, 0.3], atol=0.1)


def test_the_forecast_is_what_is_expected_of_the_process(rng):
    frames = moving(rng, (0.8, 0.3))
    made = fitted(frames)
    past = frames[:4, :10]
    step = past[:, -1, :, :3] - past[:, -2, :, :3]
    (c, phi), expected = made.memory[0], past[:, -1, ::2, :3].copy()
    forecast, _ = made.rollout(past, 6)
    for n in range(6):
        expected += c * phi**n * step[:, ::2]
        np.testing.assert_allclose(forecast[:, n, ::2], expected)


def test_walks_stay_and_uniform_motion_goes_on(rng):
    walk = rng.normal(size=(40, 30, 30, 2)).cumsum(axis=1)
    layout = FeatureLayout.unnamed(2, 2)
    still, _ = fitted_in_plane(walk, layout).rollout(walk[:2, :5], 5)
    np.testing.assert_allclose(still, ConstantPosition().rollout(walk[:2, :5], 5)[0], atol=0.3)
    uniform = rng.normal(size=(3, 1, 4, 2)) * np.arange(30.0)[:, None, None]
    same, _ = fitted_in_plane(uniform, layout).rollout(uniform[:, :5], 5)
    np.testing.assert_allclose(same, ConstantVelocity().rollout(uniform[:, :5], 5)[0], rtol=1e-2)


def fitted_in_plane(frames, layout):
    made = LangevinDynamics(layout)
    made.fit([(frames[:, :10], frames[:, 10:])])
    return made


def test_padded_particles_do_not_count(rng):
    frames = moving(rng, (0.8, 0.3))
    mask = np.arange(20) < 12
    padded = np.where(mask[:, None], frames, 1e3 * rng.normal(size=frames.shape))
    made = LangevinDynamics(LAYOUT)
    inputs = {"inputs": padded[:, :10], "mask": np.tile(mask, (30, 1))}
    made.fit([(inputs, padded[:, 10:, :, :3])])
    np.testing.assert_allclose(made.memory, fitted(frames[:, :, :12]).memory)


def test_what_is_not_possible_says_why():
    with pytest.raises(NotPossibleError, match="the data set is not one of molecules"):
        LangevinDynamics.for_data(KnownData(5))
    with pytest.raises(RuntimeError, match="call `fit` before"):
        LangevinDynamics(LAYOUT).rollout(np.zeros((1, 2, 1, 5)), 1)
    with pytest.raises(ValueError, match="expected at least one batch"):
        LangevinDynamics(LAYOUT).fit([])
