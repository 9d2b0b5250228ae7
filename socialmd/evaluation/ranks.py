"""Ranks of the truth among sampled futures, of one coordinate or of all."""

from __future__ import annotations

import numpy as np

from socialmd.types import FloatArray

__all__ = ["ensemble_crps", "rank_levels", "rank_transforms"]


def rank_levels(samples: FloatArray, truth: FloatArray, rng: np.random.Generator) -> FloatArray:
    """How far out the truth lies among the samples, from 0 (central) to 1: uniform if calibrated.

    The mean distance of each of S + 1 points, truth [..., D] and samples [S, ..., D], to the others
    says how far out it is. With k samples further in and u uniform on [0, 1), the level [...] is
    (k + u) / (S + 1): a multivariate rank histogram [1] that counts from the centre outwards, as
    regions of highest density do.

    #### References
    [1] T. Gneiting, L. I. Stanberry, E. P. Grimit, L. Held and N. A. Johnson, Assessing
    probabilistic forecasts of multivariate quantities, with an application to ensemble predictions
    of surface winds, TEST 17, 211-235, 2008.
    """
    points = np.concatenate([truth[None], samples])  # [S + 1, ..., D]
    totals = np.zeros(points.shape[:-1])
    for index, point in enumerate(points):  # all pairs at once would fill the memory
        distances = np.linalg.norm(points[index + 1 :] - point, axis=-1)  # [later points, ...]
        totals[index] += distances.sum(axis=0)
        totals[index + 1 :] += distances
    further_in = (totals[1:] < totals[0]).sum(axis=0)
    return (further_in + rng.random(truth.shape[:-1])) / len(points)


def rank_transforms(samples: FloatArray, truth: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Rank of each coordinate of the truth among the samples', from 0 to 1: uniform if calibrated.

    With k smaller ones of S and u uniform on [0, 1), (k + u) / (S + 1): the probability integral
    transform of samples. Samples [S, ..., 2] and truth [..., 2] give [..., 2].
    """
    smaller = (samples < truth).sum(axis=0)
    return (smaller + rng.random(truth.shape)) / (len(samples) + 1)


def ensemble_crps(samples: FloatArray, truth: FloatArray) -> FloatArray:
    """Continuous ranked probability score of each coordinate, without the bias of a small S.

        CRPS = 1/S sum_s |X_s - x| - 1 / (2 S (S - 1)) sum_(r != s) |X_r - X_s|

    The sum over pairs is that over sorted samples, times how many are below less how many above.

    Samples [S, ..., 2], S >= 2, and truth [..., 2] give scores [..., 2], in units of length.

    Reference:
        C. A. T. Ferro, Fair scores for ensemble forecasts, Q. J. R. Meteorol. Soc. 140, 2014.
    """
    count = len(samples)
    below_less_above = 2.0 * np.arange(count) - count + 1
    pairs = np.tensordot(below_less_above, np.sort(samples, axis=0), axes=1)
    return np.abs(samples - truth).mean(axis=0) - pairs / (count * (count - 1))
