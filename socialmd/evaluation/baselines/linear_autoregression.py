"""The best forecast that is linear in the past and treats every particle alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from socialmd.data import real_particles
from socialmd.data.masked_inputs import unpack
from socialmd.evaluation.baselines.baseline import (
    Baseline,
    KnownData,
    check_frames,
    register_baseline,
)
from socialmd.types import FloatArray

__all__ = ["LinearAutoregression"]


@register_baseline
class LinearAutoregression(Baseline):
    """Linear autoregression, one least-squares fit for each number of steps ahead.

        x_(t+n) = x_t + sum_k c[k, n] (x_(t-k) - x_(t-k-1)),   k = 0..T-2

    The coefficients are shared by all particles and coordinates, so the forecast moves and
    turns with the system. Each column of c minimises the squared error of its own step; fitting
    one step and iterating it has a larger error on the default data (MAE 0.281 against 0.275).

    Args:
        target_steps: T', most steps ahead that can be forecast.
        spatial_dims: D, how many of the features are coordinates.

    Raises:
        ValueError: `target_steps` is not positive; on rollout, there are other numbers of steps
            than in the fit.
        RuntimeError: on rollout, nothing was fitted yet.

    Example:
        >>> autoregression = LinearAutoregression(target_steps=30)
        >>> autoregression.fit(make_dataset("data/monopoles/train", config.data, batch_size=32))
        >>> autoregression.rollout(inputs, num_steps=30)[0].shape
        (32, 30, 25, 2)
    """

    name = "linear autoregression"

    def __init__(self, target_steps: int, spatial_dims: int = 2) -> None:
        super().__init__(spatial_dims)
        if target_steps < 1:
            raise ValueError(f"target_steps: expected at least 1, found {target_steps}")
        self.target_steps = target_steps
        self.coefficients: FloatArray | None = None

    @classmethod
    def for_data(cls, data: KnownData) -> Self:
        made = cls(data.num_steps, data.spatial_dims)
        made.fit(data.require_training_split())
        return made

    def fit(self, dataset: Iterable[Any]) -> None:
        """Fit the coefficients, kept as `coefficients` [T - 1, T'], oldest displacement first.

        Args:
            dataset: batches (inputs [B, T, N, F], targets [B, T', N, D]).

        Raises:
            ValueError: there is no data, or it is not finite or of another shape.
        """
        gram: Any = 0.0  # sums of products add up over batches; the rows themselves need not fit
        moments: Any = 0.0
        for batch, targets in dataset:
            inputs, mask, _ = unpack(batch)
            displacements, last = self._displacements(check_frames(inputs, self.target_steps))
            places = np.asarray(targets, np.float64)[..., : self.spatial_dims]
            ahead = places - last[:, np.newaxis]
            if mask is not None:
                real = np.asarray(mask)
                displacements, ahead = (real_particles(x, real) for x in (displacements, ahead))
            ahead = _as_rows(ahead)
            if ahead.shape[-1] != self.target_steps or not np.isfinite(ahead).all():
                raise ValueError(
                    f"dataset: expected targets of {self.target_steps} finite steps, found shape "
                    f"{np.shape(targets)}"
                )
            rows = _as_rows(displacements)  # [B * N * D, T - 1]
            gram = gram + rows.T @ rows
            moments = moments + rows.T @ ahead
        if np.ndim(gram) == 0:
            raise ValueError("dataset: expected at least one batch, found none")
        # Displacements of uniform motion are all the same: take the smallest solution there.
        self.coefficients = np.linalg.lstsq(gram, moments)[0]

    def forecast(self, frames: FloatArray, num_steps: int) -> FloatArray:
        if self.coefficients is None:
            raise RuntimeError("call `fit` before `rollout`")
        if num_steps > self.target_steps:
            raise ValueError(f"num_steps: expected at most {self.target_steps}, found {num_steps}")
        displacements, last = self._displacements(frames)
        if displacements.shape[1] != len(self.coefficients):
            raise ValueError(
                f"inputs: expected {len(self.coefficients) + 1} steps, as in the fit, "
                f"found {displacements.shape[1] + 1}"
            )
        ahead = np.einsum("bknd,ks->bsnd", displacements, self.coefficients[:, :num_steps])
        return np.asarray(last[:, np.newaxis] + ahead)

    def _displacements(self, frames: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Displacements [B, T - 1, N, D] and last positions [B, N, D]."""
        positions = frames[..., : self.spatial_dims]
        return np.diff(positions, axis=1), positions[:, -1]


def _as_rows(steps: FloatArray) -> FloatArray:
    """[B, steps, N, D] -> [B * N * D, steps]."""
    return np.moveaxis(steps, 1, -1).reshape(-1, steps.shape[1])
