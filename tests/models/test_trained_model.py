import importlib

import keras
import numpy as np
import pytest

from socialmd.config import DataConfig, ExperimentConfig, ModelConfig, save_config
from socialmd.models import build_model, load

CONFIG = ExperimentConfig(
    data=DataConfig(input_steps=3, target_steps=2),
    model=ModelConfig(units=8, embedding_dim=4, grid_cells=8, filters=(3, 4)),
)


@pytest.fixture
def folder(tmp_path):
    """A folder as training leaves it, and the model in it."""
    model = build_model(CONFIG)
    model.build((None, 3, None, 4))
    model.compile("nadam", loss="mse")
    model.save(tmp_path / "model.keras")
    save_config(CONFIG, tmp_path / "config.toml")
    return tmp_path, model


def test_folder_and_file_give_the_same_model_and_configuration(folder):
    path, model = folder
    (path / "model.keras").rename(path / "other.keras")
    with pytest.raises(FileNotFoundError, match=r"model\.keras: not found"):
        load(path)
    for loaded in (load(path / "other.keras"), load(str(path / "other.keras"))):
        assert loaded.experiment == CONFIG
        for ours, theirs in zip(loaded.weights, model.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_folder_is_found_from_within(folder, monkeypatch):
    monkeypatch.chdir(folder[0])
    assert load(".").experiment == CONFIG


def test_a_name_stands_for_a_model_that_comes_with_the_repository(folder, monkeypatch, tmp_path):
    path, model = folder
    module = importlib.import_module("socialmd.models.trained_model")
    monkeypatch.setattr(module, "SAVED_MODELS", path.parent)
    for ours, theirs in zip(load(path.name).weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(
        FileNotFoundError, match=f"nothing: expected a path or.*{path.name}.*neither"
    ):
        load("nothing")
    monkeypatch.setattr(module, "SAVED_MODELS", path / "nowhere")
    with pytest.raises(FileNotFoundError, match="comes with the repository"):
        load(path.name)


def test_missing_files_are_named(folder):
    path, _ = folder
    with pytest.raises(FileNotFoundError, match=r"nowhere: not found; expected a folder with"):
        load(path / "nowhere")
    (path / "config.toml").unlink()
    with pytest.raises(FileNotFoundError, match=r"config\.toml: not found"):
        load(path)


def test_a_file_that_is_no_model_is_refused(folder):
    path, _ = folder
    (path / "model.keras").write_bytes(b"no model")
    with pytest.raises(
        ValueError, match=r"model\.keras: expected a model of Keras, found a damaged file"
    ):
        load(path)


def test_another_kind_of_model_is_refused(folder):
    path, _ = folder
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path / "model.keras")
    with pytest.raises(
        ValueError, match=r"model\.keras: expected a model of this package, found a Sequential"
    ):
        load(path)
