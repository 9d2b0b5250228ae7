import json

from socialmd import load_config
from socialmd.data import describe_dataset
from socialmd.data.dataset_description import read_description
from socialmd.files import write_text
from socialmd.training.training_folder import experiment_texts, mark_folder


def block(text, language):
    """What is in a Markdown code block."""
    first, *lines, last = text.split("\n")
    assert (first, last) == (f"```{language}", "```")
    return "\n".join(lines) + "\n"


def test_the_configuration_is_all_of_it(config, data, tmp_path):
    mark_folder(tmp_path, config, data)
    text = block(experiment_texts(tmp_path)["configuration"], "toml")
    write_text(tmp_path / "again.toml", text)
    assert load_config(tmp_path / "again.toml") == load_config(tmp_path / "config.toml")
    assert load_config(tmp_path / "again.toml").model == config.model


def test_the_data_are_described_and_their_files_counted(config, data, tmp_path):
    mark_folder(tmp_path, config, data)
    found = json.loads(block(experiment_texts(tmp_path)["data"], "json"))
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
    mark_folder(tmp_path / "output", config, tmp_path / "data")
    found = json.loads(block(experiment_texts(tmp_path / "output")["data"], "json"))
    assert found["preprocessing"] == {"names": ["OQL"]}
