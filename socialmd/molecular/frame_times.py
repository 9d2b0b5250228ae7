"""Times of frames, where files say them: at equal intervals, none twice, none missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from socialmd.molecular.follow_atoms import FollowedFrame
from socialmd.molecular.pdb_frames import PdbFrames
from socialmd.molecular.trajectory_frames import TrajectoryFrames

__all__ = ["PICOSECONDS", "at_equal_intervals", "read_frame_spacing"]

PICOSECONDS = {"femtosecond": 1e-3, "picosecond": 1.0, "nanosecond": 1e3, "microsecond": 1e6}

ADVICE = (
    "remove frames that occur twice and see that none is missing (gmx trjcat, cpptraj), or ignore "
    "the times if they are wrong"
)


def at_equal_intervals(
    frames: Iterable[FollowedFrame], places: Sequence[str]
) -> Iterator[FollowedFrame]:
    """The frames, until one does not follow the last one as that followed the one before.

    Where all times are the same, nobody has set them. `places` say what each frame is called.
    """
    last: float | None = None
    spacing: float | None = None
    for frame, place in zip(frames, places, strict=True):
        time = frame.time
        if time is not None and last is not None:
            step = time - last
            spacing = step if spacing is None else spacing
            if step < 0 or abs(step - spacing) > _tolerance(spacing, time):
                should = f"{last + spacing:.9g} ps" if spacing >= 0 else "a later one"
                raise ValueError(
                    f"{place}: expected time {should}, found {time:.9g} ps, after {last:.9g} ps in "
                    f"the frame before; {ADVICE}"
                )
        last = time
        yield frame


def read_frame_spacing(
    frames: PdbFrames | TrajectoryFrames, indices: Sequence[int]
) -> float | None:
    """Time from one frame to the next in picoseconds, from the first two and the last of these.

    Nothing if the format has no place for times, all are the same, or there is but one frame. A
    last frame whose time is another than frames at equal intervals have is refused.
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
