"""Whether pairs that interact differently have been told apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["ACCURACY", "pair_accuracy"]

ACCURACY = "pairs, %"  # its column in tables


def pair_accuracy(strengths: ArrayLike, kinds: ArrayLike) -> float:
    """Percentage of pairs whose kind, one of two, inferred strengths tell.

    Nobody has said which kind is which, nor what their strengths are: the strengths of all pairs
    are split into two clusters of least variance, and these are named as suits best, as in the
    unsupervised accuracies of neural relational inference (T. Kipf et al., ICML 2018, table 1).

    Args:
        strengths: inferred ones, [W, N, N].
        kinds: true ones, bool [W, N, N]; the diagonals are not read.

    Returns:
        50 to 100, of two kinds that are equally frequent.

    Raises:
        ValueError: shapes differ, or there is no pair.

    Example:
        >>> pair_accuracy([[[0.0, 0.9], [0.9, 0.0]], [[0.0, -1.0], [-1.0, 0.0]]],
        ...               [[[False, True], [True, False]], [[False, False], [False, False]]])
        100.0
    """
    found, true = np.asarray(strengths, np.float64), np.asarray(kinds, bool)
    if found.shape != true.shape or found.ndim != 3 or found.shape[0] * (found.shape[1] - 1) < 1:
        raise ValueError(
            f"kinds: expected [windows, particles, particles] of both, found {found.shape} and "
            f"{true.shape}"
        )
    others = ~np.eye(found.shape[1], dtype=bool)
    values, wanted = found[:, others], true[:, others]
    share = float(np.mean((values > _split(values)) == wanted))
    return 100 * max(share, 1 - share)


def _split(values: np.ndarray) -> float:
    """Threshold between the two clusters of least variance in all, of numbers sorted first."""
    ordered = np.sort(values, axis=None)
    counts = np.arange(1, len(ordered))
    below, total = np.cumsum(ordered)[:-1], ordered.sum()
    # The sum of squares between clusters, of which that within is what it lacks.
    between = below**2 / counts + (total - below) ** 2 / (len(ordered) - counts)
    best = int(np.argmax(between))
    return float(ordered[best] + ordered[best + 1]) / 2
