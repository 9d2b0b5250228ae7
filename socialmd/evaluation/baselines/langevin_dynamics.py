"""Free particles in a solvent: friction and noise, fitted to how velocities forget themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from socialmd.data import FeatureLayout
from socialmd.data.masked_inputs import unpack
from socialmd.evaluation.baselines.baseline import (
    Baseline,
    KnownData,
    check_frames,
    register_baseline,
)
from socialmd.evaluation.checks import NotPossibleError
from socialmd.types import FloatArray

__all__ = ["LangevinDynamics"]

LAGS = 3  # of the autocorrelation, in frames


@register_baseline
class LangevinDynamics(Baseline):
    """What Langevin's equation expects of a particle without neighbours, with fitted friction.

        dv = -gamma v dt + noise,    <d_t . d_(t-k)> / <d**2> = c phi**(k-1),   phi = exp(-gamma h)

    d being the displacement of one frame, h its time. The expected path follows from the last one:

        x_(t+n) = x_t + c (1 + phi + ... + phi**(n-1)) d_t

    c and phi are those of the training split's own autocorrelation at one to three frames, for each
    species by itself. With c = phi = 1 it is constant velocity, with c = 0 constant position: a
    walk of independent steps.

    Args:
        layout: of inputs, whose species have a friction each.

    Raises:
        RuntimeError: on rollout, nothing was fitted yet.

    Example:
        >>> langevin = LangevinDynamics(description.layout)
        >>> langevin.fit(make_dataset("data/fluid/train", config.data, batch_size=32))
        >>> langevin.rollout(inputs, num_steps=30)[0].shape
        (32, 30, 128, 3)

    Reference:
        M. P. Allen and D. J. Tildesley, Computer Simulation of Liquids, section 12.2.
    """

    name = "Langevin dynamics"

    def __init__(self, layout: FeatureLayout) -> None:
        super().__init__(layout.spatial_dims)
        self._layout = layout.given
        self.memory: FloatArray | None = None

    @classmethod
    def for_data(cls, data: KnownData) -> Self:
        if data.description is None or data.description.preprocessing is None:
            raise NotPossibleError("the data set is not one of molecules")
        made = cls(data.description.layout)
        made.fit(data.require_training_split())
        return made

    def fit(self, dataset: Iterable[Any]) -> None:
        """Fit c and phi of each species, kept as `memory` [species, 2].

        Args:
            dataset: batches (inputs [B, T, N, F], targets [B, T', N, D]).

        Raises:
            ValueError: there is no data, or it is not finite or of another shape.
        """
        kinds = max(1, len(self._layout.species))
        products = np.zeros((kinds, LAGS + 1))
        counts = np.zeros((kinds, LAGS + 1))
        for batch, targets in dataset:
            inputs, mask, _ = unpack(batch)
            frames = check_frames(inputs, 1)
            places = [frames[..., : self.spatial_dims], np.asarray(targets, np.float64)]
            steps = np.diff(np.concatenate(places, axis=1), axis=1)  # [B, T + T' - 1, N, D]
            real = np.ones((len(steps), steps.shape[2]), bool) if mask is None else np.asarray(mask)
            for kind in range(kinds):
                chosen = real & (self._layout.kinds(frames[:, -1]) == kind)  # [B, N]
                of_kind = np.moveaxis(steps, 2, 1)[chosen]
                for lag in range(min(LAGS + 1, of_kind.shape[1])):
                    product = of_kind[:, lag:] * of_kind[:, : of_kind.shape[1] - lag]
                    products[kind, lag] += product.sum()
                    counts[kind, lag] += product.size
        if not counts.any():
            raise ValueError("dataset: expected at least one batch, found none")
        self.memory = np.array([_fit(*each) for each in zip(products, counts, strict=True)])

    def forecast(self, frames: FloatArray, num_steps: int) -> FloatArray:
        if self.memory is None:
            raise RuntimeError("call `fit` before `rollout`")
        x = frames[..., : self.spatial_dims]
        of_particles = self.memory[self._layout.kinds(frames[:, -1])]
        start, phi = np.moveaxis(of_particles, -1, 0)  # [B, N] each
        ahead = start[:, None] * np.cumsum(
            phi[:, None] ** np.arange(num_steps)[:, np.newaxis], axis=1
        )  # [B, num_steps, N]
        return np.asarray(x[:, -1:] + ahead[..., None] * (x[:, -1:] - x[:, -2:-1]))


def _fit(products: FloatArray, counts: FloatArray) -> tuple[float, float]:
    """c and phi of sums of products of displacements that are so many frames apart."""
    means = products / np.maximum(counts, 1)
    if means[0] == 0:
        return 0.0, 0.0
    correlation = means[1:] / means[0]
    c = float(np.clip(correlation[0], -1.0, 1.0))
    # The least squares of c phi**(k - 1) for k = 2, 3; noise alone has no decay to be told.
    phis = np.linspace(0.0, 1.0, 1001)
    known = counts[2:] > 0
    lags = np.arange(1, LAGS)[known]
    errors = np.square(c * phis[:, None] ** lags - correlation[1:][known]).sum(axis=1)
    return c, float(phis[int(np.argmin(errors))])
