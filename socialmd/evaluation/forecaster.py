"""The protocol of whatever forecasts: trained models, and the baselines beside them."""

from __future__ import annotations

from typing import Protocol

from socialmd.types import Array, Inputs

__all__ = ["Forecaster"]


class Forecaster(Protocol):
    """Something that continues trajectories of particles.

    Attributes:
        point_feedback: what it feeds back for a forecast that stands for all; none if nothing can
            be chosen.

    Example:
        >>> forecasters = {"model": load("acceleration"), "straight on": ConstantVelocity()}
        >>> {name: each.rollout(inputs, 30)[0] for name, each in forecasters.items()}
    """

    @property
    def point_feedback(self) -> str | None: ...

    def rollout(
        self,
        inputs: Inputs,
        num_steps: int,
        feedback: str | None = None,
        seed: int | None = None,
        *,
        progress: str | None = None,
    ) -> tuple[Array, Array | None]:
        """Forecast any number of windows.

        Args:
            inputs: [B, T, N, F], or a dictionary of such `"inputs"` and of a `"mask"`, bool [B, N].
            num_steps: steps ahead.
            feedback, seed, progress: as for models; without meaning for most baselines.

        Returns:
            Positions [B, num_steps, N, D], and parameters [B, num_steps, N, P] of their
            distributions if it predicts any.
        """
