import pytest

from socialmd.molecular.split_frames import Part, split_frames


def test_one_simulation_is_cut_in_time():
    assert split_frames([300]) == [
        Part("train", 0, 0, 210),
        Part("validation", 0, 210, 255),
        Part("test", 0, 255, 300),
    ]
    assert split_frames([10], (3, 1, 1)) == [
        Part("train", 0, 0, 6),
        Part("validation", 0, 6, 8),
        Part("test", 0, 8, 10),
    ]


def test_several_simulations_stay_whole_and_in_order():
    parts = split_frames([300] * 7 + [50] * 3, (70, 30, 0))
    assert [part.split for part in parts] == ["train"] * 7 + ["validation"] * 3
    assert [part.simulation for part in parts] == list(range(10))
    assert [(part.start, part.stop) for part in parts[5:9]] == [(0, 300)] * 2 + [(0, 50)] * 2


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((70, 30, 0), [2, 1, 0]),
        ((98, 1, 1), [1, 1, 1]),
        ((0, 0, 1), [0, 0, 3]),
        ((0.5, 0, 0.5), [2, 0, 1]),
        ((1, 99, 0), [1, 2, 0]),
    ],
)
def test_three_simulations_fill_every_split_that_has_a_share(shares, expected):
    parts = split_frames([5, 5, 5], shares)
    counts = [sum(p.split == split for p in parts) for split in ("train", "validation", "test")]
    assert counts == expected


@pytest.mark.parametrize("num_frames", [[3], [7], [100], [4, 4, 4], [9] * 7])
@pytest.mark.parametrize("shares", [(70, 30, 0), (1, 1, 1), (80, 10, 10), (1, 0, 0), (1, 0, 9)])
def test_every_frame_is_in_exactly_one_split(num_frames, shares):
    parts = split_frames(num_frames, shares)
    frames = [(p.simulation, frame) for p in parts for frame in range(p.start, p.stop)]
    assert sorted(frames) == [(s, f) for s, count in enumerate(num_frames) for f in range(count)]
    assert {p.split for p in parts} == {
        split for split, share in zip(("train", "validation", "test"), shares, strict=True) if share
    }


@pytest.mark.parametrize("total", [10, 33, 300])
@pytest.mark.parametrize("shares", [(7, 3, 0), (6, 2, 2)])
def test_counts_are_within_one_of_their_shares(total, shares):
    for part in split_frames([total], shares):
        share = shares[("train", "validation", "test").index(part.split)]
        assert abs(part.stop - part.start - total * share / 10) <= 1


@pytest.mark.parametrize(
    ("num_frames", "shares", "message"),
    [
        ([], (70, 30, 0), "num_frames: expected simulations of at least one frame"),
        ([5, 0], (70, 30, 0), r"num_frames: .* found \[5, 0\]"),
        ([5, 5], (1, 1, 1), "as many simulations as there are splits.* train, validation, test"),
        ([5, 4, 3], (2, 1, 0), r"in all simulations of train, found \[4, 5\]; use the first 3"),
        ([1], (70, 30, 0), "as many frames as there are splits.* found 1"),
        ([5], (70, 30), "shares: expected one of train, validation, test each"),
        ([5], (70, -1, 0), "shares: .* zero or more"),
        ([5], (70, float("nan"), 0), "shares: .* zero or more"),
        ([5], (0, 0, 0), "shares: expected some that are not zero"),
    ],
)
def test_impossible_splits_are_named(num_frames, shares, message):
    with pytest.raises(ValueError, match=message):
        split_frames(num_frames, shares)
