"""How particles wander: mean squared displacement, diffusion, velocity autocorrelation."""

from __future__ import annotations

import dataclasses
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from socialmd.evaluation.checks import finite_array, finite_positions
from socialmd.types import Array, FloatArray

__all__ = ["Transport", "over_simulations"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Transport:
    """Of one kind of particle; `dataclasses.asdict` makes JSON of it.

    With x_0 the last given frame, h the time between two frames, <> the mean over particles and
    windows, and the displacement of a frame for its velocity:

        MSD(t) = <|x_t - x_0|**2>,    MSD(t) ~ 2 d D t   for large t                        [1]
        VACF(t) = <(x_1 - x_0) . (x_(t+1) - x_t)> / <(x_1 - x_0)**2>

    Args:
        num_simulations: over which errors are told; `None` stands for those of fewer than two.
        displacement, displacement_error: MSD, [T'], in squared units of length, and its standard
            error over simulations.
        diffusion, diffusion_error: D, from the slope over the second half of the steps, in squared
            units of length per unit of time. Within so short a time it need not have converged:
            compare it with the truth's.
        autocorrelation: VACF, [T']; the first is one, or zero of what does not move.
        mean_square_step: of x_t - x_(t-1), per coordinate, [T']: what temperature is measured by.

    #### References
    [1] M. P. Allen and D. J. Tildesley, Computer Simulation of Liquids, section 2.7.
    """

    num_simulations: int
    displacement: list[float]
    displacement_error: list[float] | None
    diffusion: float
    diffusion_error: float | None
    autocorrelation: list[float]
    mean_square_step: list[float]

    @classmethod
    def from_paths(
        cls,
        start: ArrayLike,
        positions: ArrayLike,
        chosen: ArrayLike,
        simulations: ArrayLike,
        spacing: float = 1.0,
    ) -> Self:
        """Measure a forecast, or the truth, of W windows.

        Args:
            start: places in the last given frame, [W, N, D].
            positions: what follows, unwrapped, [W, T', N, D], T' >= 2.
            chosen: bool [W, N], the particles that count; windows without any do not.
            simulations: integers [W], which simulation a window is from.
            spacing: h.

        Raises:
            ValueError: an array is of another shape or not finite, or no particle is chosen.

        Example:
            >>> walk = np.random.default_rng(0).normal(size=(1, 101, 500, 3)).cumsum(axis=1)
            >>> one = np.ones((1, 500), bool)
            >>> Transport.from_paths(walk[:, 0], walk[:, 1:], one, [0]).diffusion  # 1 / 2
            0.49...
        """
        x = finite_positions("positions", positions)
        windows, steps, particles, dims = x.shape
        first = finite_array("start", start, (windows, particles, dims))
        mask = np.asarray(chosen, bool)
        if steps < 2 or mask.shape != (windows, particles) or not mask.any():
            raise ValueError(
                f"positions, chosen: expected two steps or more, and some of {particles} particles "
                f"in {windows} windows, found {steps} and {mask.shape}"
            )
        some = mask.any(axis=1)
        x, first, mask, groups = x[some], first[some], mask[some], np.asarray(simulations)[some]
        path = np.concatenate([first[:, None], x], axis=1)  # [W, T' + 1, N, D]
        step = np.diff(path, axis=1)
        squares = _mean(np.square(path[:, 1:] - first[:, None]).sum(axis=-1), mask)  # [W, T']
        displacement, error = over_simulations(squares, groups)
        slopes = _slope(squares) / (2 * dims * spacing)  # [W]
        diffusion, diffusion_error = over_simulations(slopes, groups)
        together = over_simulations(_mean((step[:, :1] * step).sum(axis=-1), mask), groups)[0]
        moving = over_simulations(_mean(np.square(step).mean(axis=-1), mask), groups)[0]
        return cls(
            num_simulations=len(np.unique(groups)),
            displacement=displacement.tolist(),
            displacement_error=None if error is None else error.tolist(),
            diffusion=float(diffusion),
            diffusion_error=None if diffusion_error is None else float(diffusion_error),
            autocorrelation=(together / (together[0] or 1.0)).tolist(),
            mean_square_step=moving.tolist(),
        )


def over_simulations(values: Array, simulations: ArrayLike) -> tuple[Array, Array | None]:
    """Mean of [W, ...] over windows, each simulation counting alike, and its standard error.

    Windows of one simulation are not independent. Nothing is known of the error from one alone.
    """
    values = np.asarray(values, np.float64)
    _, group = np.unique(np.asarray(simulations), return_inverse=True)
    means = np.stack([values[group == each].mean(axis=0) for each in range(group.max() + 1)])
    count = len(means)
    return means.mean(axis=0), means.std(axis=0, ddof=1) / count**0.5 if count > 1 else None


def _mean(values: FloatArray, mask: Array) -> FloatArray:
    """Over the particles that count, [W, T', N] -> [W, T']."""
    weights = mask / mask.sum(axis=1, keepdims=True)
    return np.asarray((values * weights[:, None]).sum(axis=2))


def _slope(values: FloatArray) -> FloatArray:
    """Of the line of least squares through the second half of [W, T'], per step: [W]."""
    steps = np.arange(values.shape[1] // 2, values.shape[1], dtype=float)
    centred = steps - steps.mean()
    if not centred.any():  # two steps: from one to the other
        return np.asarray(values[:, -1] - values[:, -2])
    return np.asarray(values[:, -len(steps) :] @ centred / np.square(centred).sum())
