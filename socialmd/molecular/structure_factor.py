"""Structure factors of particles in periodic boxes, S(k)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from socialmd.types import Array, FloatArray

__all__ = ["StructureFactor", "structure_factor"]


class StructureFactor(NamedTuple):
    """How strongly density waves of each length are there; one without order.

        S(k) = <|sum_i exp(i k . x_i)|**2> / N

    with <> the mean over frames and over all wave vectors about as long as k that fit into the box,
    those with k . a an integer times 2 pi for all of its vectors a [1].

    Args:
        wave_numbers: k, middles of the bins, 2 pi by wavelength, [bins].
        values: S(k), [bins]; nan where no wave fits into the box.

    Reference:
        [1] M. P. Allen and D. J. Tildesley, Computer Simulation of Liquids, section 2.6.
    """

    wave_numbers: FloatArray
    values: FloatArray


def structure_factor(
    positions: ArrayLike, boxes: ArrayLike, lowest: float, highest: float, num_bins: int = 30
) -> StructureFactor:
    """Measure S(k) of frames, each in its box.

    Args:
        positions: [frames, N, 3]; in any image.
        boxes: box vectors as rows, [frames, 3, 3].
        lowest, highest: wave numbers between which bins of one width lie.
        num_bins: of them.

    Raises:
        ValueError: shapes do not fit, or wave numbers are not positive and ascending.

    Example:
        >>> gas = np.random.default_rng(0).uniform(0, 10, (50, 100, 3))
        >>> structure_factor(gas, [10 * np.eye(3)] * 50, 0.5, 6.0, 1).values
        array([0.99...])
    """
    x, vectors = np.asarray(positions, float), np.asarray(boxes, float)
    if x.ndim != 3 or x.shape[-1] != 3 or vectors.shape != (len(x), 3, 3) or not x.size:
        raise ValueError(
            "positions, boxes: expected [frames, N, 3] and [frames, 3, 3], "
            f"found shapes {x.shape} and {vectors.shape}"
        )
    if not 0 < lowest < highest < np.inf:
        raise ValueError(f"lowest, highest: expected 0 < k < k', found {lowest} and {highest}")
    edges = np.linspace(lowest, highest, num_bins + 1)
    total, count = np.zeros(num_bins), np.zeros(num_bins)
    for frame, box in zip(x, vectors, strict=True):
        lengths, powers, weights = _waves(frame, box, highest)
        total += np.histogram(lengths, edges, weights=weights * powers)[0]
        count += np.histogram(lengths, edges, weights=weights)[0]
    values = np.divide(total, count, out=np.full(num_bins, np.nan), where=count > 0)
    return StructureFactor((edges[1:] + edges[:-1]) / 2, values)


def _waves(frame: FloatArray, box: FloatArray, highest: float) -> tuple[Array, Array, Array]:
    """Wave numbers, S and how many waves each stands for: half of them, since S(-k) = S(k)."""
    inverse = np.linalg.inv(box)
    most = np.floor(highest * np.linalg.norm(box, axis=1) / (2 * np.pi)).astype(int)
    numbers = [np.arange(0 if axis == 0 else -n, n + 1) for axis, n in enumerate(most)]
    # exp(i k . x) is a product of what each axis of the box contributes.
    turns = [
        np.exp(2j * np.pi * np.outer(s, n))
        for s, n in zip((frame @ inverse).T, numbers, strict=True)
    ]
    sides = (turns[0][:, :, None] * turns[1][:, None, :]).reshape(len(frame), -1)
    amplitudes = sides.T @ turns[2]
    n = np.stack(np.meshgrid(*numbers, indexing="ij"), axis=-1).reshape(-1, 3)
    lengths = 2 * np.pi * np.linalg.norm(n @ inverse.T, axis=1)
    powers = np.square(np.abs(amplitudes)).ravel() / len(frame)
    return lengths, powers, np.where(n[:, 0] > 0, 2.0, 1.0)
