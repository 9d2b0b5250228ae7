"""`[data]`: how trajectories become samples."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from socialmd.config.section import ConfigSection, Integer, PositiveInt

__all__ = ["DataConfig"]


class DataConfig(ConfigSection):
    """How trajectories become samples (thesis section 4.3).

    Args:
        subsample: every how many frames one is kept.
        num_phases: subsampled sequences made of one trajectory; they start at different frames.
        input_steps, target_steps: T frames that the model sees, and T' that it predicts.
        window_shift: kept frames from the start of one window to the start of the next.
        num_rotations: randomly rotated samples made of one window; 0 gives every window once, not
            rotated.
        reflections: whether half of the rotated samples are mirrored as well, at random: for laws
            that know no left and right.
        time_reversal: whether half of a training's samples run backwards, at random.

    Raises:
        ValueError: a value is out of its range, or there are more phases than first frames.

    Example:
        >>> DataConfig(num_rotations=0).phase_offsets
        (0, 4, 8, 12, 16)
    """

    subsample: PositiveInt = 20
    num_phases: PositiveInt = 5
    input_steps: Annotated[Integer, Field(ge=2)] = 5
    target_steps: PositiveInt = 30
    window_shift: PositiveInt = 5
    num_rotations: Annotated[Integer, Field(ge=0)] = 10
    reflections: bool = False
    time_reversal: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.num_phases > self.subsample:
            raise ValueError(
                f"num_phases: expected at most subsample = {self.subsample} different first "
                f"frames, found {self.num_phases}"
            )
        if self.reflections and not self.num_rotations:
            raise ValueError("reflections: expected rotations as well, found num_rotations = 0")
        return self

    @property
    def window(self) -> int:
        """Frames in one sample, T + T'."""
        return self.input_steps + self.target_steps

    @property
    def without_rotations(self) -> Self:
        """The same, of samples as they are stored."""
        return self.model_copy(update={"num_rotations": 0, "reflections": False})

    @property
    def phase_offsets(self) -> tuple[int, ...]:
        """First frames of the subsampled sequences, evenly spread over one subsampling step."""
        return tuple(phase * self.subsample // self.num_phases for phase in range(self.num_phases))

    @property
    def minimum_frames(self) -> int:
        """Frames that a trajectory needs for at least one window at every phase offset."""
        last_offset = (self.num_phases - 1) * self.subsample // self.num_phases
        return last_offset + (self.window - 1) * self.subsample + 1
