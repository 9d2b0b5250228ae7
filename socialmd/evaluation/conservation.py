"""Conserved quantities of a closed system along a forecast.

Frames give positions only, so velocities are difference quotients, exact for uniform motion: in a
closed system the true momentum and centre of mass drift by rounding alone (5e-7 with the default
data, which are float32), and any more is the forecast's. Kinetic energy is not linear in positions:
on a circle with angular frequency w it is too small by the factor (sin(w h) / (w h))**2 for a step
spacing h, and in a close encounter, where potential energy is as large, their sum is far off. The
one-sided difference at the last step errs most: expect a jump there. Hence the yardstick: the same
function, with the truth passed as the forecast.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from socialmd.evaluation.checks import finite_array, finite_positions, lengths
from socialmd.simulation import kinetic_energy
from socialmd.types import FloatArray

__all__ = ["Conservation", "velocities"]

# positions and velocities, [W, any number of frames, N, D] -> energies [W, frames]; of particles
# that point somewhere, orientations and how fast they change as well
Energy = Callable[..., ArrayLike]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conservation:
    """Drifts of one forecast, step by step; `dataclasses.asdict` makes JSON of it.

    Each is the median over the windows; a mean would show the few with a tight pair, whose energy
    no difference quotient resolves. Time t counts from the last past frame, where P and the centre
    of mass X come from the last displacement; K is kinetic energy:

        momentum_drift            |P(t) - P(0)| / sum_i m_i |v_i(0)|
        center_of_mass_deviation  |X(t) - X(0) - P(0) t / sum_i m_i|          in units of length
        kinetic_energy            K(t) / K_ref, without that of rotation
        energy_drift              |E(t) - E_ref| / K_ref
        radius                    sqrt(mean_i |x_i(t) - X(t)|**2)             in units of length

    The references are medians over the past frames between the first and the last, where velocities
    are central differences; a single encounter does not spoil them. Drift is relative to K_ref
    because E itself may vanish: it is the difference of large energies of either sign.

    Args:
        momentum_drift, center_of_mass_deviation: [T']. Both being linear, even the mean of many
            possible futures conserves them.
        kinetic_energy: [T'], without unit. The mean of many possible futures moves more slowly than
            each of them.
        energy_drift: [T'], without unit; `None` where the energy is not known.
        radius: [T']; grows where the system blows up, falls where it collapses.
    """

    momentum_drift: list[float]
    center_of_mass_deviation: list[float]
    kinetic_energy: list[float]
    energy_drift: list[float] | None
    radius: list[float]

    @classmethod
    def from_arrays(
        cls,
        past: ArrayLike,
        positions: ArrayLike,
        spacing: float,
        energy: Energy | None = None,
        mass: int | None = None,
        orientations: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> Self:
        """Measure a forecast, or the truth, of W windows.

        Args:
            past: [W, T, N, F] with T >= 3: D coordinates, and mass among the other features.
            positions: what follows, [W, T', N, D], D being 2 or 3.
            spacing: time from one step to the next, in the past too.
            energy: total energy of frames: positions and velocities, both [W, S, N, D], -> [W, S]
                for any number S of frames; `socialmd.simulation.total_energy` for the law that
                made the data.
            mass: number of the mass among the features; D, after the coordinates, by default.
            orientations: unit vectors u of the past and of what follows, [W, T, N, D] and
                [W, T', N, D], of particles that point somewhere; the energy is then asked for with
                these and du/dt, [W, S, N, D], as third and fourth argument.

        Raises:
            ValueError: an array is of another shape or not finite, a mass or the spacing is not
                positive, or nothing moves in the past of a window.

        Example:
            >>> masses, charges = inputs[:, -1:, :, 2], inputs[:, -1:, :, 3]  # [W, 1, N]
            >>> def energy(x, v):
            ...     return total_energy(system, x, v, masses, charges)
            >>> forecast = Conservation.from_arrays(inputs, positions, spacing, energy)
            >>> yardstick = Conservation.from_arrays(inputs, truth, spacing, energy)
        """
        after = finite_positions("positions", positions)
        dims = after.shape[-1]
        mass = dims if mass is None else mass
        frames = _check_past(past, dims, mass)
        before, masses = frames[..., :dims], frames[:, -1:, :, mass]  # [W, T, N, D], [W, 1, N]
        v_before = velocities(before[:, :1], before[:, 1:], spacing)[:, :-1]  # [W, T - 2, N, D]
        v_after = velocities(before, after, spacing)
        kinetic_reference = np.median(
            kinetic_energy(v_before, masses), axis=1, keepdims=True
        )  # [W, 1]
        v_start = (before[:, -1:] - before[:, -2:-1]) / spacing  # [W, 1, N, D]
        speed = _mean(lengths(v_start)[..., None], masses)  # [W, 1, 1]
        if not (kinetic_reference > 0).all() or not (speed > 0).all():
            raise ValueError("past: expected particles that move, found a window where none does")
        drift = None
        if energy is not None:
            start, end = [before[:, 1:-1], v_before], [after, v_after]
            if orientations is not None:
                u_before, u_after = (
                    finite_array("orientations", each, like.shape)
                    for each, like in zip(orientations, (before, after), strict=True)
                )
                spins = velocities(u_before[:, :1], u_before[:, 1:], spacing)[:, :-1]
                start += [u_before[:, 1:-1], spins]
                end += [u_after, velocities(u_before, u_after, spacing)]
            reference = finite_array("energy", energy(*start), v_before.shape[:2])
            energies = finite_array("energy", energy(*end), after.shape[:2])  # [W, T']
            change = energies - np.median(reference, axis=1, keepdims=True)
            drift = _median(np.abs(change) / kinetic_reference)

        momentum_change = (_mean(v_after, masses) - _mean(v_start, masses)) / speed  # [W, T', D]
        center = _mean(after, masses)  # [W, T', D]
        times = spacing * np.arange(1, after.shape[1] + 1)[:, None]  # [T', 1]
        uniform = _mean(before[:, -1:], masses) + _mean(v_start, masses) * times
        return cls(
            momentum_drift=_median(lengths(momentum_change)),
            center_of_mass_deviation=_median(lengths(center - uniform)),
            kinetic_energy=_median(kinetic_energy(v_after, masses) / kinetic_reference),
            energy_drift=drift,
            radius=_median(np.sqrt(np.mean(lengths(after - center[:, :, None]) ** 2, axis=-1))),
        )


def velocities(past_positions: ArrayLike, positions: ArrayLike, spacing: float) -> FloatArray:
    """Velocities [W, T', N, D] by differences of second order, one-sided at the last step.

        v_t = (x_(t+1) - x_(t-1)) / (2 h)        v_T' = (3 x_T' - 4 x_(T'-1) + x_(T'-2)) / (2 h)

    Args:
        past_positions: [W, T, N, D]; the last one precedes the first of `positions`.
        positions: [W, T', N, D], D being 2 or 3.
        spacing: h, time from one step to the next.

    Raises:
        ValueError: an array is of another shape or not finite, the spacing is not positive, or
            there are fewer than three frames in all.

    Example:
        >>> time = np.arange(5.0)[None, :, None, None] * np.ones(2)
        >>> velocities(time[:, :2] ** 2, time[:, 2:] ** 2, spacing=1.0)[0, :, 0, 0]
        array([4., 6., 8.])
    """
    before = finite_positions("past_positions", past_positions)
    after = finite_positions("positions", positions)
    if not 0 < spacing < np.inf:
        raise ValueError(f"spacing: expected a positive number, found {spacing}")
    if before.shape[0] != after.shape[0] or before.shape[2:] != after.shape[2:]:
        raise ValueError(
            f"positions: expected the windows and particles of the past {before.shape}, "
            f"found shape {after.shape}"
        )
    frames = np.concatenate([before[:, -2:], after], axis=1)
    if frames.shape[1] < 3:
        raise ValueError("positions: expected at least three frames with the past, found two")
    return np.asarray(np.gradient(frames, spacing, axis=1, edge_order=2)[:, -after.shape[1] :])


def _check_past(past: ArrayLike, dims: int, mass: int) -> FloatArray:
    frames = finite_array("past", past)
    if frames.ndim != 4 or frames.shape[1] < 3 or frames.shape[3] <= mass or frames.size == 0:
        raise ValueError(
            "past: expected [windows, frames, particles, features] with at least three frames and "
            f"{', '.join('xyz'[:dims])} as the first features, mass as number {mass}, found shape "
            f"{frames.shape}"
        )
    if not (frames[..., mass] > 0).all():
        raise ValueError(f"past: expected positive masses, found {frames[..., mass].min()}")
    return frames


def _mean(vectors: FloatArray, masses: FloatArray) -> FloatArray:
    """Mean over the particles, weighted by mass: [W, S, N, D] and [W, 1, N] -> [W, S, D]."""
    weights = masses / masses.sum(axis=-1, keepdims=True)
    return np.asarray((weights[..., None] * vectors).sum(axis=2))


def _median(values: FloatArray) -> list[float]:
    """Median over the windows: [W, T'] -> [T']."""
    return [float(median) for median in np.median(values, axis=0)]
