"""Length of a drug carrier's simulation, and the states that are kept."""

from __future__ import annotations

import dataclasses

__all__ = ["Schedule"]


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Steps and frames of one simulation.

    One frame stands for a nanosecond of the simulations that the thesis analyses. With the defaults
    heads move by about an angstrom from one to the next, fluctuations die away within some twenty,
    and after the switch drugs take about a hundred to settle closer to the core.

    Args:
        num_frames: frames to keep.
        switch_frame: frames before the core starts to attract drugs; `None` for never, 0 for the
            equilibration already.
        steps_per_frame: time steps from one frame to the next.
        equilibration_steps: time steps before the first frame, in which stretched ligands relax.

    Raises:
        ValueError: a number is out of its range.

    Example:
        >>> Schedule(num_frames=100, switch_frame=None).steps_per_frame
        50
    """

    num_frames: int = 300
    switch_frame: int | None = 60
    steps_per_frame: int = 50
    equilibration_steps: int = 20_000

    def __post_init__(self) -> None:
        for name, least in (("num_frames", 1), ("steps_per_frame", 1), ("equilibration_steps", 0)):
            if not isinstance(value := getattr(self, name), int) or value < least:
                raise ValueError(f"{name}: expected an integer of {least} or more, found {value!r}")
        frame = self.switch_frame
        if frame is not None and not (isinstance(frame, int) and 0 <= frame < self.num_frames):
            raise ValueError(
                f"switch_frame: expected None or an integer from 0 to {self.num_frames - 1}, as "
                f"there are {self.num_frames} frames, found {frame!r}"
            )
