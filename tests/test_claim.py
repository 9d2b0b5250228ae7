"""One process at a time, which may be killed: real processes claim a folder."""

import multiprocessing
import os
import socket

import pytest

from socialmd.claim import FolderInUseError, claim

PROCESSES = multiprocessing.get_context("spawn")


def hold(folder, has_claimed, may_end):
    with claim(folder):
        (folder / f".file.{32 * 'a'}.tmp").write_text("half")
        has_claimed.set()
        may_end.wait()


@pytest.fixture
def holder(tmp_path):
    """A process that has claimed the folder `mine`, and is killed at the end."""
    has_claimed, may_end = PROCESSES.Event(), PROCESSES.Event()
    process = PROCESSES.Process(target=hold, args=(tmp_path / "mine", has_claimed, may_end))
    process.start()
    assert has_claimed.wait(60)
    yield process
    process.kill()
    process.join()


def test_another_process_is_refused_and_told_who_holds_the_folder(tmp_path, holder):
    message = rf"mine: it is in use by process {holder.pid} on {socket.gethostname()}, since 20"
    with pytest.raises(FolderInUseError, match=message), claim(tmp_path / "mine"):
        pytest.fail("both have it")
    with claim(tmp_path / "mine", name="worker1"):  # a part of the work is another matter
        pass


def test_a_killed_process_holds_nothing_and_leaves_nothing(tmp_path, holder):
    holder.kill()
    holder.join()
    assert len(list((tmp_path / "mine").iterdir())) == 2
    (tmp_path / "mine/.notes.tmp").write_text("mine")
    with claim(tmp_path / "mine"):
        names = sorted(path.name for path in (tmp_path / "mine").iterdir())
        assert names == [".lock", ".notes.tmp"]
        assert str(os.getpid()) in (tmp_path / "mine/.lock").read_text()
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [".notes.tmp"]


def test_files_that_others_write_in_folders_below_stay(tmp_path):
    """An evaluation beside a training, say; or a training below a folder for forecasts."""
    (tmp_path / "evaluation").mkdir()
    written = tmp_path / "evaluation" / f".metrics.json.{32 * 'a'}.tmp"
    written.write_text("half")
    with claim(tmp_path):
        pass
    assert written.exists()


def test_a_folder_of_which_nothing_comes_is_removed(tmp_path):
    with pytest.raises(KeyboardInterrupt), claim(tmp_path / "new"):
        raise KeyboardInterrupt
    assert not (tmp_path / "new").exists()
    with claim(tmp_path / "new"):
        (tmp_path / "new/file").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_parts_of_the_work_are_claimed_by_name(tmp_path):
    with (
        claim(tmp_path, name="worker1"),
        claim(tmp_path, name="worker2"),
        pytest.raises(FolderInUseError, match="worker1 there is in use by process"),
        claim(tmp_path, name="worker1"),
    ):
        pytest.fail("both have it")
    assert list(tmp_path.iterdir()) == []


def come_and_go(folder, times):
    for _ in range(times):
        with claim(folder, wait=True):
            pass


def test_processes_of_which_nothing_comes_do_not_trip_over_each_other(tmp_path):
    processes = [PROCESSES.Process(target=come_and_go, args=(tmp_path / "a", 200)) for _ in "12"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert list(tmp_path.glob("a/*")) == []


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(NotADirectoryError, match="file: expected a folder, found a file"),
        claim(tmp_path / "file"),
    ):
        pytest.fail("claimed a file")
