import argparse

import pytest

from socialmd.commands.command_line import number_of_samples, positive_integer, shard, typed_command
from socialmd.shard import Shard


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("30", 30)])
def test_positive_integers_pass(text, number):
    assert positive_integer(text) == number


@pytest.mark.parametrize("text", ["0", "-3"])
def test_other_integers_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"positive integer, found {text}"):
        positive_integer(text)


def test_no_sample_or_several_pass():
    assert [number_of_samples(text) for text in ("0", "2", "20")] == [0, 2, 20]


@pytest.mark.parametrize("text", ["1", "-2"])
def test_one_sample_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"0, or at least 2, found {text}"):
        number_of_samples(text)


@pytest.mark.parametrize("convert", [positive_integer, number_of_samples])
def test_what_is_no_number_is_refused(convert):
    with pytest.raises(ValueError, match="some"):
        convert("some")


def test_shards_pass():
    assert [shard(text) for text in ("1/1", "1/4", "4/4")] == [Shard(), Shard(1, 4), Shard(4, 4)]


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "0/0"])
def test_shards_that_do_not_exist_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"1/n to n/n, as 2/4, found {text}"):
        shard(text)


@pytest.mark.parametrize(
    "text",
    ["", "1", "/", "1/", "/4", "1/2/3", "-1/4", "+1/4", "1.0/4", " 1/4", "1/4\n", "one/4", "²/4"],
)
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected i/n, as 2/4, found '"):
        shard(text)


def test_a_command_says_nothing_of_this_machine(tmp_path):
    words = ["runs/mine", str(tmp_path / "data" / "monopoles"), "--split", "validation", "a b"]
    expected = "socialmd evaluate runs/mine monopoles --split validation 'a b'"
    assert typed_command("evaluate", words) == expected
