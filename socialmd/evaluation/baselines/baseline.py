"""The base of forecasts that stand beside trained models, and the register of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from socialmd.data.masked_inputs import unpack
from socialmd.evaluation.baselines.known_data import KnownData
from socialmd.types import FloatArray, Inputs

__all__ = ["BASELINES", "Baseline", "baseline_names", "check_frames", "register_baseline"]


class Baseline(ABC):
    """A forecast that learns nothing or nearly nothing, or knows what has to be learned.

    As a `Forecaster`, it is used as a model is. One of your own takes part in every evaluation once
    it is registered; `socialmd evaluate ... --import my_module` imports the module that does so.

    Attributes:
        name: in tables and figures.
        is_rival: whether a model has to beat it; not one that knows what the model has to learn.

    Args:
        spatial_dims: D, how many of the features are coordinates.

    Example:
        >>> @register_baseline
        ... class Mirrored(Baseline):
        ...     name = "mirrored"
        ...
        ...     def forecast(self, frames, num_steps):
        ...         return -np.repeat(frames[:, -1:, :, : self.spatial_dims], num_steps, axis=1)
    """

    name: ClassVar[str]
    is_rival: ClassVar[bool] = True
    point_feedback: ClassVar[str | None] = None

    def __init__(self, spatial_dims: int = 2) -> None:
        self.spatial_dims = spatial_dims

    @classmethod
    def for_data(cls, data: KnownData) -> Self:
        """The baseline as it is for some data.

        Args:
            data: what is known of them.

        Raises:
            NotPossibleError: it cannot be made of what is known; the message says why.
        """
        return cls(data.spatial_dims)

    def rollout(
        self,
        inputs: Inputs,
        num_steps: int,
        feedback: str | None = None,
        seed: int | None = None,
        *,
        progress: str | None = None,
    ) -> tuple[FloatArray, None]:
        """Forecast any number of windows (see `Forecaster`).

        Args:
            inputs: [B, T, N, F] with T >= 2, or a dictionary with a mask, which changes nothing.
            num_steps: steps ahead.
            feedback, seed, progress: without meaning.

        Returns:
            Positions [B, num_steps, N, D] in float64, and no parameters.

        Raises:
            ValueError: inputs are of another shape or not finite, or `num_steps` is not positive.
        """
        return self.forecast(check_frames(unpack(inputs)[0], num_steps), num_steps), None

    @abstractmethod
    def forecast(self, frames: FloatArray, num_steps: int) -> FloatArray:
        """Continue frames that have been checked.

        Args:
            frames: finite, [B, T, N, F] with T >= 2, coordinates first.
            num_steps: steps ahead, at least one.

        Returns:
            Positions [B, num_steps, N, D].
        """


B = TypeVar("B", bound=type[Baseline])

BASELINES: dict[str, type[Baseline]] = {}


def register_baseline(cls: B) -> B:
    """Have a baseline take part in evaluations.

    Args:
        cls: the class.

    Returns:
        The class itself.

    Raises:
        ValueError: another one has its name.
    """
    if BASELINES.setdefault(cls.name, cls) is not cls:
        raise ValueError(f"name: expected one that is not taken, found {cls.name!r}")
    return cls


def baseline_names() -> tuple[str, ...]:
    """All that are registered: first those that a model has to beat."""
    return tuple(sorted(BASELINES, key=lambda name: not BASELINES[name].is_rival))


def check_frames(inputs: ArrayLike, num_steps: int) -> FloatArray:
    """Inputs [B, T, N, F] in float64, or a ValueError if they cannot be continued."""
    frames = np.asarray(inputs, np.float64)
    if frames.ndim != 4 or frames.shape[1] < 2 or frames.shape[3] < 2:
        raise ValueError(
            "inputs: expected [batch, steps, particles, features] with at least two steps and "
            f"x and y as the first features, found shape {frames.shape}"
        )
    if not np.isfinite(frames).all():
        raise ValueError("inputs: expected finite numbers, found some that are not")
    if num_steps < 1:
        raise ValueError(f"num_steps: expected at least 1, found {num_steps}")
    return frames
