import keras
import numpy as np
import pytest

from socialmd.config import (
    DataConfig,
    ExperimentConfig,
    ModelConfig,
    TrainingConfig,
    load_config,
    save_config,
)
from socialmd.models import InteractionLSTM, SocialLSTM, build_model, load

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


def test_a_name_stands_for_a_model_that_comes_with_the_package():
    assert load("interaction").experiment == load_config("saved_models/interaction/config.toml")
    with pytest.raises(FileNotFoundError, match=r"nothing: expected .* interaction, .*neither"):
        load("nothing")


def test_presets_are_of_the_class_that_they_are_asked_of(folder):
    path, model = folder
    for ours, theirs in zip(SocialLSTM.from_preset(path).weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(
        ValueError,
        match=r"expected a model of class InteractionLSTM, found one of class SocialLSTM",
    ):
        InteractionLSTM.from_preset(path)


def test_a_preset_is_what_was_saved(folder, tmp_path):
    path, _ = folder
    model = load(path)
    (path / "history.csv").write_text("epoch\n")
    other = CONFIG.model_copy(update={"training": TrainingConfig(seed=3)})
    model.save_to_preset(path, other)  # over what is there
    assert sorted(file.name for file in path.iterdir()) == [
        "config.toml",
        "history.csv",
        "model.keras",
    ]
    assert load(path).experiment == other
    model.save_to_preset(tmp_path / "new" / "folder")
    saved = SocialLSTM.from_preset(tmp_path / "new" / "folder")
    assert saved.experiment == CONFIG
    for ours, theirs in zip(saved.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_half_a_preset_is_not_saved(folder, tmp_path):
    _, model = folder
    without_weights = build_model(CONFIG)
    with pytest.raises(ValueError, match="expected one that is built"):
        without_weights.save_to_preset(tmp_path / "new")
    nameless = SocialLSTM.from_config(model.get_config())
    nameless.build((None, 3, None, 4))
    with pytest.raises(AttributeError, match="with its configuration, found one of neither"):
        nameless.save_to_preset(tmp_path / "new")
    assert not (tmp_path / "new").exists()


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
        ValueError,
        match=r"model\.keras: expected a model of class ForecastModel, found one of class "
        "Sequential",
    ):
        load(path)
