"""Frames that train, validate and test a model: none does two of these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from socialmd.data.dataset_description import SPLITS

__all__ = ["Part", "split_frames"]


class Part(NamedTuple):
    """Frames `start` to `stop`, the latter excluded, of a simulation, which is known by number."""

    split: str
    simulation: int
    start: int
    stop: int


def split_frames(num_frames: Sequence[int], shares: Sequence[float] = (70, 15, 15)) -> list[Part]:
    """Divide simulations into training, validation and test parts that share no frame.

    A model's windows overlap, so that frames are not dealt out one by one: windows of one split
    would contain frames of another. Several simulations are dealt out whole, in the order given. A
    single one is cut in time: its beginning trains, what follows validates and tests.

    Args:
        num_frames: frames of each simulation.
        shares: of training, validation and test, in any unit. Each that is not zero gets at least
            one simulation (or frame).

    Returns:
        The parts, ordered by split and then by simulation or time.

    Raises:
        ValueError: there is no simulation, one has no frame, shares are not three numbers of which
            one is positive and none negative, there are too few simulations for them, or those of
            one split have different numbers of frames, which the input pipeline does not read.

    Example:
        >>> split_frames([300])
        [Part(split='train', simulation=0, start=0, stop=210),
         Part(split='validation', simulation=0, start=210, stop=255),
         Part(split='test', simulation=0, start=255, stop=300)]
    """
    if not num_frames or min(num_frames) < 1:
        raise ValueError(
            f"num_frames: expected simulations of at least one frame, found {list(num_frames)}"
        )
    if len(shares) != len(SPLITS) or not all(0 <= share < math.inf for share in shares):
        raise ValueError(
            f"shares: expected one of {', '.join(SPLITS)} each, zero or more, found {list(shares)}"
        )
    if not any(shares):
        raise ValueError(f"shares: expected some that are not zero, found {list(shares)}")
    if len(num_frames) > 1:
        splits = _deal("simulations", len(num_frames), shares)
        _check_lengths(splits, num_frames)
        return [Part(split, index, 0, num_frames[index]) for index, split in enumerate(splits)]
    splits = _deal("frames", num_frames[0], shares)
    return [
        Part(split, 0, splits.index(split), splits.index(split) + splits.count(split))
        for split in SPLITS
        if split in splits
    ]


def _deal(things: str, total: int, shares: Sequence[float]) -> list[str]:
    """The split of each simulation or frame: one for each share, the rest where most is missing."""
    wanted = {
        split: total * (share / sum(shares))
        for split, share in zip(SPLITS, shares, strict=True)
        if share
    }
    if total < len(wanted):
        raise ValueError(
            f"shares: expected at least as many {things} as there are splits, one each for "
            f"{', '.join(wanted)}, found {total}; a share of 0 leaves a split out"
        )
    counts = dict.fromkeys(wanted, 1)
    for _ in range(total - len(wanted)):
        counts[max(wanted, key=lambda split: wanted[split] - counts[split])] += 1
    return [split for split, count in counts.items() for _ in range(count)]


def _check_lengths(splits: Sequence[str], num_frames: Sequence[int]) -> None:
    for split in SPLITS:
        lengths = {n for s, n in zip(splits, num_frames, strict=True) if s == split}
        if len(lengths) > 1:
            raise ValueError(
                f"num_frames: expected as many in all simulations of {split}, "
                f"found {sorted(lengths)}; use the first {min(num_frames)} of each"
            )
