"""What comes with the package is found by name, and what users have by path."""

from pathlib import Path

import pytest

from socialmd.presets import find_configuration, find_model

ROOT = Path(__file__).parents[1]
FINDERS = pytest.mark.parametrize(
    ("find", "name", "path"),
    [
        (find_configuration, "thesis", ROOT / "models" / "thesis.toml"),
        (find_model, "interaction", ROOT / "saved_models" / "interaction"),
    ],
)


@FINDERS
def test_names_are_those_of_files(find, name, path):
    assert find(name) == path
    assert path.exists()


@FINDERS
def test_paths_are_left_as_they_are(find, name, path):
    for given in (path, f"nowhere/{name}", f"{name}.toml", f"{name}.keras", "."):
        assert find(given) == Path(given)


@FINDERS
def test_unknown_names_are_told_what_there_is(find, name, path):
    with pytest.raises(FileNotFoundError, match=rf"^intraction: expected .*\b{name}\b.* neither$"):
        find("intraction")


@FINDERS
def test_what_the_user_has_goes_before(find, name, path, tmp_path, monkeypatch):
    (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert find(name) == Path(name)


def test_a_folder_is_no_configuration(tmp_path, monkeypatch):
    """As one of data or of a run may be called."""
    (tmp_path / "thesis").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_configuration("thesis") == ROOT / "models" / "thesis.toml"
