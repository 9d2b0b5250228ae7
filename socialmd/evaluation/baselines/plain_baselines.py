"""Forecasts that a trained model has to beat, and one that knows the law of motion.

All are plain NumPy functions of the model's inputs [B, T, N, F] that return positions
[B, num_steps, N, D] in float64; `LinearAutoregression` is the one that is fitted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socialmd.config import ManyBodySystem
from socialmd.simulation import accelerations, integrate

__all__ = ["constant_position", "constant_velocity", "known_law", "past_frames"]

FloatArray = NDArray[np.float64]


def constant_position(inputs: ArrayLike, num_steps: int, spatial_dims: int = 2) -> FloatArray:
    """Every particle stays where it was seen last.

    Args:
        inputs: [B, T, N, F].
        num_steps: steps ahead.
        spatial_dims: D, how many of the features are coordinates.

    Returns:
        Positions [B, num_steps, N, D].

    Raises:
        ValueError: inputs are of another shape or not finite, or `num_steps` is not positive.
    """
    positions = past_frames(inputs, num_steps)[..., :spatial_dims]
    return np.repeat(positions[:, -1:], num_steps, axis=1)


def constant_velocity(inputs: ArrayLike, num_steps: int, spatial_dims: int = 2) -> FloatArray:
    """Every particle goes on with its last displacement per step.

        x_(t+n) = x_t + n (x_t - x_(t-1))

    Args:
        inputs: [B, T, N, F].
        num_steps: steps ahead.
        spatial_dims: D, how many of the features are coordinates.

    Returns:
        Positions [B, num_steps, N, D].

    Raises:
        ValueError: inputs are of another shape or not finite, or `num_steps` is not positive.

    Example:
        >>> constant_velocity([[[[0.0, 5.0]], [[1.0, 5.0]]]], num_steps=2)[0, :, 0]
        array([[2., 5.],
               [3., 5.]])
    """
    positions = past_frames(inputs, num_steps)[..., :spatial_dims]
    steps = np.arange(1, num_steps + 1)[:, np.newaxis, np.newaxis]  # [num_steps, 1, 1]
    return np.asarray(positions[:, -1:] + steps * (positions[:, -1:] - positions[:, -2:-1]))


def known_law(
    inputs: ArrayLike,
    num_steps: int,
    system: ManyBodySystem,
    step_spacing: float,
    integration_steps: int = 2000,
) -> FloatArray:
    """Integrate the true law of motion from the last positions and velocities estimated for them.

    The last displacement is the velocity half a step ago; the law itself says how it went on:

        v_t = (x_t - x_(t-1)) / dt + a(x_t) dt / 2

    Args:
        inputs: [B, T, N, 4]: x, y, mass, charge.
        num_steps: steps ahead.
        system: constants of the law.
        step_spacing: time from one step to the next.
        integration_steps: velocity Verlet steps for one step of the forecast. With the default
            data and `subsample = 20`, 2000 of them are time steps of 1e-6.

    Returns:
        Positions [B, num_steps, N, 2].

    Raises:
        ValueError: inputs are of another shape or not finite, or a number is not positive.
        FloatingPointError: the integration has become infinite.
    """
    frames = past_frames(inputs, num_steps)
    if frames.shape[-1] != 4:
        raise ValueError(
            f"inputs: expected the 4 features x, y, mass, charge, found {frames.shape[-1]}"
        )
    if not step_spacing > 0 or integration_steps < 1:
        raise ValueError(
            "step_spacing, integration_steps: expected positive numbers, found "
            f"{step_spacing}, {integration_steps}"
        )
    positions, masses, charges = frames[:, -1, :, :2], frames[:, -1, :, 2], frames[:, -1, :, 3]
    velocities = (positions - frames[:, -2, :, :2]) / step_spacing  # [B, N, 2]
    velocities += accelerations(system, positions, masses, charges) * step_spacing / 2
    trajectories = integrate(
        system,
        positions,
        velocities,
        masses,
        charges,
        num_steps=(num_steps + 1) * integration_steps,
        time_step=step_spacing / integration_steps,
        keep_every=integration_steps,
    )
    return trajectories.positions[:, 1:]  # without the given frame


def past_frames(inputs: ArrayLike, num_steps: int) -> FloatArray:
    """Check a forecast's arguments.

    Args:
        inputs: [B, T, N, F] with T, F >= 2.
        num_steps: steps ahead.

    Returns:
        Inputs in float64, [B, T, N, F].

    Raises:
        ValueError: inputs are of another shape or not finite, or `num_steps` is not positive.
    """
    frames = np.asarray(inputs, np.float64)
    if frames.ndim != 4 or frames.shape[1] < 2 or frames.shape[3] < 2:
        raise ValueError(
            "inputs: expected [batch, steps, particles, features] with at least two steps and "
            f"x and y as the first features, found shape {frames.shape}"
        )
    if not np.isfinite(frames).all():
        raise ValueError("inputs: expected finite numbers, found some that are not")
    if num_steps < 1:
        raise ValueError(f"num_steps: expected at least 1, found {num_steps}")
    return frames
