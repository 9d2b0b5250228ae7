"""How benchmarks measure forecasts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from socialmd.types import FloatArray

__all__ = ["PROTOCOLS", "Protocol"]

Numbers = dict[str, float]
STEPS = (1, 10, 20)  # of NRI's tables


class Protocol(NamedTuple):
    """What a benchmark measures.

    Args:
        columns: names of its numbers, of all of which less is better.
        units: what they are, in words.
        measure: forecasts, truth, [W, T', N, F] each, and spans of these in the training split, [F]
            -> these numbers.
        of_velocities: whether velocities are forecast as well, F = 2 D, or places alone, F = D.
    """

    columns: tuple[str, ...]
    units: str
    measure: Callable[[FloatArray, FloatArray, FloatArray], Numbers]
    of_velocities: bool = False

    def score(self, forecasts: ArrayLike, truth: ArrayLike, spans: ArrayLike = 1.0) -> Numbers:
        """Numbers of forecasts, or of several samples of each: the means over samples of theirs.

        Args:
            forecasts: [W, T', N, F], or samples [S, W, T', N, F].
            truth: [W, T', N, F].
            spans: largest minus smallest place, and velocity, in the training split, [F]; read by
                protocols that normalise errors.

        Raises:
            ValueError: forecasts are of another shape, or not finite.

        Example:
            >>> PROTOCOLS["displacement"].score(np.ones((2, 20, 5, 3)), np.zeros((2, 20, 5, 3)))
            {'ADE': 1.7320508075688772, 'FDE': 1.7320508075688772}
        """
        followed = np.asarray(truth, np.float64)
        found = np.asarray(forecasts, np.float64)
        if found.shape[-4:] != followed.shape or found.ndim not in (4, 5):
            raise ValueError(
                f"forecasts: expected shape {list(followed.shape)}, or samples of that, found "
                f"{list(found.shape)}"
            )
        if not np.isfinite(found).all():
            raise ValueError("forecasts: expected finite numbers, found some that are not")
        widths = np.broadcast_to(np.asarray(spans, np.float64), followed.shape[-1:])
        samples = found.reshape(-1, *followed.shape)
        numbers = [self.measure(sample, followed, widths) for sample in samples]
        return {name: float(np.mean([each[name] for each in numbers])) for name in self.columns}


def _displacement(forecast: FloatArray, truth: FloatArray, spans: FloatArray) -> Numbers:
    """Average and final displacement error."""
    distances = np.linalg.norm(forecast - truth, axis=-1)  # [W, T', N]
    return {"ADE": float(distances.mean()), "FDE": float(distances[:, -1].mean())}


def _errors(forecast: FloatArray, truth: FloatArray, spans: FloatArray) -> Numbers:
    """Absolute errors of coordinates, mean and median, and displacement errors."""
    errors = np.abs(forecast - truth)
    absolute = {"MAE": float(errors.mean()), "median": float(np.median(errors))}
    return absolute | _displacement(forecast, truth, spans)


def _jump(forecast: FloatArray, truth: FloatArray, spans: FloatArray) -> Numbers:
    """Mean squared error of coordinates at the last step."""
    return {"MSE": float(np.square(forecast - truth)[:, -1].mean())}


def _normalized(forecast: FloatArray, truth: FloatArray, spans: FloatArray) -> Numbers:
    """Mean squared errors of a few steps, where everything in training is from -1 to 1."""
    errors = np.square(2 * (forecast - truth) / spans).mean(axis=(0, 2, 3))  # [T']
    return {f"MSE {step}": float(errors[step - 1]) for step in STEPS}


def _distances(forecast: FloatArray, truth: FloatArray, spans: FloatArray) -> Numbers:
    """Mean distances of places and of velocities from the true ones, at a few steps."""
    parts = np.split(forecast - truth, 2, axis=-1)
    places, speeds = (np.linalg.norm(part, axis=-1).mean(axis=(0, 2)) for part in parts)  # [T']
    ahead = {f"place {step}": float(places[step - 1]) for step in STEPS}
    return ahead | {f"velocity {STEPS[-1]}": float(speeds[STEPS[-1] - 1])}


PROTOCOLS = {
    "errors": Protocol(
        ("MAE", "median", "ADE", "FDE"),
        "absolute errors of coordinates, mean and median, and distances, in units of length",
        _errors,
    ),
    "displacement": Protocol(("ADE", "FDE"), "distances, in units of length", _displacement),
    "jump": Protocol(("MSE",), "squares of lengths, of each coordinate", _jump),
    "normalized": Protocol(
        tuple(f"MSE {step}" for step in STEPS),
        "squares, of each coordinate of places and velocities, in units in which all of these in "
        "the training split are from -1 to 1",
        _normalized,
        of_velocities=True,
    ),
    "distances": Protocol(
        (*(f"place {step}" for step in STEPS), f"velocity {STEPS[-1]}"),
        "mean distances from the true places and velocities, in units of length and time",
        _distances,
        of_velocities=True,
    ),
}
