"""Forecasts of places and velocities that learn nothing, where velocities are given."""

from __future__ import annotations

import numpy as np

from socialmd.data import FeatureLayout
from socialmd.data.feature_layout import BONDS
from socialmd.data.windows import Windows
from socialmd.simulation import ManyBodySystem, integrate
from socialmd.types import FloatArray

__all__ = ["trivial_forecasts"]

INTEGRATION_STEPS = 100  # of one frame, with the true law


def trivial_forecasts(
    windows: Windows,
    train: Windows,
    layout: FeatureLayout,
    spacing: float,
    law: ManyBodySystem | None,
) -> dict[str, FloatArray]:
    """Forecasts from the last place x and velocity v, by their names, [W, T', N, 2 D] each.

        static               x, v
        constant velocity    x + v t, v
        linear               x + v tau(t), v, with tau from the training split by least squares
        known law            the true law, integrated

    Args:
        windows: of which the future is forecast.
        train: windows of the training split.
        layout: of the data.
        spacing: time from one frame to the next.
        law: the law of motion, if it is known.

    Example:
        >>> trivial_forecasts(windows, train, layout, 0.1, law_of(description))["static"].shape
        (2000, 10, 5, 6)
    """
    dims, steps = layout.spatial_dims, windows.truth.shape[1]
    last = windows.inputs[:, -1].astype(np.float64)
    places, velocities = last[..., :dims], last[..., layout.given.velocity]
    ahead = np.arange(1, steps + 1)[:, np.newaxis, np.newaxis]  # [T', 1, 1]
    times = _best_times(train, layout)[:, np.newaxis, np.newaxis]

    def moved(by: FloatArray) -> FloatArray:
        """[W, T', N, 2 D], of times by which particles have moved on, [T', 1, 1]."""
        after = places[:, np.newaxis] + velocities[:, np.newaxis] * by
        same = np.broadcast_to(velocities[:, np.newaxis], after.shape)
        return np.concatenate([after, same], axis=-1)

    forecasts = {
        "static": moved(0.0 * ahead),
        "constant velocity": moved(spacing * ahead),
        "linear": moved(times),
    }
    if law is not None:
        mass, charge = layout.given.find("mass"), layout.given.find("charge")
        motion = integrate(
            law,
            places,
            velocities,
            last[..., mass],
            last[..., charge],
            (steps + 1) * INTEGRATION_STEPS,
            spacing / INTEGRATION_STEPS,
            INTEGRATION_STEPS,
            springs=last[..., layout.given.columns(name=BONDS)] if law.has_springs else None,
        )
        forecasts["known law"] = np.concatenate([*motion], axis=-1)[:, 1:]
    return forecasts


def _best_times(train: Windows, layout: FeatureLayout) -> FloatArray:
    """tau of each step, [T']: the least squared error of x + v tau."""
    last = train.inputs[:, -1].astype(np.float64)
    velocities = last[:, np.newaxis, :, layout.given.velocity]
    moved = train.truth - last[:, np.newaxis, :, : layout.spatial_dims]
    return np.asarray((velocities * moved).sum(axis=(0, 2, 3)) / np.square(velocities).sum())
