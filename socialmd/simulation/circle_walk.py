"""A particle bound to a circle whose next angle is uncertain (thesis section 2.5.1)."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike

from socialmd.simulation.integrate import check_at_least
from socialmd.types import FloatArray

__all__ = ["CircleWalk"]


@dataclasses.dataclass(frozen=True)
class CircleWalk:
    """A random walk on a circle: the simplest motion whose next position no Gaussian describes.

    From frame to frame the angle moves on and gets lost a little; the radius is drawn anew in every
    frame, so that positions have a density in the plane:

        angle_(t+1) = angle_t + mean_step + angle_noise * N(0, 1)
        radius_t    = radius + radius_noise * N(0, 1)

    The exact density of the next position tells how far a predicted one is from the best possible.
    The constants are not the thesis'; with the defaults, nine in ten of the next positions lie on
    an arc of 150 degrees.

    Args:
        mean_step: most likely change of the angle, in radians per frame.
        angle_noise: standard deviation of that change, in radians.
        radius: of the circle, in units of length.
        radius_noise: standard deviation of the radius, at most an eighth of it: negative radii,
            which the density leaves out, are less likely than 1e-15 then.

    Raises:
        ValueError: a number is out of its range.

    Example:
        >>> walk = CircleWalk()
        >>> frames = walk.simulate(num_simulations=8, num_frames=100, seed=0)
        >>> walk.log_density(frames[:, :-1], frames[:, 1:]).shape  # of each frame but the first
        (8, 99, 1)
    """

    mean_step: float = 0.6
    angle_noise: float = 0.8
    radius: float = 1.0
    radius_noise: float = 0.05

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean_step):
            raise ValueError(f"mean_step: expected a finite number, found {self.mean_step}")
        for name in ("angle_noise", "radius", "radius_noise"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected a positive number, found {getattr(self, name)}")
        if self.radius_noise > self.radius / 8:
            raise ValueError(
                f"radius_noise: expected at most an eighth of radius = {self.radius}, "
                f"found {self.radius_noise}"
            )

    def simulate(self, num_simulations: int, num_frames: int, seed: int) -> FloatArray:
        """Trajectories of one particle each, from a random place on the circle.

        Simulation number i of a seed is the same however many are made, and a longer one begins as
        a shorter one does.

        Returns:
            Positions x and y, in units of length: float64 [simulations, frames, 1, 2].

        Raises:
            ValueError: `num_simulations` or `num_frames` is less than 1, `seed` than 0.
        """
        check_at_least(1, num_simulations=num_simulations, num_frames=num_frames)
        check_at_least(0, seed=seed)
        frames = np.empty((num_simulations, num_frames, 1, 2))
        for index in range(num_simulations):
            rng = np.random.default_rng([seed, index])
            first_angle = rng.uniform(0.0, 2.0 * math.pi)
            noise = rng.normal(size=(num_frames, 2))
            steps = self.mean_step + self.angle_noise * noise[1:, 0]
            angles = first_angle + np.concatenate([[0.0], np.cumsum(steps)])
            frames[index, :, 0] = self._positions(angles, noise[:, 1])
        return frames

    def draw_next(self, past: ArrayLike, count: int, seed: int) -> FloatArray:
        """Positions [count, 2] where the particle may be in the next frame, drawn independently.

        Its position x_t, [2], may be anywhere but in the centre of the circle.
        """
        angle, _ = _polar(past, "past")
        noise = np.random.default_rng(seed).normal(size=(count, 2))
        return self._positions(angle + self.mean_step + self.angle_noise * noise[:, 0], noise[:, 1])

    def log_density(self, past: ArrayLike, positions: ArrayLike) -> FloatArray:
        """Logarithm of the exact density p(x_(t+1) | x_t) in the plane.

        Angle and radius of x_(t+1) are independent, and an area is r dr d(angle):

            p(x) = W(angle - angle_t | mean_step, angle_noise**2) N(r | radius, radius_noise**2) / r

        with the wrapped normal density W, the sum of N over all full turns.

        Args:
            past: positions x_t, [..., 2], in units of length.
            positions: x_(t+1), [..., 2]; broadcast against `past`.

        Returns:
            [...], of a density per unit of area.

        Raises:
            ValueError: a position is not finite or in the centre of the circle.
        """
        past_angle, _ = _polar(past, "past")
        angle, r = _polar(positions, "positions")
        nearest = np.remainder(angle - past_angle - self.mean_step + math.pi, 2 * math.pi) - math.pi
        # Turns that are more than eight standard deviations away add nothing.
        turns = 1 + math.ceil(8 * self.angle_noise / (2 * math.pi))
        unwrapped = nearest[..., None] + 2 * math.pi * np.arange(-turns, turns + 1)
        angular = np.logaddexp.reduce(_log_normal(unwrapped, self.angle_noise), axis=-1)
        return np.asarray(angular + _log_normal(r - self.radius, self.radius_noise) - np.log(r))

    def _positions(self, angles: FloatArray, radial_noise: FloatArray) -> FloatArray:
        r = self.radius + self.radius_noise * radial_noise
        return np.stack([r * np.cos(angles), r * np.sin(angles)], axis=-1)


def _polar(positions: ArrayLike, name: str) -> tuple[FloatArray, FloatArray]:
    """Angles and radii, [...] each."""
    positions = np.asarray(positions, np.float64)
    if positions.ndim < 1 or positions.shape[-1] != 2:
        raise ValueError(f"{name}: expected shape [..., 2], found {positions.shape}")
    if not np.isfinite(positions).all():
        raise ValueError(f"{name}: expected finite numbers, found some that are not")
    x, y = positions[..., 0], positions[..., 1]
    if not (radii := np.hypot(x, y)).all():
        raise ValueError(f"{name}: expected an angle, found a position in the circle's centre")
    return np.arctan2(y, x), radii


def _log_normal(difference: FloatArray, sigma: float) -> FloatArray:
    return -0.5 * (difference / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))
