import pytest

from socialmd.shard import Shard


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_every_number_is_taken_by_one_shard_and_the_work_is_even(count):
    shards = [Shard(index, count) for index in range(1, count + 1)]
    taken = [[number for number in range(13) if shard.takes(number)] for shard in shards]
    assert sorted(number for numbers in taken for number in numbers) == list(range(13))
    assert max(map(len, taken)) - min(map(len, taken)) <= 1


def test_shards_are_counted_from_one():
    assert Shard(1, 4).takes(0)
    assert Shard(4, 4).takes(3)
    assert str(Shard(3, 4)) == "3/4"


def test_the_only_shard_takes_everything():
    assert all(Shard().takes(number) for number in range(5))


@pytest.mark.parametrize(("index", "count"), [(0, 4), (5, 4), (1, 0), (-1, 4), (0, 0)])
def test_shards_that_do_not_exist_are_refused(index, count):
    with pytest.raises(ValueError, match=f"from 1/n to n/n, as 2/4, found {index}/{count}"):
        Shard(index, count)
