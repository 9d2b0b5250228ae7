"""The law of motion that made the data, integrated from what is seen."""

from __future__ import annotations

from typing import Self

from socialmd.config import ManyBodySystem
from socialmd.evaluation.baselines.baseline import Baseline, KnownData, register_baseline
from socialmd.evaluation.checks import NotPossibleError
from socialmd.simulation import FEATURES_OF_LAW, accelerations, integrate, law_of
from socialmd.types import FloatArray

__all__ = ["KnownLaw"]


@register_baseline
class KnownLaw(Baseline):
    """The true law of motion, from the last positions and velocities estimated for them.

    The last displacement is the velocity half a step ago; the law itself says how it went on:

        v_t = (x_t - x_(t-1)) / dt + a(x_t) dt / 2

    Inputs have the features x, y, mass and charge.

    Args:
        system: constants of the law.
        step_spacing: time from one step to the next.
        integration_steps: velocity Verlet steps for one step of the forecast. With the default
            data and `subsample = 20`, 2000 of them are time steps of 1e-6.

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
        self, system: ManyBodySystem, step_spacing: float, integration_steps: int = 2000
    ) -> None:
        super().__init__()
        if not step_spacing > 0 or integration_steps < 1:
            raise ValueError(
                "step_spacing, integration_steps: expected positive numbers, found "
                f"{step_spacing}, {integration_steps}"
            )
        self.system = system
        self.step_spacing = step_spacing
        self.integration_steps = integration_steps

    @classmethod
    def for_data(cls, data: KnownData) -> Self:
        if data.description is None or data.description.law is None:
            raise NotPossibleError("the data set names no law of motion")
        law = law_of(data.description)
        if law is None:
            raise NotPossibleError(f"the law needs the features {', '.join(FEATURES_OF_LAW)}")
        return cls(law, data.spacing)

    def forecast(self, frames: FloatArray, num_steps: int) -> FloatArray:
        if frames.shape[-1] != 4:
            raise ValueError(
                f"inputs: expected the 4 features x, y, mass, charge, found {frames.shape[-1]}"
            )
        positions, masses, charges = frames[:, -1, :, :2], frames[:, -1, :, 2], frames[:, -1, :, 3]
        velocities = (positions - frames[:, -2, :, :2]) / self.step_spacing  # [B, N, 2]
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
