"""Times of frames, where files say them: at equal intervals, none twice, none missing."""

from __future__ import annotations

from collections.abc import Sequence

from socialmd.molecular.pdb_frames import PdbFrames
from socialmd.molecular.trajectory_frames import TrajectoryFrames

__all__ = ["PICOSECONDS", "SteadyTimes", "read_frame_spacing"]

PICOSECONDS = {"femtosecond": 1e-3, "picosecond": 1.0, "nanosecond": 1e3, "microsecond": 1e6}

ADVICE = (
    "remove frames that occur twice and see that none is missing (gmx trjcat, cpptraj), or ignore "
    "the times if they are wrong"
)


class SteadyTimes:
    """Checks times one after the other. Where all are the same, nobody has set them.

    Example:
        >>> times = SteadyTimes()
        >>> times.check(10.0, "x.xtc, frame 0")
        >>> times.check(20.0, "x.xtc, frame 1")
        >>> times.check(20.0, "x.xtc, frame 2")
        ValueError: x.xtc, frame 2: expected time 30 ps, found 20 ps, ...
    """

    def __init__(self) -> None:
        self._last: float | None = None
        self._spacing: float | None = None

    def check(self, time: float | None, place: str) -> None:
        """Check the time of the next frame.

        Args:
            time: in picoseconds; nothing is known without.
            place: file and frame, for messages.

        Raises:
            ValueError: it does not follow the last one as that followed the one before.
        """
        if time is not None and self._last is not None:
            step = time - self._last
            expected = self._spacing if self._spacing is not None else step
            if step < 0 or abs(step - expected) > _tolerance(expected, time):
                should = f"{self._last + expected:.9g} ps" if expected >= 0 else "a later one"
                raise ValueError(
                    f"{place}: expected time {should}, found {time:.9g} ps, after "
                    f"{self._last:.9g} ps in the frame before; {ADVICE}"
                )
            self._spacing = expected
        self._last = time


def read_frame_spacing(
    frames: PdbFrames | TrajectoryFrames, indices: Sequence[int]
) -> float | None:
    """Time from one frame to the next, from the first two frames and the last one.

    Args:
        frames: of the simulation.
        indices: of frames next to each other; of many, three are read.

    Returns:
        In picoseconds; nothing if the format has no place for times, all are the same, or there is
        but one frame.

    Raises:
        ValueError: the last frame's time is another than frames at equal intervals have.
    """
    if not frames.has_times or len(indices) < 2:
        return None
    times = [frames.read(indices[number]).time for number in (0, 1, -1)]
    first, second, last = (time or 0.0 for time in times)
    spacing = second - first
    expected = first + (len(indices) - 1) * spacing
    if spacing < 0 or abs(last - expected) > len(indices) * _tolerance(spacing, last):
        raise ValueError(
            f"{frames.place(indices[-1])}: expected time {expected:.9g} ps, {len(indices) - 1} "
            f"frames after {first:.9g} ps, {spacing:.9g} ps apart, found {last:.9g} ps; {ADVICE}"
        )
    return spacing or None


def _tolerance(spacing: float, time: float) -> float:
    """Times are stored as float32."""
    return max(1e-3 * spacing, 2.5e-7 * abs(time))
