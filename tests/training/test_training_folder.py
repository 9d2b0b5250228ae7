"""What is found out before the first epoch: an output folder that cannot take the results."""

from types import SimpleNamespace

import pytest

from socialmd.training import fit
from socialmd.training.training_folder import check_room


def with_free_bytes(monkeypatch, free):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))


def test_room_is_asked_for_in_proportion_to_the_model(monkeypatch, tmp_path):
    """Four copies of weights and two moments in float32, and 64 MiB for the rest."""
    needed = 48 * 140_768 + 64 * 2**20
    with_free_bytes(monkeypatch, needed)
    check_room(tmp_path / "new" / "folder", 140_768)
    assert list(tmp_path.glob("new/folder/*")) == []
    with pytest.raises(OSError, match=f"folder: training needs {needed + 48} .*found {needed} "):
        check_room(tmp_path / "new" / "folder", 140_769)


@pytest.mark.parametrize("name", ["file", "file/below", "/proc/output"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=f"{name}: expected a folder to write 671.* bytes to, found"):
        check_room(tmp_path / name, 1000)


def test_a_full_disk_is_refused_before_anything_is_trained(config, data, tmp_path, monkeypatch):
    with_free_bytes(monkeypatch, 1000)
    output = tmp_path / "output"
    with pytest.raises(OSError, match=r"output: training needs \d+ bytes .*found 1000 bytes"):
        fit(config, data, output, verbose=0)
    assert list(output.glob("*")) == []


def test_an_output_that_is_a_file_is_refused(config, data, tmp_path):
    (tmp_path / "output").write_text("precious")
    with pytest.raises(OSError, match="output: expected a folder"):
        fit(config, data, tmp_path / "output", verbose=0)
    assert (tmp_path / "output").read_text() == "precious"
