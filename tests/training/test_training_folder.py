"""The folder of a training: whether it can take the results, and what it says of them."""

import json
from types import SimpleNamespace

import pytest

from socialmd import load_config
from socialmd.data import describe_dataset
from socialmd.data.dataset_description import read_description
from socialmd.files import write_text
from socialmd.training import fit
from socialmd.training.training_folder import (
    check_room,
    experiment_texts,
    mark_folder,
    save_atomically,
)


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


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    def fail_half_way(path):
        with open(path, "w") as file:
            file.write("half")
        raise OSError("no space left on device")

    path = tmp_path / "new" / "weights.h5"
    with pytest.raises(OSError, match="no space"):
        save_atomically(fail_half_way, path)
    assert list(path.parent.iterdir()) == []


def text_of(output, config, data, name, language):
    """What is in the Markdown code block of a folder that says what is trained there."""
    mark_folder(output, config, data)
    first, *lines, last = experiment_texts(output)[name].split("\n")
    assert (first, last) == (f"```{language}", "```")
    return "\n".join(lines) + "\n"


def test_the_configuration_is_all_of_it(config, data, tmp_path):
    text = text_of(tmp_path, config, data, "configuration", "toml")
    write_text(tmp_path / "again.toml", text)
    assert load_config(tmp_path / "again.toml") == load_config(tmp_path / "config.toml")
    assert load_config(tmp_path / "again.toml").model == config.model


def test_the_data_are_described_and_their_files_counted(config, data, tmp_path):
    found = json.loads(text_of(tmp_path, config, data, "data", "json"))
    expected = read_description(data).model_dump(mode="json", exclude_none=True)
    assert found.pop("files") == {"train": 2, "validation": 1, "test": 1}
    del expected["files"]
    assert found == expected


def test_what_preprocessing_says_of_every_file_is_left_out(config, data, tmp_path):
    preprocessing = {"names": ["OQL"], "files": {"train/simulation_00000.npy": {"simulation": 0}}}
    (tmp_path / "data").mkdir()
    for split in ("train", "validation"):
        (tmp_path / "data" / split).symlink_to(data / split)
    describe_dataset(
        tmp_path / "data",
        features=("x", "y", "mass", "charge"),
        frame_spacing=0.1,
        preprocessing=preprocessing,
    )
    found = json.loads(text_of(tmp_path / "output", config, tmp_path / "data", "data", "json"))
    assert found["preprocessing"] == {"names": ["OQL"]}
