"""The law of motion that made the data, integrated from what is seen."""

from __future__ import annotations

from typing import Self

import numpy as np

from socialmd.config import ManyBodySystem
from socialmd.data import FeatureLayout
from socialmd.evaluation.baselines.baseline import Baseline, KnownData, register_baseline
from socialmd.evaluation.checks import NotPossibleError
from socialmd.simulation import accelerations, integrate, law_of, layout_of_law
from socialmd.types import FloatArray

__all__ = ["KnownLaw"]


@register_baseline
class KnownLaw(Baseline):
    """The true law of motion, from the last positions and velocities estimated for them.

    The last displacement is the velocity half a step ago; the law itself says how it went on:

        v_t = (x_t - x_(t-1)) / dt + a(x_t) dt / 2

    Args:
        system: constants of the law.
        step_spacing: time from one step to the next.
        integration_steps: velocity Verlet steps for one step of the forecast. With the default
            data and `subsample = 20`, 2000 of them are time steps of 1e-6.
        layout: where places, mass and charge are; x, y, mass and charge if none is given.

    Raises:
        ValueError: a number is not positive; on rollout, there are other features.
        FloatingPointError: on rollout, the integration has become infinite.

    Example:
        >>> law = KnownLaw(config.system, step_spacing=0.002)
        >>> law.rollout(inputs, num_steps=30)[0].shape
        (32, 30, 25, 2)
    """

    name = "known law"
    is_rival = False

    def __init__(
        self,
        system: ManyBodySystem,
        step_spacing: float,
        integration_steps: int = 2000,
        layout: FeatureLayout | None = None,
    ) -> None:
        layout = layout or layout_of_law()
        super().__init__(layout.spatial_dims)
        if not step_spacing > 0 or integration_steps < 1:
            raise ValueError(
                "step_spacing, integration_steps: expected positive numbers, found "
                f"{step_spacing}, {integration_steps}"
            )
        self.system = system
        self.step_spacing = step_spacing
        self.integration_steps = integration_steps
        self.layout = layout

    @classmethod
    def for_data(cls, data: KnownData) -> Self:
        if data.description is None or data.description.law is None:
            raise NotPossibleError("the data set names no law of motion")
        law = law_of(data.description)
        if law is None:
            raise NotPossibleError("the law needs the features mass and charge")
        return cls(law, data.spacing, layout=data.description.layout.given)

    def forecast(self, frames: FloatArray, num_steps: int) -> FloatArray:
        names = self.layout.features
        if frames.shape[-1] != len(names):
            raise ValueError(
                f"inputs: expected the {len(names)} features {', '.join(names)}, "
                f"found {frames.shape[-1]}"
            )
        masses, charges = (frames[:, -1, :, self.layout.find(name)] for name in ("mass", "charge"))
        before, positions = np.moveaxis(frames[:, -2:, :, : self.spatial_dims], 1, 0)
        velocities = (positions - before) / self.step_spacing  # [B, N, D]
        velocities += accelerations(self.system, positions, masses, charges) * self.step_spacing / 2
        trajectories = integrate(
            self.system,
            positions,
            velocities,
            masses,
            charges,
            num_steps=(num_steps + 1) * self.integration_steps,
            time_step=self.step_spacing / self.integration_steps,
            keep_every=self.integration_steps,
        )
        return trajectories.positions[:, 1:]  # without the given frame
