"""Files and folders are written whole or not at all, and what was interrupted leaves nothing."""

import os
import time

import pytest
from matplotlib.figure import Figure

from socialmd.claim import FolderInUseError, claim
from socialmd.files import (
    holds_nothing,
    put_in_place,
    read_json,
    save_figure,
    unfinished_folder,
    write_atomically,
    write_json,
    write_text,
)

NAMES = ("part", "numbers", "description")


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "folder" / "file"
    write_atomically(path, lambda file: file.write(b"old"))

    def interrupted(file):
        file.write(b"new, but not all of i")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, interrupted)
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_write_one_path_do_not_meet(tmp_path):
    path = tmp_path / "file"

    def write(file):
        write_atomically(path, lambda other: other.write(b"of another process"))
        file.write(b"of this one")

    write_atomically(path, write)
    assert path.read_bytes() == b"of this one"
    assert list(tmp_path.iterdir()) == [path]


def test_of_processes_that_do_not_replace_the_first_one_succeeds(tmp_path):
    path = tmp_path / "file"

    def write(file):
        write_atomically(path, lambda other: other.write(b"of another process"), replace=False)
        file.write(b"of this one")

    with pytest.raises(FileExistsError):
        write_atomically(path, write, replace=False)
    assert path.read_bytes() == b"of another process"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    """After a power cut there would be a name of an empty file otherwise."""
    done, replace = [], os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: done.append("fsync"))
    monkeypatch.setattr(os, "replace", lambda *paths: (done.append("replace"), replace(*paths)))
    write_atomically(tmp_path / "file", lambda file: file.write(b"new"))
    assert done == ["fsync", "replace", "fsync"]  # the last one is the folder's


def test_a_link_is_kept(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_atomically(tmp_path / "link", lambda file: file.write(b"new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_what_a_killed_process_has_left_is_removed_in_time(tmp_path):
    old, new, others = (
        tmp_path / f".{name}.{32 * digit}.tmp"
        for name, digit in (("a", "0"), ("a", "1"), ("b", "0"))
    )
    for path in (old, new, others):
        path.write_bytes(b"half")
    for path in (old, others):
        os.utime(path, (time.time() - 4000,) * 2)
    write_atomically(tmp_path / "a", lambda file: file.write(b"whole"))
    assert sorted(tmp_path.iterdir()) == sorted([new, others, tmp_path / "a"])


def test_texts_are_in_utf8_and_numbers_in_json_finite(tmp_path):
    write_text(tmp_path / "text", "Å\n")
    assert (tmp_path / "text").read_bytes() == "Å\n".encode()
    write_json(tmp_path / "numbers", {"a": [1, 0.5]})
    assert (tmp_path / "numbers").read_bytes() == b'{\n  "a": [\n    1,\n    0.5\n  ]\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "numbers", {"a": float("nan")})
    assert read_json(tmp_path / "numbers") == {"a": [1, 0.5]}
    with pytest.raises(ValueError, match="text: expected JSON, found none"):
        read_json(tmp_path / "text")


def test_figures_show_names_with_dollars_and_the_units_of_the_data(tmp_path):
    """A single dollar begins no formula, and neither do two; ticks may have formulas."""
    figure = Figure()
    ax = figure.subplots()
    ax.plot([1, 1000], [1, 1000], label="run$1")
    ax.set(title="$HOME and $PATH_", xlabel="error (length units)", xscale="log")
    ax.legend()
    save_figure(figure, tmp_path / "a.png", lambda text: text.replace("length units", "pixels"))
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert ax.get_title() == "$HOME and $PATH_"
    assert ax.get_xlabel() == "error (pixels)"
    assert not ax.title.get_parse_math()
    [label] = ax.get_legend().get_texts()
    assert not label.get_parse_math()
    ticks = [tick for tick in ax.get_xticklabels() if "mathdefault" in tick.get_text()]
    assert ticks
    assert all(tick.get_parse_math() for tick in ticks)


# === Folders ===


def write(folder, *names):
    for name in names:
        if name == "part":
            (folder / name).mkdir()
            (folder / name / "a").write_text("new")
        else:
            (folder / name).write_text("new")


def listing(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("exists", [False, True])
def test_all_files_of_a_folder_take_their_places_together(tmp_path, exists):
    if exists:
        (tmp_path / "new").mkdir()
    with unfinished_folder(tmp_path / "new") as folder:
        write(folder, *NAMES)
        assert listing(tmp_path / "new") == sorted(
            [".lock", ".unfinished", *(f".unfinished/{name}" for name in (*NAMES, "part/a"))]
        )
        put_in_place(folder, NAMES)
    assert listing(tmp_path) == ["new", *(f"new/{n}" for n in sorted((*NAMES, "part/a")))]


def test_what_is_not_written_this_time_is_removed(tmp_path):
    write(tmp_path, *NAMES, "mine")
    (tmp_path / "part/b").write_text("old")
    with unfinished_folder(tmp_path) as folder:
        write(folder, "part", "description")
        put_in_place(folder, NAMES)
    assert listing(tmp_path) == ["description", "mine", "part", "part/a"]


def test_without_the_last_word_nothing_changes(tmp_path):
    write(tmp_path, *NAMES)
    with unfinished_folder(tmp_path) as folder:
        (folder / "numbers").write_text("half")
    assert listing(tmp_path) == sorted((*NAMES, "part/a"))
    assert (tmp_path / "numbers").read_text() == "new"
    with pytest.raises(KeyboardInterrupt), unfinished_folder(tmp_path / "new") as folder:
        raise KeyboardInterrupt
    assert not (tmp_path / "new").exists()


def test_what_makes_a_folder_complete_goes_first_and_comes_last(tmp_path, monkeypatch):
    write(tmp_path, *NAMES)
    replace, seen = os.replace, []

    def slowly(source, target):
        seen.append((target.name, (tmp_path / "description").exists()))
        replace(source, target)

    monkeypatch.setattr(os, "replace", slowly)
    with unfinished_folder(tmp_path) as folder:
        write(folder, *NAMES)
        put_in_place(folder, NAMES)
    assert seen == [(name, False) for name in NAMES]


def test_an_interruption_between_files_leaves_no_mixture(tmp_path, monkeypatch):
    """Nothing of what was there stays beside something new."""
    write(tmp_path, *NAMES)
    replace = os.replace

    def interrupted(source, target):
        if target.name == "numbers":
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt), unfinished_folder(tmp_path) as folder:
            write_and_put_in_place(folder)
    assert listing(tmp_path) == ["part", "part/a"]


def write_and_put_in_place(folder):
    write(folder, *NAMES)
    put_in_place(folder, NAMES)


def test_a_folder_holds_nothing_until_something_is_in_place(tmp_path):
    assert holds_nothing(tmp_path / "new")
    assert holds_nothing(tmp_path)
    with unfinished_folder(tmp_path) as folder:
        write(folder, *NAMES)
        assert holds_nothing(tmp_path)
        put_in_place(folder, NAMES)
    assert not holds_nothing(tmp_path)


def test_what_a_killed_process_has_left_is_not_used(tmp_path):
    (tmp_path / ".unfinished").mkdir()
    (tmp_path / ".unfinished/numbers").write_text("half")
    with unfinished_folder(tmp_path) as folder:
        assert listing(folder) == []
    assert listing(tmp_path) == []


@pytest.mark.parametrize("name", ["file", "file/below", "/proc/output"])
def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=name), unfinished_folder(tmp_path / name):
        pytest.fail("work has begun")


def test_one_process_at_a_time(tmp_path):
    with (
        claim(tmp_path),
        pytest.raises(FolderInUseError, match="is in use by process"),
        unfinished_folder(tmp_path),
    ):
        pytest.fail("work has begun")
