"""Forecasts that stand beside trained models: their base, and the register of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from socialmd.data import DatasetDescription
from socialmd.data.masked_inputs import unpack
from socialmd.evaluation.checks import NotPossibleError
from socialmd.periodic_box import unwrap
from socialmd.pose_space import PoseSpace
from socialmd.types import FloatArray, Inputs

__all__ = [
    "BASELINES",
    "Baseline",
    "KnownData",
    "baseline_names",
    "check_frames",
    "make_baselines",
    "register_baseline",
]


class KnownData(NamedTuple):
    """Facts of a data set, as far as there are any and a baseline may know them.

    Args:
        num_steps: T', steps ahead that will be asked for.
        spatial_dims: D, how many of the features are coordinates.
        training_split: batches of inputs [B, T, N, F] and targets [B, T', N, D], to fit to.
        description: of the data set; names the law of motion, say.
        spacing: time from one step to the next.
    """

    num_steps: int
    spatial_dims: int = 2
    training_split: Iterable[Any] | None = None
    description: DatasetDescription | None = None
    spacing: float = 1.0

    @property
    def orientation(self) -> list[int]:
        """Columns of the unit vector that is to be forecast, if there is one."""
        if self.description is None:
            return []
        return self.description.layout.given.orientation

    def require_training_split(self) -> Iterable[Any]:
        """What to fit to, or a NotPossibleError."""
        if self.training_split is None:
            raise NotPossibleError("the data set has no training split to fit it to")
        return self.training_split


class Baseline(ABC):
    """A forecast that learns nothing or nearly nothing, or knows what has to be learned.

    As a `Forecaster`, it is used as a model is. One of your own takes part in every evaluation once
    it is registered; `socialmd evaluate ... --import my_module` imports the module that does so.

    Attributes:
        name: in tables and figures.
        is_rival: whether a model has to beat it; not one that knows what the model has to learn.

    Args:
        spatial_dims: D, how many of the features are coordinates.
        orientation: columns of a unit vector that is forecast as well; none by default. Not all
            baselines do.

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

    def __init__(self, spatial_dims: int = 2, orientation: Sequence[int] = ()) -> None:
        self.spatial_dims = spatial_dims
        self.orientation = list(orientation)

    @classmethod
    def for_data(cls, data: KnownData) -> Self:
        """The baseline for data of which something is known.

        Raises:
            NotPossibleError: it cannot be made of that; the message says why.
        """
        if not data.orientation:
            return cls(data.spatial_dims)
        return cls(data.spatial_dims, data.orientation)

    @property
    def poses(self) -> PoseSpace:
        """The space of what is forecast: positions, or poses."""
        return PoseSpace(self.spatial_dims, bool(self.orientation))

    def read_poses(self, frames: FloatArray) -> FloatArray:
        """Positions of frames [B, T, N, F], and unit vectors if there are any: [B, T, N, 2 D]."""
        turned = frames[..., self.orientation]
        return np.concatenate([frames[..., : self.spatial_dims], turned], axis=-1)

    def rollout(
        self,
        inputs: Inputs,
        num_steps: int,
        feedback: str | None = None,
        seed: int | None = None,
        *,
        progress: str | None = None,
    ) -> tuple[FloatArray, None]:
        """Forecast any number of windows, T >= 2 (see `Forecaster`); masks change nothing.

        Raises:
            ValueError: inputs are of another shape or not finite, or `num_steps` is not positive.
        """
        frames, _, box = unpack(inputs)
        frames = check_frames(frames, num_steps)
        if box is not None:
            vectors = np.asarray(box, np.float64)
            if vectors.ndim == 3:
                vectors = np.repeat(vectors[:, None], frames.shape[1], axis=1)
            dims = self.spatial_dims
            places = unwrap(frames[..., :dims], vectors)
            frames = np.concatenate([places, frames[..., dims:]], axis=-1)
        return self.forecast(frames, num_steps), None

    @abstractmethod
    def forecast(self, frames: FloatArray, num_steps: int) -> FloatArray:
        """Positions [B, num_steps, N, D], or poses, that follow finite frames [B, T >= 2, N, F]."""


B = TypeVar("B", bound=type[Baseline])

BASELINES: dict[str, type[Baseline]] = {}


def register_baseline(cls: B) -> B:
    """Have a baseline, a class, take part in evaluations.

    Raises:
        ValueError: another one has its name.
    """
    taken = BASELINES.get(cls.name, cls)
    if (taken.__module__, taken.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(f"name: expected one that is not taken, found {cls.name!r}")
    BASELINES[cls.name] = cls  # which may be the same, defined again
    return cls


def baseline_names() -> tuple[str, ...]:
    """All that are registered: first those that a model has to beat."""
    return tuple(sorted(BASELINES, key=lambda name: not BASELINES[name].is_rival))


def make_baselines(
    data: KnownData, rivals_only: bool = False
) -> tuple[dict[str, Baseline], dict[str, str]]:
    """Make every baseline that is registered, as far as it is possible.

    Args:
        data: what is known of them.
        rivals_only: whether to leave out those that a model need not beat.

    Returns:
        The baselines by name, and the reasons for those that are left out.

    Example:
        >>> train = make_dataset("data/monopoles/train", config.data, batch_size=256)
        >>> baselines, left_out = make_baselines(KnownData(30, training_split=train))
        >>> list(baselines)
        ['constant position', 'constant velocity', 'linear autoregression']
        >>> left_out
        {'Langevin dynamics': 'the data set is not one of molecules',
         'known law': 'the data set names no law of motion'}
    """
    made: dict[str, Baseline] = {}
    left_out = {}
    for name in baseline_names():
        if rivals_only and not BASELINES[name].is_rival:
            continue
        try:
            made[name] = BASELINES[name].for_data(data)
        except NotPossibleError as reason:
            left_out[name] = str(reason)
    return made, left_out


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
