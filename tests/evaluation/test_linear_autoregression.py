import numpy as np
import pytest

from socialmd.evaluation import LinearAutoregression


def split(trajectories, input_steps):
    """[B, T + T', N, 2] -> one batch with two more features."""
    features = np.ones((*trajectories.shape[:3], 2))
    frames = np.concatenate([trajectories, features], axis=-1)
    return frames[:, :input_steps], trajectories[:, input_steps:]


def test_uniform_motion_is_continued_exactly(rng):
    start, velocity = rng.normal(size=(2, 6, 1, 3, 2))
    inputs, targets = split(start + velocity * np.arange(12)[:, None, None], 5)
    autoregression = LinearAutoregression(target_steps=7)
    autoregression.fit([(inputs[:4], targets[:4])])
    np.testing.assert_allclose(autoregression.rollout(inputs[4:], 7)[0], targets[4:], atol=1e-9)


def test_harmonic_motion_is_continued_exactly(rng):
    amplitude, centre = rng.normal(size=(2, 6, 1, 3, 2))
    phase = rng.uniform(0, 2 * np.pi, (6, 1, 3, 2))
    trajectories = centre + amplitude * np.cos(0.4 * np.arange(12)[:, None, None] + phase)
    inputs, targets = split(trajectories, 4)
    autoregression = LinearAutoregression(target_steps=8)
    autoregression.fit([(inputs[:4], targets[:4])])
    np.testing.assert_allclose(autoregression.rollout(inputs[4:], 8)[0], targets[4:], atol=1e-7)


def test_coefficients_are_the_least_squares_solution_of_each_step(rng):
    inputs, targets = split(rng.normal(size=(5, 7, 4, 2)).cumsum(axis=1), 4)
    autoregression = LinearAutoregression(target_steps=3)
    autoregression.fit([(inputs[:3], targets[:3]), (inputs[3:], targets[3:])])
    for step in range(3):
        rows, ahead = [], []
        for window in range(5):
            for particle in range(4):
                for axis in range(2):
                    past = inputs[window, :, particle, axis]
                    rows.append([past[1] - past[0], past[2] - past[1], past[3] - past[2]])
                    ahead.append(targets[window, step, particle, axis] - past[3])
        expected = np.linalg.lstsq(np.array(rows), np.array(ahead), rcond=None)[0]
        np.testing.assert_allclose(autoregression.coefficients[:, step], expected, rtol=1e-9)


def test_forecast_moves_and_turns_with_the_system(rng):
    inputs, targets = split(rng.normal(size=(5, 7, 4, 2)).cumsum(axis=1), 4)
    autoregression = LinearAutoregression(target_steps=3)
    autoregression.fit([(inputs, targets)])
    turn, shift = np.array([[0.6, -0.8], [0.8, 0.6]]), np.array([3.0, -5.0])
    moved = inputs.copy()
    moved[..., :2] = inputs[..., :2] @ turn.T + shift
    expected = autoregression.rollout(inputs, 3)[0] @ turn.T + shift
    np.testing.assert_allclose(autoregression.rollout(moved, 3)[0], expected, atol=1e-12)


def test_fewer_steps_are_the_first_of_many(rng):
    inputs, targets = split(rng.normal(size=(5, 7, 4, 2)), 4)
    autoregression = LinearAutoregression(target_steps=3)
    autoregression.fit([(inputs, targets)])
    few, many = autoregression.rollout(inputs, 1)[0], autoregression.rollout(inputs, 3)[0]
    np.testing.assert_allclose(few, many[:, :1])


def test_use_before_the_fit_is_refused():
    with pytest.raises(RuntimeError, match="call `fit` before `rollout`"):
        LinearAutoregression(3).rollout(np.zeros((1, 4, 2, 4)), 3)


def test_wrong_arguments_are_refused(rng):
    inputs, targets = split(rng.normal(size=(5, 7, 4, 2)), 4)
    with pytest.raises(ValueError, match="target_steps: expected at least 1, found 0"):
        LinearAutoregression(0)
    autoregression = LinearAutoregression(3)
    with pytest.raises(ValueError, match="expected at least one batch, found none"):
        autoregression.fit([])
    with pytest.raises(ValueError, match=r"targets of 3 finite steps, found shape \(5, 2, 4, 2\)"):
        autoregression.fit([(inputs, targets[:, :2])])
    with pytest.raises(ValueError, match="targets of 3 finite steps"):
        autoregression.fit([(inputs, np.full_like(targets, np.nan))])
    autoregression.fit([(inputs, targets)])
    with pytest.raises(ValueError, match="num_steps: expected at most 3, found 4"):
        autoregression.rollout(inputs, 4)[0]
    with pytest.raises(ValueError, match="inputs: expected 4 steps, as in the fit, found 3"):
        autoregression.rollout(inputs[:, 1:], 3)[0]
