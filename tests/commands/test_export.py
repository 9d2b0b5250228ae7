import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.commands import export
from socialmd.config import DataConfig, ExperimentConfig, ModelConfig, save_config
from socialmd.models import build_model

CONFIG = ExperimentConfig(
    data=DataConfig(input_steps=3, target_steps=4),
    model=ModelConfig(units=4, embedding_dim=4, grid_sizes=()),  # exported in a second
)


@pytest.fixture
def folder(tmp_path):
    """Of a model that was never trained."""
    keras.utils.set_random_seed(1)
    model = build_model(CONFIG)
    model.build((None, 3, None, 4))
    folder = tmp_path / "tiny"
    folder.mkdir()
    model.save(folder / "model.keras")
    save_config(CONFIG, folder / "config.toml")
    return folder


def test_export_writes_what_the_model_forecasts(folder, tmp_path, capsys, rng):
    output = tmp_path / "monopoles" / "1"  # the layout that TensorFlow Serving wants
    export.main([str(folder), str(output)])
    assert capsys.readouterr().out == (
        "SavedModel with endpoints serve, serve_padded, rollout, rollout_padded and sample: "
        f"{output}\n"
    )
    inputs = rng.normal(size=(2, 3, 5, 4)).astype("float32")
    inputs[..., 2:] = inputs[:, :1, :, 2:]
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    loaded = tf.saved_model.load(output)
    parameters = loaded.serve(inputs)["parameters"]
    assert parameters.shape == (2, 4, 5, 5)
    np.testing.assert_allclose(parameters, model(inputs), rtol=1e-4, atol=1e-5)


def test_what_is_no_model_and_what_is_no_export_are_refused(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        export.main([str(tmp_path / "nowhere"), str(tmp_path / "exported")])
    with pytest.raises(ValueError, match=r"expected a SavedModel or nothing, found .*model\.keras"):
        export.main([str(folder), str(folder)])
    assert list(tmp_path.iterdir()) == [folder]
