"""Numbers that say how far sampled forecasts are from the truth."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from socialmd.evaluation.checks import finite_positions, finite_samples, lengths

__all__ = ["SampleMetrics"]

TINY = 1e-30  # square of a length


@dataclasses.dataclass(frozen=True, kw_only=True)
class SampleMetrics:
    """Errors of S sampled forecasts of one set of windows; `dataclasses.asdict` makes JSON of it.

    All but the last are lengths, most of them distances in the plane, averaged over windows and
    particles. The energy score is a proper score of the distribution that samples are drawn from,
    for each particle at each step:

        ES = E|X - x| - E|X - X'| / 2
           ~ 1/S sum_s |X_s - x| - 1 / (2 S (S - 1)) sum_(r != s) |X_r - X_s|

    Division by S (S - 1), not S**2, makes the estimate unbiased (a "fair" score [2]): what it is
    expected to be does not depend on S, so forecasts of different S compare. It may be negative.

    The best of S samples is chosen for each particle on its own, knowing the truth, once for ADE
    and once for FDE. It rewards spread, falls as S grows and is not a proper score. Numbers of
    Social GAN [3] are of this kind, but its published code chooses one sample for all of a scene.

    Args:
        num_samples: S.
        energy_score, energy_score_per_step: mean over steps, and [T'].
        ade, fde: average displacement error, mean over samples; the same at the last step.
        best_ade, best_fde: of the best of S samples, by its error averaged over steps, and by that
            at the last step.
        ade_of_mean, fde_of_mean: of the mean of the samples.
        mae_of_median: of the median of the samples, each coordinate by itself; per coordinate. Of
            all points it has the least expected absolute error, if samples are distributed as the
            truth is.
        spread_skill_per_step: sqrt((S + 1) / S) times the standard deviation of the samples, by the
            root-mean-square error of their mean, [T']. One if the truth could be one more sample
            [4], below one if samples are too sure of themselves. Few large errors make it.

    #### References
    [1] T. Gneiting and A. E. Raftery, Strictly proper scoring rules, prediction, and estimation,
    J. Am. Stat. Assoc. 102, 359-378, 2007; energy score: section 4.3.
    [2] C. A. T. Ferro, Fair scores for ensemble forecasts, Q. J. R. Meteorol. Soc. 140, 1917-1923,
    2014.
    [3] A. Gupta, J. Johnson, L. Fei-Fei, S. Savarese and A. Alahi, Social GAN: socially acceptable
    trajectories with generative adversarial networks, CVPR 2018.
    [4] V. Fortin, M. Abaza, F. Anctil and R. Turcotte, Why should ensemble spread match the RMSE of
    the ensemble mean?, J. Hydrometeorol. 15, 1708-1713, 2014.
    """

    num_samples: int
    energy_score: float
    energy_score_per_step: list[float]
    ade: float
    fde: float
    best_ade: float
    best_fde: float
    ade_of_mean: float
    fde_of_mean: float
    mae_of_median: float
    spread_skill_per_step: list[float]

    @classmethod
    def from_samples(cls, samples: ArrayLike, truth: ArrayLike) -> Self:
        """Measure sampled forecasts of W windows.

        Args:
            samples: sampled positions, [S, W, T', N, 2], at least two samples.
            truth: positions, [W, T', N, 2].

        Raises:
            ValueError: an array is of another shape, or holds numbers that are not finite.

        Example:
            >>> truth = np.zeros((1, 1, 1, 2))
            >>> samples = np.array([[3.0, 4.0], [-3.0, -4.0]]).reshape(2, 1, 1, 1, 2)
            >>> metrics = SampleMetrics.from_samples(samples, truth)
            >>> metrics.ade, metrics.ade_of_mean, metrics.energy_score
            (5.0, 0.0, 0.0)
        """
        positions = finite_positions("truth", truth)
        drawn = finite_samples(samples, positions)
        count = len(drawn)
        errors = np.stack([lengths(sample - positions) for sample in drawn])  # [S, W, T', N]
        error_of_mean = lengths(drawn.mean(axis=0) - positions)
        error = errors.mean(axis=(0, 1, 3))  # [T']
        # A pair at a time: all S**2 distances at once would fill the memory.
        pairs = sum(lengths(a - b).mean(axis=(0, 2)) for a, b in combinations(drawn, 2))
        energy_score = error - pairs / (count * (count - 1))
        skill = np.square(drawn.mean(axis=0) - positions).mean(axis=(0, 2, 3))  # [T']
        spread = (count + 1) / count * drawn.var(axis=0, ddof=1).mean(axis=(0, 2, 3))
        return cls(
            num_samples=count,
            energy_score=float(energy_score.mean()),
            energy_score_per_step=energy_score.tolist(),
            ade=float(error.mean()),
            fde=float(error[-1]),
            best_ade=float(errors.mean(axis=2).min(axis=0).mean()),
            best_fde=float(errors[:, :, -1].min(axis=0).mean()),
            ade_of_mean=float(error_of_mean.mean()),
            fde_of_mean=float(error_of_mean[:, -1].mean()),
            mae_of_median=float(np.abs(np.median(drawn, axis=0) - positions).mean()),
            # An exact hit has no ratio, and JSON no infinity.
            spread_skill_per_step=np.sqrt(spread / np.maximum(skill, TINY)).tolist(),
        )
