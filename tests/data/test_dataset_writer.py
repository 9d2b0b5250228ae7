"""What all data sets are written by; see also the tests of those who write one."""

import numpy as np
import pytest

from socialmd.data.dataset_writer import DatasetWriter, allow_for_others, check_recipe

RECIPE = {"law": {"k": 2.0}, "simulation": {"seed": 0, "box": (1, 2)}}
DESCRIPTION = {**RECIPE, "features": ("x", "y"), "frame_spacing": 0.5}
ARRAYS = {f"{split}/a.npy": np.full((4, 2, 2), len(split)) for split in ("train", "test")}


def listing(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_all_at_once_and_file_by_file_come_to_the_same(tmp_path):
    at_once = DatasetWriter(tmp_path / "a", RECIPE)
    assert not at_once.check()
    assert at_once.write(ARRAYS, **DESCRIPTION)
    by_file = DatasetWriter(tmp_path / "b", RECIPE, tuple(ARRAYS))
    assert not by_file.check()
    by_file.begin(is_alone=True)
    for name, array in ARRAYS.items():
        assert name in by_file.missing()
        by_file.save(name, array)
        assert not by_file.check()
    by_file.complete(**DESCRIPTION)
    assert listing(tmp_path / "a") == listing(tmp_path / "b") == ["dataset.json", *sorted(ARRAYS)]
    for name in listing(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    for folder in (tmp_path / "a", tmp_path / "b"):
        assert DatasetWriter(folder, RECIPE).check()
        assert DatasetWriter(folder, RECIPE, tuple(ARRAYS)).check()


def test_each_way_refuses_what_the_other_has_begun(tmp_path):
    DatasetWriter(tmp_path, RECIPE, tuple(ARRAYS)).begin(is_alone=True)
    other = DatasetWriter(tmp_path, {"settings": {"step": 1}})
    with pytest.raises(ValueError, match=r"unfinished\.json: .* settings\.step: expected 1, found"):
        other.write(ARRAYS, **DESCRIPTION)
    assert listing(tmp_path) == ["unfinished.json"]
    unfinished = tmp_path / "b/.unfinished/train/a.npy"
    unfinished.parent.mkdir(parents=True)
    unfinished.touch()
    with pytest.raises(ValueError, match=r"another origin, found .*\.unfinished/train/a\.npy"):
        DatasetWriter(tmp_path / "b", RECIPE, tuple(ARRAYS)).check()


def test_a_file_that_nobody_has_written_is_an_error(tmp_path):
    (tmp_path / "there").touch()
    with allow_for_others(tmp_path / "there"):
        raise FileNotFoundError
    with pytest.raises(FileNotFoundError), allow_for_others(tmp_path / "absent"):
        raise FileNotFoundError


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"simulation": {"seed": 1, "box": [1, 3]}}, r"simulation\.seed: expected 0, found 1;"),
        ({"simulation": {"seed": 0, "box": [1, 3]}}, r"simulation\.box: .*\[1, 2\], .*\[1, 3\];"),
        ({"simulation": {"seed": 0, "box": [1, 2], "n": 4}}, r"simulation\.n: .*None, found 4;"),
        ({"law": None}, r"law\.k: expected 2\.0, found None;"),
        ([], r"law\.k: expected 2\.0, found None;"),
    ],
)
def test_the_first_key_that_differs_is_named(tmp_path, found, message):
    path = tmp_path / "recipe.json"
    with pytest.raises(ValueError, match=rf"recipe\.json: made otherwise: {message}"):
        check_recipe(path, {"law": {"k": 2.0}} | found if found else found, RECIPE)


def test_tuples_are_lists_in_json_and_nothing_is_none(tmp_path):
    found = {"simulation": {"box": [1, 2], "seed": 0}, "law": {"k": 2.0}}
    check_recipe(tmp_path, found, {**RECIPE, "settings": None})
